// The addresses of this machine's interfaces.
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ifaddrs {
    struct ifaddrs *ifa_next;
    char *ifa_name;
    unsigned ifa_flags; // IFF_… of <net/if.h>
    struct sockaddr *ifa_addr;
    struct sockaddr *ifa_netmask;
    struct sockaddr *ifa_broadaddr; // NULL where there is none
    void *ifa_data;                 // NULL
};
#define ifa_dstaddr ifa_broadaddr

int getifaddrs(struct ifaddrs **list);
void freeifaddrs(struct ifaddrs *list);

#ifdef __cplusplus
}
#endif
