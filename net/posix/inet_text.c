// Internet addresses as text (arpa/inet.h).
// SPDX-License-Identifier: MIT
#include "../start/ip_text.h"
#include "../start/option.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lwip/ip4_addr.h"

const struct in6_addr in6addr_loopback = IN6ADDR_LOOPBACK_INIT;

int inet_pton(int family, const char *restrict text, void *restrict address)
{
    if (family == AF_INET)
        return bm_net_parse_ip4(text, strlen(text), address);
    if (family == AF_INET6)
        return bm_net_parse_ip6(text, strlen(text), address);
    errno = EAFNOSUPPORT;
    return -1;
}

const char *inet_ntop(int family, const void *restrict address, char *restrict text, socklen_t size)
{
    if (family != AF_INET && family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return NULL;
    }
    size_t count = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    const char *result = bm_net_ip_text(address, count, text, size);
    if (!result)
        errno = ENOSPC;
    return result;
}

// The old forms (a, a.b, a.b.c; octal and hexadecimal parts) are lwIP's to read.
int inet_aton(const char *text, struct in_addr *address)
{
    ip4_addr_t ip4;
    if (!ip4addr_aton(text, &ip4))
        return 0;
    if (address)
        address->s_addr = ip4_addr_get_u32(&ip4);
    return 1;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;
    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address)
{
    static _Thread_local char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address, text, sizeof text);
    return text;
}
