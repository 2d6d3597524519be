// Frames of ARP, ICMP, IGMP, ICMPv6, MLD, and such as are nothing.
// SPDX-License-Identifier: MIT
#include "machine.h"
#include "make.h"
#include "neighbours.h"
#include "script.h"

#include <string.h>

#include "lwip/prot/tcp.h"

static void own_address(uint8_t to[16], bool ip6)
{
    static const uint8_t other4[][4] = {
        {10, 7, 0, 255}, {255, 255, 255, 255}, {224, 0, 0, 1}, {127, 0, 0, 1}};
    static const uint8_t other6[][16] = {
        {0xff, 2, [15] = 1}, {0xff, 2, [11] = 1, 0xff, 0, 0, 2}, {[15] = 1}, {0xfe, 0x80, [15] = 0x77}};
    unsigned choice = script_odd(32) ? 1 + script_below(4) : 0;
    if (ip6 && choice)
        memcpy(to, other6[choice - 1], 16);
    else if (ip6) // link-local, else by a router's prefix
        memcpy(to, netif_ip6_addr(machine_netif, script_odd(64) ? script_below(3) : 0)->addr, 16);
    else if (choice)
        memcpy(to, other4[choice - 1], 4);
    else
        memcpy(to, netif_ip4_addr(machine_netif), 4);
}

struct ends ends_usual(void)
{
    unsigned choice = script_byte();
    struct ends ends = {.ip6 = choice & 1, .hops = 64};
    if (ends.ip6)
        memcpy(ends.from, hosts6[choice / 2 % HOSTS], 16);
    else
        memcpy(ends.from, hosts4[choice / 2 % HOSTS], 4);
    own_address(ends.to, ends.ip6);
    if (script_odd(4))
        ends.from[script_below(16)] = (uint8_t)script_byte();
    return ends;
}

void make_arp(void)
{
    unsigned choice = script_byte();
    frame_begin();
    frame_put_ethernet(choice & 1 ? (const uint8_t *)"\xff\xff\xff\xff\xff\xff" : machine_mac, 0x0806);
    frame_put16(script_near(1));
    frame_put16(script_near(0x0800));
    frame_put16(script_near(0x0604));
    frame_put16(script_near(1 + (choice >> 1 & 1)));
    frame_put(neighbour_mac, 6);
    frame_put(hosts4[script_below(HOSTS)], 3);
    frame_put8(script_odd(128) ? script_byte() : 1); // a flood of them
    frame_put(machine_mac, 6);
    frame_put(hosts4[choice & 4 ? script_below(HOSTS) : HOSTS - 1], 4);
    frame_odd_deliver();
}

void make_igmp(void)
{
    static const uint8_t types[] = {0x11, 0x16, 0x12, 0x17, 0x22};
    static const uint8_t groups[][4] = {{224, 0, 0, 5}, {224, 0, 0, 1}, {0, 0, 0, 0}, {239, 1, 2, 3}};
    struct ends ends = {.hops = 1, .alert = !script_odd(16)};
    const uint8_t *group = groups[script_below(4)];
    memcpy(ends.from, hosts4[0], 4);
    memcpy(ends.to, group[0] ? group : groups[1], 4);
    frame_begin();
    frame_put8(types[script_below(5)]);
    frame_put8(script_near(100));
    frame_put16(0);
    frame_put(group, 4);
    frame_put_text(script_odd(32) ? script_byte() : 0);
    frame_send(&ends, 2);
}

