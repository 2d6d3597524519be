// The peer: segments as the connection expects them, but for what the script has different.
// SPDX-License-Identifier: MIT
#include "peer.h"

#include "../../../net/device/hooks.h"
#include "../../../net/tcp/express.h"
#include "diary.h"
#include "machine.h"
#include "program.h"

#include <string.h>

#include "lwip/inet_chksum.h"
#include "netif/ethernet.h"

enum {
    IP = 14,
    TCP = IP + IP_HLEN,
    DATA = TCP + TCP_HLEN,
    DATA_MAX = 3000,
    STREAM = 1 << 14,
    OPTIONS_MAX = 40,
    PADDING_MAX = 256
};
_Static_assert(DATA + 2 * OPTIONS_MAX + DATA_MAX + PADDING_MAX <= FRAME_MAX, "each frame fits");

// What a segment can have that is unusual; `value` of the script says how much of it. Those before are plain.
enum oddity {
    ODD_NOT = 7,
    ODD_SUM,
    ODD_MORE_FRAGMENTS,
    ODD_FRAGMENT,
    ODD_DONT_FRAGMENT,
    ODD_IP_OPTIONS,
    ODD_LONGER,
    ODD_SHORTER,
    ODD_PADDED,
    ODD_CUT,
    ODD_PROTOCOL,
    ODD_ETHERTYPE,
    ODD_MULTICAST,
    ODD_TCP_LENGTH,
    ODD_TCP_OPTIONS,
    ODD_FLAGS,
    ODD_FIN,
    ODD_RESERVED,
    ODD_CHAIN,
    ODD_UNVERIFIED,
    ODD_DOWN,
    ODD_PORT,
    ODD_ADDRESS,
    ODD_JOINED,
    ODD_SERVICE,
    ODDITIES
};
_Static_assert(ODDITIES == 32, "five bits of the script");

struct segment {
    unsigned number;
    u32_t sequence, acknowledged;
    unsigned window, length, flags, odd, value;
    const uint8_t *options;
    unsigned options_length; // a multiple of 4
};

static uint8_t options_of[CONNECTIONS];
static u32_t sequence_start;

// What the peer knows of a connection, also when that is gone.
static struct {
    u32_t received, acknowledged, sent, first_end;
} known[CONNECTIONS];

void peer_reset(const uint8_t options[], const uint8_t numbers[5])
{
    memcpy(options_of, options, sizeof options_of);
    memset(known, 0, sizeof known);
    sequence_start = (numbers[4] & 1 ? 0xffff0000 : 0x7fff0000) | (u32_t)numbers[0] << 8 | numbers[1];
    isn_next = (numbers[4] & 2 ? 0xffff0000 : 0x7fff0000) | (u32_t)numbers[2] << 8 | numbers[3];
}

static void put16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, u32_t value)
{
    put16(bytes, value >> 16);
    put16(bytes + 2, value);
}

