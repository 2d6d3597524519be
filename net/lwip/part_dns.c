// Names by DNS: what asks for one, and with it what lwIP's core calls for that.
// SPDX-License-Identifier: MIT
#include "parts.h"

#include "lwip/dns.h"

// lwIP's own functions of the names that are here.
err_t bm_net_lwip_gethostbyname(const char *name, ip_addr_t *address, dns_found_callback found, void *arg);
err_t bm_net_lwip_gethostbyname_addrtype(const char *name, ip_addr_t *address, dns_found_callback found,
                                         void *arg, u8_t type);

err_t dns_gethostbyname(const char *name, ip_addr_t *address, dns_found_callback found, void *arg)
{
    return bm_net_lwip_gethostbyname(name, address, found, arg);
}

err_t dns_gethostbyname_addrtype(const char *name, ip_addr_t *address, dns_found_callback found, void *arg,
                                 u8_t type)
{
    return bm_net_lwip_gethostbyname_addrtype(name, address, found, arg, type);
}

void bm_net_part_dns_start(void)
{
    dns_init();
}

void bm_net_part_dns_tick(void)
{
    dns_tmr();
}
