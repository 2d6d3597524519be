// Which name servers are asked: those of dns=, or those of DHCP and router advertisements together.
// SPDX-License-Identifier: MIT
#include "dns_servers.h"

#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/dns.h"

static bool chosen;                 // by the command line: nothing else is taken
static u32_t left[DNS_MAX_SERVERS]; // seconds that a router's counts; 0: it is none

void bm_net_dns_choose(const struct bm_net_address *servers, unsigned count)
{
    BM_NET_ASSERT_LOCKED();
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

// Where it is; DNS_MAX_SERVERS: nowhere.
static u8_t place_of(const ip_addr_t *server)
{
    u8_t place = 0;
    while (place < DNS_MAX_SERVERS && !ip_addr_eq(dns_getserver(place), server))
        place++;
    return place;
}

// lwIP asks the servers in order up to the first empty place.
static void add(const ip_addr_t *server, u32_t lifetime)
{
    u8_t place = place_of(server);
    if (place < DNS_MAX_SERVERS && !left[place])
        return;
    if (place == DNS_MAX_SERVERS)
        for (place = 0; place < DNS_MAX_SERVERS && !ip_addr_isany(dns_getserver(place));)
            place++;
    if (place == DNS_MAX_SERVERS)
        return;
    dns_setserver(place, server);
    left[place] = lifetime;
}

static void forget(u8_t number)
{
    for (; number + 1 < DNS_MAX_SERVERS; number++) {
        dns_setserver(number, dns_getserver((u8_t)(number + 1)));
        left[number] = left[number + 1];
    }
    dns_setserver(number, NULL);
    left[number] = 0;
}

void bm_net_dns_learn(u8_t number, const ip_addr_t *server)
{
    BM_NET_ASSERT_LOCKED();
    if (chosen || ip_addr_isany(server))
        return;
    if (IP_IS_V6(server)) {
        add(server, 0);
        return;
    }
    if (number >= DNS_MAX_SERVERS)
        return;
    ip_addr_t before = *dns_getserver(number);
    u32_t lifetime = left[number];
    dns_setserver(number, server);
    left[number] = 0;
    if (IP_IS_V6(&before) && !ip_addr_isany(&before))
        add(&before, lifetime);
}

void bm_net_dns_router(const ip_addr_t *server, u32_t lifetime)
{
    if (chosen)
        return;
    if (lifetime) {
        add(server, lifetime);
        return;
    }
    u8_t place = place_of(server);
    if (place < DNS_MAX_SERVERS && left[place])
        forget(place);
}

void bm_net_dns_age(void)
{
    for (u8_t i = DNS_MAX_SERVERS; i-- > 0;)
        if (left[i] && --left[i] == 0)
            forget(i);
}
