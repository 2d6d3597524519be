// Network interfaces by name and number: lo, eth0, eth1 …
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IF_NAMESIZE 16
#define IFNAMSIZ    IF_NAMESIZE

#define IFF_UP        0x1
#define IFF_BROADCAST 0x2
#define IFF_LOOPBACK  0x8
#define IFF_RUNNING   0x40
#define IFF_MULTICAST 0x1000

struct ifreq {
    char ifr_name[IF_NAMESIZE];
};

struct if_nameindex {
    unsigned if_index; // 0 ends the list
    char *if_name;
};

unsigned if_nametoindex(const char *name);        // 0 when there is no such interface
char *if_indextoname(unsigned index, char *name); // name[IF_NAMESIZE]; NULL when there is no such interface
struct if_nameindex *if_nameindex(void);
void if_freenameindex(struct if_nameindex *list);

#ifdef __cplusplus
}
#endif
