// Frames, written from the inside out.
// SPDX-License-Identifier: MIT
#include "frame.h"

#include "machine.h"
#include "neighbours.h"
#include "script.h"

#include <string.h>

enum { FRONT = 512, BODY_MAX = 16384, FRAME_MIN = 60, IP4 = 20, IP6 = 40, FRAGMENT = 44 };
static uint8_t room[FRONT + BODY_MAX];
static unsigned first, behind, vlan;

void frame_vlan(unsigned number)
{
    vlan = number;
}

void frame_begin(void)
{
    first = behind = FRONT;
}

unsigned frame_length(void)
{
    return behind - first;
}

void frame_put(const void *bytes, unsigned count)
{
    if (count > sizeof room - behind)
        count = (unsigned)sizeof room - behind;
    memcpy(room + behind, bytes, count);
    behind += count;
}

void frame_put8(unsigned value)
{
    uint8_t byte = (uint8_t)value;
    frame_put(&byte, 1);
}

void frame_put16(unsigned value)
{
    frame_put8(value >> 8);
    frame_put8(value);
}

void frame_put32(uint32_t value)
{
    frame_put16(value >> 16);
    frame_put16(value);
}

void frame_put_ethernet(const uint8_t to[6], unsigned type)
{
    frame_put(to, 6);
    frame_put(neighbour_mac, 6);
    if (vlan)
        frame_put32(0x81000000 | vlan);
    frame_put16(type);
}

void frame_put_text(unsigned count)
{
    unsigned seed = script_byte();
    while (count--)
        frame_put8(seed++ * 167);
}

uint8_t *frame_front(unsigned count)
{
    first -= count <= first ? count : first;
    return room + first;
}

static void put16_at(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

// --- What is odd ---

static void change(uint8_t *bytes, unsigned length)
{
    unsigned times = script_odd(24) ? 1 + script_below(3) : 0;
    while (times-- && length) {
        unsigned at = (script_byte() << 8 | script_byte()) % length, how = script_byte();
        if (length > 64 && how & 0x80) // headers are more interesting than data
            at %= 64;
        bytes[at] = (uint8_t)(how & 0x40 ? script_byte() : bytes[at] ^ 1u << how % 8);
    }
}

void frame_deliver(bool vouched)
{
    machine_receive(room + first, frame_length(), vouched);
}

void frame_odd_deliver(void)
{
    while (frame_length() < FRAME_MIN) // as Ethernet does
        frame_put8(0);
    change(room + first, frame_length());
    if (script_odd(6))
        behind = first + script_word() % (frame_length() + 1);
    if (script_odd(4))
        frame_put_text(script_byte());
    if (frame_length())
        frame_deliver(script_odd(32));
}

// --- Checksums ---

static uint32_t sum_add(uint32_t sum, const uint8_t *bytes, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
    return sum;
}

static unsigned sum_end(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void checksum(const struct ends *ends, unsigned protocol)
{
    static const struct {
        uint8_t protocol, place;
        bool pseudo;
    } known[] = {{1, 2, false}, {2, 2, false}, {6, 16, true}, {17, 6, true}, {58, 2, true}};
    unsigned length = frame_length(), size = ends->ip6 ? 16 : 4;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].protocol != protocol || length < known[i].place + 2u)
            continue;
        uint8_t *place = room + first + known[i].place;
        put16_at(place, 0);
        uint32_t sum = sum_add(0, room + first, length);
        if (known[i].pseudo)
            sum = sum_add(sum_add(sum + protocol + length, ends->from, size), ends->to, size);
        sum = sum_end(sum);
        put16_at(place, protocol == 17 && sum == 0 ? 0xffff : sum);
    }
}

// --- Headers ---

// A group's Ethernet address follows from its IP address.
static void ethernet(const struct ends *ends)
{
    unsigned type = ends->ip6 ? 0x86dd : 0x0800;
    if (vlan || script_odd(4)) {
        put16_at(frame_front(2), type);
        put16_at(frame_front(2), vlan ? vlan : 0xe000); // at least a priority
        type = 0x8100;
    }
    uint8_t *header = frame_front(14);
    memcpy(header, machine_mac, 6);
    if (ends->broadcast)
        memset(header, 0xff, 6);
    else if (ends->ip6 && ends->to[0] == 0xff)
        memcpy(memcpy(header, "\x33\x33", 2) + 2, ends->to + 12, 4);
    else if (!ends->ip6 && ends->to[0] >> 4 == 0xe)
        memcpy(memcpy(header, "\x01\x00\x5e", 3) + 3, ends->to + 1, 3);
    memcpy(header + 6, neighbour_mac, 6);
    put16_at(header + 12, type);
}

