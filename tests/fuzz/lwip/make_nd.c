// Neighbour discovery: solicitations, advertisements, routers, redirects.
// SPDX-License-Identifier: MIT
#include "machine.h"
#include "make.h"
#include "neighbours.h"
#include "script.h"

#include <string.h>

static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};

static void link_address_option(unsigned kind)
{
    frame_put8(kind);
    frame_put8(script_near(1));
    frame_put(neighbour_mac, 6);
}

// 2001:db8::/64, or another.
static void prefix_option(void)
{
    uint8_t prefix[16] = {0x20, 0x01, 0x0d, 0xb8};
    static const uint32_t times[] = {86400, 0, 1, 20, 0xffffffff, 7200, 7201, 600};
    prefix[7] = (uint8_t)(script_odd(64) ? script_byte() : 0);
    frame_put8(3);
    frame_put8(script_near(4));
    frame_put8(script_near(64));
    frame_put8(script_near(0xc0));
    frame_put32(script_near(times[script_below(8)]));
    frame_put32(script_near(times[script_below(8)]));
    frame_put32(0);
    frame_put(prefix, 16);
}

static void servers_option(void)
{
    unsigned number = script_below(4);
    frame_put8(25);
    frame_put8(script_near(1 + 2 * number));
    frame_put16(0);
    frame_put32(script_near(600));
    while (number--)
        frame_put(hosts6[script_below(HOSTS)], 16);
}

static void router_options(void)
{
    unsigned wanted = script_byte() ^ 3;
    if (wanted & 1)
        link_address_option(1);
    if (wanted & 2)
        prefix_option();
    if (wanted & 4) {
        frame_put16(0x0501);
        frame_put16(0);
        frame_put32(script_near(1280 + script_byte()));
    }
    if (wanted & 8)
        servers_option();
    if (wanted & 16)
        prefix_option();
    if ((wanted & 96) == 96) { // of no kind that is known
        unsigned length = script_byte() % 64;
        frame_put16(script_byte() << 8 | (script_near(length / 8 + 1) & 0xff));
        frame_put_text(length);
    }
}

static void router_advertisement(void)
{
    frame_put32(134u << 24);
    frame_put32(script_near(0x40000000 | 1800)); // hops, flags, lifetime
    frame_put32(script_near(0));
    frame_put32(script_near(0));
    router_options();
}

// The machine's own address, or another's.
static void target_put(void)
{
    if (script_odd(128))
        frame_put(hosts6[script_below(HOSTS)], 16);
    else
        frame_put(netif_ip6_addr(machine_netif, script_below(3))->addr, 16);
}

static void solicitation(void)
{
    frame_put32(135u << 24);
    frame_put32(0);
    target_put();
    if (script_odd(192))
        link_address_option(1);
}

static void advertisement(void)
{
    frame_put32(136u << 24);
    frame_put32((uint32_t)script_byte() << 24);
    target_put();
    if (script_odd(192))
        link_address_option(2);
}

static void redirect(void)
{
    frame_put32(137u << 24);
    frame_put32(0);
    frame_put(hosts6[script_below(HOSTS)], 16);
    frame_put(hosts6[script_below(HOSTS)], 16);
    if (script_odd(128))
        link_address_option(2);
    if (script_odd(64)) {
        frame_put16(0x0400 | (script_near(6) & 0xff));
        frame_put_text(46);
    }
}

static void router_solicitation(void)
{
    frame_put32(133u << 24);
    frame_put32(0);
    if (script_odd(128))
        link_address_option(1);
}

void make_nd(void)
{
    static void (*const kinds[])(void) = {router_advertisement, advertisement,      solicitation,
                                          advertisement,        redirect,           router_advertisement,
                                          solicitation,         router_solicitation};
    struct ends ends = {.ip6 = true};
    unsigned kind = script_below(8);
    ends.hops = (uint8_t)script_near(255);
    memcpy(ends.from, hosts6[script_odd(64) ? script_below(HOSTS) : 0], 16);
    memcpy(ends.to, all_nodes, 16);
    if (script_odd(128))
        memcpy(ends.to, netif_ip6_addr(machine_netif, 0)->addr, 16);
    if (script_odd(8))
        memset(ends.from, 0, 16);
    else if (script_odd(96))
        ends.from[15] = (uint8_t)script_byte(); // a flood of them
    frame_begin();
    kinds[kind]();
    frame_send(&ends, 58);
}
