// Segments: of connections as they stand, and of new ones.
// SPDX-License-Identifier: MIT
#include "machine.h"
#include "make.h"
#include "program.h"
#include "script.h"

#include <string.h>

#include "lwip/priv/tcp_priv.h"

struct segment {
    unsigned from_port, to_port, flags, window, length;
    uint32_t sequence, acknowledged;
};

static void address_put(uint8_t to[16], const ip_addr_t *address)
{
    if (IP_IS_V6(address))
        memcpy(to, ip_2_ip6(address)->addr, 16);
    else
        memcpy(to, ip_2_ip4(address), 4);
}

static struct tcp_pcb *connection_pick(void)
{
    unsigned number = script_byte();
    struct tcp_pcb *list = number & 0x80 && tcp_tw_pcbs ? tcp_tw_pcbs : tcp_active_pcbs, *c = list;
    for (number %= 8; c && number; number--)
        c = c->next ? c->next : list;
    return c;
}

static void option_put(unsigned kind, uint32_t next)
{
    switch (kind) {
    case 0:
        frame_put16(0x0204);
        frame_put16(script_near(1460));
        break;
    case 1:
        frame_put32(0x01030300 | (script_near(7) & 0xff));
        break;
    case 2:
        frame_put32(0x01010402);
        break;
    case 3:
        frame_put32(0x0101080a);
        frame_put32(script_word());
        frame_put32(0);
        break;
    case 4:
        frame_put32(0x0101050a);
        frame_put32(next + script_near(1460));
        frame_put32(next + script_near(2920));
        break;
    case 5:
        frame_put16(script_byte() << 8 | (script_near(2) & 0xff));
        frame_put16(0x0101);
        break;
    default:
        frame_put32(0x01010101);
    }
}

static void options_put(unsigned flags, uint32_t next)
{
    if (flags & TCP_SYN) {
        unsigned wanted = script_byte() ^ 7;
        for (unsigned kind = 0; kind < 6; kind++)
            if (wanted >> kind & 1)
                option_put(kind, next);
    } else if (script_odd(20)) {
        for (unsigned number = 1 + script_below(3); number; number--)
            option_put(script_below(8), next);
    }
}

static void segment_send(const struct ends *ends, const struct segment *s)
{
    frame_begin();
    frame_put16(s->from_port);
    frame_put16(s->to_port);
    frame_put32(s->sequence);
    frame_put32(s->acknowledged);
    frame_put16(s->flags);
    frame_put16(s->window);
    frame_put32(s->flags & TCP_URG ? script_byte() : 0);
    options_put(s->flags, s->acknowledged);
    unsigned header = frame_length();
    uint8_t *start = frame_front(0);
    start[12] = (uint8_t)(script_near(header / 4) << 4 | (s->flags >> 8 & 15));
    frame_put_text(s->length);
    frame_send(ends, IP_PROTO_TCP);
}

static void connection_new(void)
{
    struct ends ends = ends_usual();
    struct segment s = {.from_port = 0x8000u + script_byte(),
                        .to_port = script_odd(64) ? OTHER_PORT : LISTEN_PORT,
                        .flags = script_near(TCP_SYN) & 0xfff,
                        .window = script_near(0xffff) & 0xffff,
                        .sequence = script_odd(64) ? 0xfffffff0 : script_byte() << 16,
                        .length = script_odd(16) ? script_byte() : 0};
    s.to_port = script_near(s.to_port) & 0xffff;
    segment_send(&ends, &s);
}

static unsigned flags_wanted(const struct tcp_pcb *c)
{
    static const uint16_t usual[] = {TCP_ACK,           TCP_ACK,           TCP_ACK, TCP_ACK | TCP_PSH,
                                     TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN, TCP_RST, TCP_SYN,
                                     TCP_SYN | TCP_ACK, TCP_RST | TCP_ACK, 0,       TCP_ACK | TCP_URG};
    unsigned choice = script_byte();
    if (choice < 32)
        return usual[5 + choice % 7];
    if (choice > 250)
        return script_word() & 0xfff;
    return c->state == SYN_SENT ? TCP_SYN | TCP_ACK : usual[choice % 5];
}

static uint32_t sequence_wanted(const struct tcp_pcb *c)
{
    unsigned choice = script_byte();
    if (choice < 176)
        return c->rcv_nxt;
    if (choice < 208)
        return c->rcv_nxt + (script_byte() + 1u) * (choice & 1 ? 1460u : 1u); // out of order
    if (choice < 232)
        return c->rcv_nxt - script_byte() * (choice & 1 ? 100u : 1u); // again
    if (choice < 240)
        return c->rcv_nxt + c->rcv_wnd + script_byte() - 128;
    return script_near(c->rcv_nxt + 0x40000000);
}

static uint32_t acknowledgement_wanted(const struct tcp_pcb *c)
{
    unsigned choice = script_byte();
    if (choice < 144)
        return c->snd_nxt;
    if (choice < 176)
        return c->lastack;
    if (choice < 216)
        return c->lastack + (c->snd_nxt - c->lastack) / 256 * script_byte() + script_below(3);
    if (choice < 232)
        return c->lastack - script_byte();
    return script_near(c->snd_nxt + 1);
}

static unsigned window_wanted(void)
{
    unsigned choice = script_byte();
    if (choice < 160)
        return 0xffff;
    return choice < 192 ? 0 : choice < 224 ? script_byte() : script_byte() << 8;
}

static unsigned length_wanted(void)
{
    unsigned choice = script_byte();
    if (choice < 96)
        return 0;
    return choice < 160 ? script_byte() : choice < 240 ? 1460 : choice < 252 ? script_word() % 1461 : 6000;
}

static void connection_segment(const struct tcp_pcb *c)
{
    struct ends ends = {.ip6 = IP_IS_V6(&c->remote_ip), .hops = 64};
    address_put(ends.from, &c->remote_ip);
    address_put(ends.to, &c->local_ip);
    struct segment s = {.from_port = c->remote_port,
                        .to_port = c->local_port,
                        .flags = flags_wanted(c),
                        .window = window_wanted(),
                        .length = length_wanted(),
                        .sequence = sequence_wanted(c),
                        .acknowledged = acknowledgement_wanted(c)};
    segment_send(&ends, &s);
}

void make_tcp(void)
{
    const struct tcp_pcb *c = connection_pick();
    if (!c || script_odd(40))
        connection_new();
    else
        connection_segment(c);
}

// SYNs from many places, or the same segment again and again.
void make_tcp_burst(void)
{
    unsigned number = script_byte() % 48 + 1;
    struct ends ends = ends_usual();
    struct segment s = {
        .from_port = script_word() & 0xffff, .to_port = LISTEN_PORT, .flags = TCP_SYN, .window = 0xffff};
    const struct tcp_pcb *c = script_odd(128) ? connection_pick() : NULL;
    while (number--) {
        if (c && c == tcp_active_pcbs) {
            connection_segment(c);
            c = tcp_active_pcbs;
        } else if (!c) {
            s.from_port++;
            segment_send(&ends, &s);
        }
    }
}
