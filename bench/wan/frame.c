// Frames, read: Ethernet, IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293).
// SPDX-License-Identifier: MIT
#include "frame.h"

enum { LINK = 14, IP4_MIN = 20, IP6 = 40, TCP_MIN = 20 };
enum { TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd, PROTOCOL_TCP = 6, PROTOCOL_ICMP6 = 58 };
enum { NEIGHBOUR_FIRST = 133, NEIGHBOUR_LAST = 137 }; // ICMPv6 types of RFC 4861

static uint16_t get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static void read_tcp(const uint8_t *tcp, size_t size, struct frame_view *view)
{
    if (size < TCP_MIN)
        return;
    const size_t header = 4 * (size_t)(tcp[12] >> 4);
    if (header < TCP_MIN || header > size)
        return;
    view->tcp = true;
    view->source_port = get16(tcp);
    view->destination_port = get16(tcp + 2);
    view->sequence = get32(tcp + 4);
    view->flags = tcp[13];
    view->data = (uint32_t)(size - header);
    view->length = view->data + !!(view->flags & TCP_SYN) + !!(view->flags & TCP_FIN);
}

static void read_ip4(const uint8_t *ip, size_t size, struct frame_view *view)
{
    if (size < IP4_MIN)
        return;
    const size_t header = 4 * (size_t)(ip[0] & 15), total = get16(ip + 2);
    if (ip[0] >> 4 != 4 || header < IP4_MIN || total < header || total > size)
        return;
    view->kind = FRAME_PACKET;
    view->source = ip[15];
    view->destination = ip[19];
    const bool fragment = get16(ip + 6) & 0x3fff;
    if (ip[9] == PROTOCOL_TCP && !fragment)
        read_tcp(ip + header, total - header, view);
}

static void read_ip6(const uint8_t *ip, size_t size, struct frame_view *view)
{
    if (size < IP6)
        return;
    const size_t payload = get16(ip + 4);
    if (ip[0] >> 4 != 6 || payload > size - IP6)
        return;
    const uint8_t type = payload ? ip[IP6] : 0;
    if (ip[6] == PROTOCOL_ICMP6 && type >= NEIGHBOUR_FIRST && type <= NEIGHBOUR_LAST) {
        view->kind = FRAME_LOCAL;
        return;
    }
    view->kind = FRAME_PACKET;
    view->six = true;
    view->source = ip[23];
    view->destination = ip[39];
    if (ip[6] == PROTOCOL_TCP)
        read_tcp(ip + IP6, payload, view);
}

void frame_read(const uint8_t *bytes, size_t size, struct frame_view *view)
{
    *view = (struct frame_view){.kind = FRAME_MALFORMED};
    if (size < LINK)
        return;
    switch (get16(bytes + 12)) {
    case TYPE_IP4:
        read_ip4(bytes + LINK, size - LINK, view);
        break;
    case TYPE_IP6:
        read_ip6(bytes + LINK, size - LINK, view);
        break;
    default:
        view->kind = FRAME_LOCAL;
    }
}
