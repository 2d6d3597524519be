// Datagrams: to the program, of DHCP and of name servers.
// SPDX-License-Identifier: MIT
#include "../../../net/start/configuration.h"
#include "machine.h"
#include "make.h"
#include "neighbours.h"
#include "program.h"
#include "script.h"

#include <string.h>

void make_udp(void)
{
    static const uint16_t ports[] = {UDP_PORT, UDP_PORT + 1, UDP_PORT + 2, UDP_PORT + 3, 68, 53, 7, 0};
    struct ends ends = ends_usual();
    frame_begin();
    frame_put_text(script_odd(32) ? 5000 : script_byte());
    frame_send_udp(&ends, script_near(UDP_PORT) & 0xffff, ports[script_below(8)]);
}

// --- DHCP ---

static void option_number(unsigned code, uint32_t value)
{
    frame_put8(code);
    frame_put8(script_near(4));
    frame_put32(value);
}

static void lease_options(void)
{
    static const uint32_t times[] = {3600, 0, 1, 20, 60, 0xffffffff, 0x7fffffff, 86400};
    option_number(51, script_near(times[script_below(8)]));
    if (script_odd(64))
        option_number(58, script_near(times[script_below(8)]));
    if (script_odd(64))
        option_number(59, script_near(times[script_below(8)]));
}

static void seldom_options(void)
{
    static const uint8_t codes[] = {26, 121, 12, 52, 0, 6, 3, 61, 33, 249, 66, 43};
    for (unsigned number = script_below(4); number; number--) {
        unsigned code = codes[script_below(12)], length = script_below(40);
        if (code == 52 || code == 26) {
            frame_put8(code);
            frame_put8(script_near(code == 52 ? 1 : 2));
            frame_put16(script_near(code == 52 ? 0x0300 : 1400));
            continue;
        }
        frame_put8(code);
        frame_put8(script_near(length));
        if (code == 121) // classless routes: the width first
            frame_put8(script_near(24));
        for (unsigned i = code == 121; i < length; i++)
            frame_put8(script_byte());
    }
}

static void dhcp_options(unsigned kind)
{
    frame_put32(0x63825363);
    frame_put16(0x3501);
    frame_put8(kind);
    if (!script_odd(16))
        option_number(54, script_near(0x0a070001));
    lease_options();
    option_number(1, script_near(0xffffff00));
    option_number(3, script_near(0x0a070001));
    if (script_odd(128))
        option_number(6, script_near(0x0a070001));
    if (script_odd(96))
        seldom_options();
    if (!script_odd(8))
        frame_put8(255);
}

static unsigned dhcp_kind(const struct bm_net_dhcp *dhcp)
{
    if (script_odd(32))
        return script_odd(128) ? 6 : script_byte();
    return dhcp->state == DHCP_SELECTING ? 2 : 5;
}

void make_dhcp(void)
{
    const struct bm_net_dhcp *dhcp = &((struct bm_net_configuration *)machine_netif)->dhcp;
    struct ends ends = {.hops = 64, .broadcast = true};
    memcpy(ends.from, hosts4[0], 4);
    memset(ends.to, 0xff, 4);
    frame_begin();
    frame_put32(0x02010600);
    frame_put32(script_near(dhcp->xid));
    frame_put32(script_near(0));
    frame_put32(0); // the client's own address
    frame_put32(script_near(0x0a070002));
    frame_put32(script_near(0x0a070001));
    frame_put32(0);
    frame_put(machine_mac, 6);
    for (unsigned i = 6; i < 16 + 64 + 128; i++)
        frame_put8(0);
    dhcp_options(dhcp_kind(dhcp));
    if (script_odd(16)) // options go on in the fields for names
        for (uint8_t *at = frame_front(0) + 44, *end = at + script_byte() % 192; at < end; at++)
            *at = (uint8_t)script_byte();
    frame_send_udp(&ends, 67, script_near(68) & 0xffff);
}

// --- DNS ---

static void name_put(void)
{
    unsigned choice = script_byte();
    if (choice < 160) {
        frame_put16(0xc00c); // the question's
        return;
    }
    if (choice < 192) {
        frame_put16(0xc000 | script_byte() << (choice & 1)); // anywhere, perhaps here
        return;
    }
    for (unsigned labels = script_below(5); labels; labels--) {
        unsigned length = script_near(4) & 0xff;
        frame_put8(length);
        frame_put_text(length & 63);
    }
    frame_put8(script_near(0) & 0xff);
}

static void record_put(void)
{
    static const uint8_t types[] = {1, 28, 1, 28, 5, 16, 2, 41};
    unsigned type = types[script_below(8)], length = type == 1 ? 4 : type == 28 ? 16 : 2;
    name_put();
    frame_put16(type);
    frame_put16(script_near(1));
    frame_put32(script_near(60));
    frame_put16(script_near(length));
    if (type == 5)
        name_put();
    else
        frame_put_text(length);
}

void make_dns(void)
{
    struct ends ends = {.ip6 = question.ip6, .hops = 64};
    unsigned asked = question.length < 12 ? 0 : question.length - 12, records = script_below(5) + 1;
    memcpy(ends.from, question.server, 16);
    if (question.ip6)
        memcpy(ends.to, netif_ip6_addr(machine_netif, script_below(LWIP_IPV6_NUM_ADDRESSES))->addr, 16);
    else
        memcpy(ends.to, netif_ip4_addr(machine_netif), 4);
    frame_begin();
    frame_put(question.bytes, 2);
    if (script_odd(8))
        frame_front(0)[1] ^= 1;
    frame_put16(script_near(0x8180));
    frame_put16(script_near(1));
    frame_put16(script_near(records));
    frame_put32(0);
    frame_put(question.bytes + 12, asked);
    while (records--)
        record_put();
    frame_send_udp(&ends, script_near(53) & 0xffff, script_near(question.port) & 0xffff);
}