void make_mld(void)
{
    struct ends ends = {.ip6 = true, .hops = 1, .alert = !script_odd(16)};
    uint8_t group[16] = {0xff, 2, [15] = (uint8_t)(script_below(4) + 0x10)};
    memcpy(ends.from, hosts6[0], 16);
    memcpy(ends.to, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    frame_begin();
    frame_put16((130 + script_below(4)) << 8);
    frame_put16(0);
    frame_put16(script_near(1000));
    frame_put16(0);
    if (script_odd(96))
        memset(group, 0, 16);
    frame_put(group, 16);
    frame_put_text(script_odd(32) ? script_byte() : 0);
    frame_send(&ends, 58);
}

// The first bytes of a packet of ours that something is wrong with.
static void quote4(const struct ends *ends)
{
    frame_put32(0x45000000 | script_near(60));
    frame_put32(script_near(0x4000));
    frame_put16(0x4000 | (script_odd(128) ? 17 : 6));
    frame_put16(0);
    frame_put(ends->to, 4);
    frame_put(ends->from, 4);
    frame_put16(script_near(80));
    frame_put16(0x8000 | script_byte());
    frame_put32(script_word());
}

void make_icmp4(void)
{
    static const uint8_t types[] = {8, 8, 8, 3, 3, 11, 5, 13, 0, 17};
    unsigned type = types[script_below(10)];
    struct ends ends = ends_usual();
    if (ends.ip6) {
        ends.ip6 = false;
        memcpy(ends.from, hosts4[script_below(HOSTS)], 4);
        own_address(ends.to, false);
    }
    frame_begin();
    frame_put8(type);
    frame_put8(script_near(type == 3 ? 4 : 0));
    frame_put16(0);
    frame_put16(script_near(0));
    frame_put16(script_near(type == 3 ? 1400 : 1)); // RFC 1191: the MTU
    if (type == 3 || type == 11 || type == 5)
        quote4(&ends);
    else
        frame_put_text(script_odd(32) ? script_byte() * 16 : script_byte());
    frame_send(&ends, 1);
}

static void quote6(const struct ends *ends)
{
    frame_put32(0x60000000);
    frame_put16(script_near(100));
    frame_put16((script_odd(64) ? 58 : 6) << 8 | 64);
    frame_put(ends->to, 16);
    frame_put(ends->from, 16);
    frame_put32(script_near(80) << 16 | 0x8000 | script_byte());
    frame_put_text(script_byte());
}

void make_icmp6(void)
{
    static const uint8_t types[] = {128, 128, 128, 2, 2, 1, 3, 4, 129, 200};
    static const uint16_t mtus[] = {1280, 1279, 48, 56, 0, 1500, 1400, 68};
    unsigned type = types[script_below(10)];
    struct ends ends = ends_usual();
    if (!ends.ip6) {
        ends.ip6 = true;
        memcpy(ends.from, hosts6[script_below(HOSTS)], 16);
        own_address(ends.to, true);
    }
    frame_begin();
    frame_put16(type << 8 | (script_near(0) & 0xff));
    frame_put16(0);
    frame_put32(type == 2 ? script_near(mtus[script_below(8)]) : script_near(0));
    if (type <= 4)
        quote6(&ends);
    else
        frame_put_text(script_odd(32) ? script_byte() * 16 : script_byte());
    frame_send(&ends, 58);
}

void make_fragments(void)
{
    struct ends ends = ends_usual();
    bool echo = !script_odd(64);
    frame_begin();
    if (echo) {
        frame_put16((ends.ip6 ? 128 : 8) << 8);
        frame_put16(0);
        frame_put32(script_byte());
    }
    frame_put_text(script_byte() * (script_odd(64) ? 60 : 12));
    frame_send_pieces(&ends, echo ? ends.ip6 ? 58 : 1 : script_odd(128) ? 6 : 17);
}

void make_anything(void)
{
    static const uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x8100, 0x8863, 0x88cc, 0x0000, 0x05dc};
    unsigned type = types[script_below(8)], length = script_byte();
    frame_begin();
    frame_put(script_odd(64) ? (const uint8_t *)"\x33\x33\0\0\0\1" : machine_mac, 6);
    frame_put(neighbour_mac, 6);
    if (type == 0x8100)
        frame_put32(0x81000000 | script_near(0));
    frame_put16(type == 0x8100 ? 0x0800 : type);
    if (script_odd(128)) { // at least the first byte is right
        frame_put8(type == 0x86dd ? 0x60 : 0x45);
        length = length ? length - 1 : 0;
    }
    while (length--)
        frame_put8(script_byte());
    frame_odd_deliver();
}
