// Names by DNS: what asks for one, and with it what lwIP's core calls for that.
// SPDX-License-Identifier: MIT
#include "lwip/dns.h"

err_t dns_gethostbyname(const char *name, ip_addr_t *address, dns_found_callback found, void *arg)
{
    return bm_net_lwip_gethostbyname(name, address, found, arg);
}

err_t dns_gethostbyname_addrtype(const char *name, ip_addr_t *address, dns_found_callback found, void *arg,
                                 u8_t type)
{
    return bm_net_lwip_gethostbyname_addrtype(name, address, found, arg, type);
}

void bm_net_dns_init(void)
{
    dns_init();
}

void bm_net_dns_tmr(void)
{
    dns_tmr();
}