static void header4(const struct ends *ends, unsigned protocol, unsigned id, unsigned offset, bool exactly)
{
    unsigned options = ends->alert ? 4 : !exactly && script_odd(6) ? script_below(11) * 4 : 0;
    uint8_t *header = frame_front(IP4 + options);
    memset(header, 0, IP4);
    for (unsigned i = 0; i < options; i++)
        header[IP4 + i] = (uint8_t)script_byte();
    if (ends->alert)
        memcpy(header + IP4, "\x94\x04\0", 4);
    header[0] = (uint8_t)(0x40 | (IP4 + options) / 4);
    put16_at(header + 2, frame_length());
    put16_at(header + 4, id);
    put16_at(header + 6, offset);
    header[8] = ends->hops;
    header[9] = (uint8_t)protocol;
    memcpy(header + 12, ends->from, 4);
    memcpy(header + 16, ends->to, 4);
    if (!exactly) {
        put16_at(header + 2, script_near(frame_length()));
        change(header, IP4);
        put16_at(header + 10, 0);
    }
    put16_at(header + 10, sum_end(sum_add(0, header, IP4 + options)));
}

// Headers between IPv6's and the payload. Returns what the first one is.
static unsigned extensions(unsigned next)
{
    static const uint8_t kinds[] = {0, 43, 60, 44, 0, 60, 50, 59};
    unsigned number = script_odd(12) ? 1 + script_below(4) : 0;
    while (number--) {
        unsigned kind = kinds[script_below(8)], length = kind == 44 ? 8 : (script_below(3) + 1) * 8;
        uint8_t *header = frame_front(length);
        memset(header, 0, length);
        header[0] = (uint8_t)next;
        header[1] = (uint8_t)script_near(kind == 44 ? 0 : length / 8 - 1);
        header[2] = (uint8_t)(kind == 44 ? 0 : script_near(1)); // an option that pads
        header[3] = (uint8_t)(kind == 44 ? script_near(0) : script_near(length - 4));
        change(header, length);
        next = kind;
    }
    return next;
}

static void header6(const struct ends *ends, unsigned next, bool exactly)
{
    if (!exactly)
        next = extensions(next);
    if (ends->alert) {
        uint8_t *alert = frame_front(8);
        memcpy(alert, "\0\0\x05\x02\0\0\x01\0", 8);
        alert[0] = (uint8_t)next;
        next = 0;
    }
    unsigned length = frame_length();
    uint8_t *header = frame_front(IP6);
    memset(header, 0, 8);
    header[0] = 0x60;
    put16_at(header + 4, exactly ? length : script_near(length));
    header[6] = (uint8_t)next;
    header[7] = ends->hops;
    memcpy(header + 8, ends->from, 16);
    memcpy(header + 24, ends->to, 16);
    if (!exactly)
        change(header, IP6);
}

void frame_send_exactly(const struct ends *ends, unsigned protocol)
{
    checksum(ends, protocol);
    if (ends->ip6)
        header6(ends, protocol, true);
    else
        header4(ends, protocol, 0, 0, true);
    ethernet(ends);
    frame_deliver(false);
}

// --- Fragments ---

static void piece_send(const struct ends *ends, unsigned protocol, unsigned id, unsigned offset, bool more)
{
    offset = script_near(offset / 8);
    if (ends->ip6) {
        uint8_t *header = frame_front(8);
        memset(header, 0, 8);
        header[0] = (uint8_t)protocol;
        put16_at(header + 2, offset << 3 | more);
        put16_at(header + 6, id);
        header6(ends, FRAGMENT, false);
    } else {
        header4(ends, protocol, id, (offset & 0x1fff) | (more ? 0x2000u : 0), false);
    }
    ethernet(ends);
    frame_odd_deliver();
}

void frame_send_pieces(const struct ends *ends, unsigned protocol)
{
    static uint8_t whole[BODY_MAX];
    checksum(ends, protocol);
    unsigned length = frame_length(), size = (script_byte() + 1) * (script_odd(128) ? 8 : 128) % 1408 + 8u;
    unsigned id = script_below(8), order = script_byte(), count = (length + size - 1) / size;
    memcpy(whole, room + first, length);
    if (count > 16)
        count = 16;
    for (unsigned i = 0; i < count; i++) {
        unsigned number = order & 1 ? count - 1 - i : i, offset = number * size;
        if (order & 2 && i == order >> 5) // one is missing
            continue;
        unsigned rest = length - offset;
        frame_begin();
        frame_put(whole + offset, rest < size ? rest : size);
        if (order & 4)
            frame_put(whole, script_below(32) * 8); // overlaps the next one
        piece_send(ends, protocol, id, offset, offset + size < length);
        if (order & 8 && i == order >> 5) // one comes twice
            frame_odd_deliver();
    }
}

void frame_send(const struct ends *ends, unsigned protocol)
{
    change(room + first, frame_length());
    if (frame_length() > 1400 || script_odd(8)) {
        frame_send_pieces(ends, protocol);
        return;
    }
    checksum(ends, protocol);
    if (script_odd(6))
        change(room + first, frame_length()); // now its checksum is wrong
    if (ends->ip6)
        header6(ends, protocol, false);
    else
        header4(ends, protocol, script_byte(), script_near(0x4000), false);
    ethernet(ends);
    frame_odd_deliver();
}

void frame_send_udp(const struct ends *ends, unsigned from_port, unsigned to_port)
{
    unsigned length = frame_length() + 8;
    uint8_t *header = frame_front(8);
    put16_at(header, from_port);
    put16_at(header + 2, to_port);
    put16_at(header + 4, script_near(length));
    put16_at(header + 6, 0);
    frame_send(ends, 17);
}
