// Which name servers are asked: those of dns=, or those of DHCP and router advertisements together.
// SPDX-License-Identifier: MIT
#include "dns_servers.h"

#include <string.h>

#include "lwip/dns.h"

static bool chosen; // by the command line: nothing else is taken

void bm_net_dns_choose(const struct bm_net_address *servers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ip_addr_t address;
        memset(&address, 0, sizeof address);
        if (servers[i].is_ip6) {
            IP_SET_TYPE_VAL(address, IPADDR_TYPE_V6);
            memcpy(ip_2_ip6(&address)->addr, servers[i].bytes, 16);
        } else {
            memcpy(ip_2_ip4(&address), servers[i].bytes, 4);
        }
        dns_setserver((u8_t)i, &address);
    }
    chosen = count != 0;
}

static bool is_known(const ip_addr_t *server)
{
    for (u8_t i = 0; i < DNS_MAX_SERVERS; i++)
        if (ip_addr_eq(dns_getserver(i), server))
            return true;
    return false;
}

// lwIP asks the servers in order up to the first empty place.
static void add(const ip_addr_t *server)
{
    u8_t place = 0;
    while (place < DNS_MAX_SERVERS && !ip_addr_isany(dns_getserver(place)))
        place++;
    if (place < DNS_MAX_SERVERS && !is_known(server))
        dns_setserver(place, server);
}

static void forget(u8_t number)
{
    for (; number + 1 < DNS_MAX_SERVERS; number++)
        dns_setserver(number, dns_getserver((u8_t)(number + 1)));
    dns_setserver(number, NULL);
}

void bm_net_dns_learn(u8_t number, const ip_addr_t *server)
{
    if (chosen)
        return;
    if (!server || ip_addr_isany(server)) { // a router takes it back
        forget(number);
        return;
    }
    if (IP_IS_V6(server)) { // of a router: behind those of DHCP
        add(server);
        return;
    }
    if (number >= DNS_MAX_SERVERS)
        return;
    ip_addr_t before = *dns_getserver(number);
    dns_setserver(number, server);
    if (IP_IS_V6(&before) && !ip_addr_isany(&before))
        add(&before);
}