static unsigned ip_put(uint8_t *frame, const struct segment *s, unsigned tcp_length)
{
    uint8_t *ip = frame + IP;
    unsigned header = IP_HLEN + (s->odd == ODD_IP_OPTIONS ? s->value % 10 * 4 : 0),
             total = header + tcp_length;
    memcpy(frame, machine_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    put16(frame + 12, ETHTYPE_IP);
    memset(ip, 0, header);
    memset(ip + IP_HLEN, 1, header - IP_HLEN); // no operation
    ip[0] = (uint8_t)(0x40 | header / 4);
    put16(ip + 2, total + (s->odd == ODD_LONGER ? s->value + 1 : 0) - (s->odd == ODD_SHORTER ? s->value : 0));
    ip[8] = 64;
    ip[9] = IP_PROTO_TCP;
    memcpy(ip + 12, &peer_address, 4);
    memcpy(ip + 16, &machine_address, 4);
    return header;
}

static void ip_odd(uint8_t *frame, const struct segment *s)
{
    uint8_t *ip = frame + IP;
    switch (s->odd) {
    case ODD_MORE_FRAGMENTS:
        ip[6] = 0x20;
        break;
    case ODD_FRAGMENT:
        put16(ip + 6, s->value + 1);
        break;
    case ODD_DONT_FRAGMENT:
        ip[6] = (uint8_t)(s->value & 1 ? 0x40 : 0xc0);
        break;
    case ODD_PROTOCOL:
        ip[9] = (uint8_t)s->value;
        break;
    case ODD_ETHERTYPE:
        put16(frame + 12, s->value & 1 ? ETHTYPE_IPV6 : 0x0800 + s->value);
        break;
    case ODD_MULTICAST:
        memcpy(frame, s->value & 1 ? "\xff\xff\xff\xff\xff\xff" : "\x01\x00\x5e\x00\x00\x01", 6);
        break;
    case ODD_ADDRESS:
        ip[12 + s->value % 8] ^= (uint8_t)(s->value & 0xf8 ? s->value & 0xf8 : 0xff);
        break;
    case ODD_SERVICE:
        ip[1] = (uint8_t)s->value;
        ip[8] = (uint8_t)(s->value + 1);
        break;
    }
}

static void tcp_put(uint8_t *tcp, const struct segment *s, unsigned header)
{
    unsigned flags = (unsigned)header / 4 << 12 | s->flags;
    if (s->odd == ODD_TCP_LENGTH)
        flags = (flags & 0xfff) | (s->value & 15) << 12;
    if (s->odd == ODD_FLAGS)
        flags = (flags & 0xf000) | (s->value & 0xff);
    if (s->odd == ODD_FIN)
        flags |= TCP_FIN;
    if (s->odd == ODD_RESERVED)
        flags |= (s->value & 15) << 8;
    put16(tcp, PEER_PORT + s->number + (s->odd == ODD_PORT ? s->value : 0));
    put16(tcp + 2, LOCAL_PORT);
    put32(tcp + 4, s->sequence);
    put32(tcp + 8, s->acknowledged);
    put16(tcp + 12, flags);
    put16(tcp + 14, s->window);
    put32(tcp + 16, 0); // the device has verified the sum
}

// The stream's bytes follow from their sequence numbers.
static void data_put(uint8_t *data, const struct segment *s)
{
    static uint8_t stream[STREAM + DATA_MAX];
    static bool filled;
    for (unsigned i = 0; !filled && i < sizeof stream; i++)
        stream[i] = (uint8_t)(i % STREAM * 40503 >> 8);
    filled = true;
    memcpy(data, stream + s->sequence % STREAM, s->length);
}

static void receive(struct pbuf *frame, const struct segment *s)
{
    u8_t flags = machine_netif.flags;
    if (s->odd == ODD_UNVERIFIED)
        machine_netif.chksum_flags |= NETIF_CHECKSUM_CHECK_TCP;
    if (s->odd == ODD_DOWN)
        machine_netif.flags &= (u8_t)~NETIF_FLAG_UP;
    bool taken = short_way && s->odd != ODD_UNVERIFIED && bm_net_express_input(&machine_netif, frame);
    if (taken && bm_net_raw_used)
        diary_fail("a segment takes the fast path that raw sockets are to see");
    if (!taken && ethernet_input(frame, &machine_netif) != ERR_OK)
        pbuf_free(frame);
    machine_netif.flags = flags;
    machine_netif.chksum_flags &= (u16_t)~NETIF_CHECKSUM_CHECK_TCP;
}

static void send_frame(const struct segment *s)
{
    uint8_t frame[FRAME_MAX];
    unsigned tcp_header = TCP_HLEN + s->options_length, tcp_length = tcp_header + s->length;
    unsigned ip_header = ip_put(frame, s, tcp_length), end = IP + ip_header + tcp_length;
    uint8_t *tcp = frame + IP + ip_header;
    ip_odd(frame, s);
    u16_t sum = inet_chksum(frame + IP, (u16_t)ip_header);
    memcpy(frame + IP + 10, &sum, sizeof sum);
    if (s->odd == ODD_SUM)
        frame[IP + 10 + (s->value & 1)] ^= (uint8_t)(s->value | 1);
    tcp_put(tcp, s, tcp_header);
    if (s->options_length)
        memcpy(tcp + TCP_HLEN, s->options, s->options_length);
    data_put(tcp + tcp_header, s);
    unsigned length = end, split = 0;
    if (s->odd == ODD_PADDED) {
        length += s->value;
        memset(frame + end, 0, s->value);
    } else if (s->odd == ODD_CUT) {
        length = s->value % end + 1;
    } else if (s->odd == ODD_CHAIN) {
        split = IP + s->value;
    }
    receive(frame_make(frame, length, split), s);
}

static void learn(unsigned number)
{
    const struct tcp_pcb *c = program_connection(number);
    if (!c)
        return;
    known[number].received = c->rcv_nxt;
    known[number].acknowledged = c->lastack;
    known[number].sent = c->snd_nxt;
    known[number].first_end =
        c->unacked ? lwip_ntohl(c->unacked->tcphdr->seqno) + c->unacked->len : c->snd_nxt;
}

void peer_connect(unsigned number)
{
    const struct tcp_pcb *c = program_connection(number);
    if (c && c->state != TIME_WAIT)
        return;
    static const uint8_t scales[] = {0, 2, 7, 14};
    uint8_t wanted = options_of[number],
            options[12] = {2, 4, 5, 0xb4, 1, 3, 3, scales[wanted >> 6], 1, 1, 4, 2};
    if (wanted & OPTION_SMALL)
        put16(options + 2, 536);
    if (!(wanted & OPTION_SCALE))
        memset(options + 4, 1, 4);
    if (!(wanted & OPTION_SACK))
        memset(options + 8, 1, 4);
    sequence_start += 0x1000;
    isn_next += 0x1000;
    struct segment s = {.number = number,
                        .sequence = sequence_start,
                        .window = 0xffff,
                        .flags = TCP_SYN,
                        .options = options,
                        .options_length = sizeof options};
    send_frame(&s);
    s.sequence++;
    s.acknowledged = isn_next + 1;
    s.flags = TCP_ACK;
    s.options_length = 0;
    send_frame(&s);
    learn(number);
}

static u32_t sequence_wanted(unsigned number, unsigned mode, unsigned value)
{
    u32_t next = known[number].received;
    switch (mode) {
    case 5:
        return next - value;
    case 6:
        return next + value;
    case 7:
        return next + value * 1000;
    default:
        return next;
    }
}

static u32_t acknowledgement_wanted(unsigned number, unsigned mode, unsigned value)
{
    u32_t low = known[number].acknowledged, high = known[number].sent;
    switch (mode) {
    case 2:
        return low;
    case 3:
        return low + (u32_t)((uint64_t)(high - low) * value / 255);
    case 4:
        return known[number].first_end;
    case 5:
        return low - value;
    case 6:
        return high + value;
    case 7:
        return high - 1;
    default:
        return high;
    }
}

static unsigned length_wanted(unsigned mode, unsigned value)
{
    const unsigned lengths[] = {0, value, TCP_MSS, value * 6};
    return LWIP_MIN(lengths[mode], TCP_MSS);
}

// The script: how sequence number, acknowledgement and length are chosen; the amount for that; the window;
// PSH and what is unusual; the amount of that.
void peer_segment(unsigned number, const uint8_t script[PEER_SEGMENT_BYTES])
{
    static const uint8_t no_operations[OPTIONS_MAX] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
    unsigned window = script[2];
    learn(number);
    struct segment s = {.number = number,
                        .sequence = sequence_wanted(number, script[0] & 7, script[1]),
                        .acknowledged = acknowledgement_wanted(number, script[0] >> 3 & 7, script[1]),
                        .length = length_wanted(script[0] >> 6, script[1]),
                        .window = window < 16 ? window : window << 8 | window,
                        .flags = script[3] & 0x20 ? TCP_ACK | TCP_PSH : TCP_ACK,
                        .odd = script[3] & 31,
                        .value = script[4],
                        .options = no_operations};
    if (s.odd == ODD_TCP_OPTIONS)
        s.options_length = (s.value % 10 + 1) * 4;
    if (s.odd == ODD_JOINED)
        s.length = TCP_MSS + s.value * 6;
    send_frame(&s);
    learn(number);
}

void peer_burst(unsigned number, unsigned count)
{
    const uint8_t full[PEER_SEGMENT_BYTES] = {2 << 6, 0, 0xff, 0, 0};
    while (count--)
        peer_segment(number, full);
}
