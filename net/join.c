// Consecutive TCP segments of a connection become one frame, which the device cuts up again.
// SPDX-License-Identifier: MIT
//
// For lwIP they stay segments of the usual size, so that windows, congestion control and retransmission know
// nothing of it. What tcp_output hands over while the core lock is held is put together here and sent when a
// frame comes that does not fit behind it, at the latest when the lock is released.
#include "interface.h"
#include "net.h"

#include <string.h>

#include "lwip/pbuf.h"

// Offsets in a frame without options.
enum {
    ETHERNET_HEADER = 14,
    TYPE_IP4 = 0x0800,
    TYPE_IP6 = 0x86dd,
    IP4_LENGTH = 16,
    IP4_CHECKSUM = 24,
    IP4_TCP = 34,
    IP6_LENGTH = 18,
    IP6_TCP = 54,
    TCP_HEADER = 20,
    TCP_FLAGS = 13
};
enum { PROTOCOL_TCP = 6, FLAG_PUSH = 8, FLAG_ACK = 16 };

static unsigned get16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static void put16(unsigned char *bytes, unsigned value)
{
    bytes[0] = (unsigned char)(value >> 8);
    bytes[1] = (unsigned char)value;
}

static uint32_t get32(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return __builtin_bswap32(value);
}

// Where the TCP header of a segment starts that others may follow: it carries data and nothing special, and
// the device can cut its kind. 0: it is none.
static unsigned tcp_of(const struct bm_net_interface *interface, const struct pbuf *frame)
{
    const unsigned char *bytes = frame->payload;
    uint32_t capabilities = interface->device->capabilities;
    unsigned type = get16(bytes + 12), tcp = 0;
    if (frame->len < IP4_TCP + TCP_HEADER)
        return 0;
    if (type == TYPE_IP4 && capabilities & BM_NETDEV_TSO4 && bytes[14] == 0x45 &&
        (get16(bytes + 20) & 0x3fff) == 0 && bytes[23] == PROTOCOL_TCP)
        tcp = IP4_TCP;
    else if (type == TYPE_IP6 && capabilities & BM_NETDEV_TSO6 && bytes[20] == PROTOCOL_TCP)
        tcp = IP6_TCP;
    if (!tcp || frame->len < tcp + TCP_HEADER || bytes[tcp + 12] != 0x50 ||
        (bytes[tcp + TCP_FLAGS] & ~FLAG_PUSH) != FLAG_ACK)
        return 0;
    return tcp;
}

static inline uint64_t difference(const unsigned char *a, const unsigned char *b)
{
    uint64_t mine, other;
    memcpy(&mine, a, sizeof mine);
    memcpy(&other, b, sizeof other);
    return mine ^ other;
}

// Whether the segment goes on where those that wait end, and its headers say the same but for lengths, sums
// and IPv4's identification.
static bool follows(const struct bm_net_interface *interface, const struct pbuf *frame)
{
    const struct bm_net_joined *join = &interface->join;
    const unsigned char *a = join->segments[0]->payload, *b = frame->payload;
    unsigned tcp = join->header - TCP_HEADER, addresses = join->is_ip6 ? 22 : 26;
    if (frame->len < join->header || get32(b + tcp + 4) != interface->join_next ||
        get32(a + 20) != get32(b + 20))
        return false;
    uint64_t found = difference(a, b) | difference(a + 8, b + 8) | difference(a + addresses, b + addresses);
    for (unsigned at = tcp - 4; at > addresses; at -= 8) // with the ports
        found |= difference(a + at, b + at);
    // From the acknowledgement to the window.
    found |= difference(a + tcp + 8, b + tcp + 8) & ~((uint64_t)FLAG_PUSH << 40);
    return found == 0;
}

// Whether the frame is the next segment and the joined frame still has room for it.
static bool fits(const struct bm_net_interface *interface, const struct pbuf *frame)
{
    const struct bm_net_joined *join = &interface->join;
    unsigned pieces = frame->next ? pbuf_clen(frame) : 1;
    return join->count && join->count < JOINED_MAX && frame->tot_len <= join->first_length &&
           frame->tot_len > join->header && !interface->join_ended &&
           interface->join_bytes + frame->tot_len <= UINT16_MAX &&
           interface->join_pieces + pieces <= BM_NETDEV_SEGMENTS_MAX && follows(interface, frame);
}

bool bm_net_join(struct bm_net_interface *interface, struct pbuf *frame)
{
    struct bm_net_joined *join = &interface->join;
    const unsigned char *bytes = frame->payload;
    if (!fits(interface, frame)) {
        bm_net_join_end(interface);
        unsigned tcp = tcp_of(interface, frame);
        if (!tcp || interface->waiting == INTERFACE_QUEUE_MAX || frame->tot_len < interface->join_least)
            return false;
        join->header = (uint16_t)(tcp + TCP_HEADER);
        join->first_length = frame->tot_len;
        join->is_ip6 = tcp == IP6_TCP;
        interface->join_bytes = join->header;
        interface->join_pieces = 0;
        interface->join_push = 0;
        interface->unflushed = true;
    }
    unsigned payload = frame->tot_len - join->header, tcp = join->header - TCP_HEADER;
    join->segments[join->count++] = frame;
    interface->join_bytes += payload;
    interface->join_next = get32(bytes + tcp + 4) + payload;
    interface->join_push |= bytes[tcp + TCP_FLAGS] & FLAG_PUSH;
    interface->join_pieces += frame->next ? pbuf_clen(frame) : 1;
    interface->join_ended = frame->tot_len < join->first_length;
    return true;
}

// The first segment's headers become those of all. lwIP writes them anew should it send that segment again.
static void headers_extend(const struct bm_net_interface *interface)
{
    unsigned char *bytes = interface->join.segments[0]->payload;
    unsigned tcp = interface->join.header - TCP_HEADER;
    if (!interface->join.is_ip6) {
        unsigned length = interface->join_bytes - ETHERNET_HEADER;
        uint32_t sum =
            (~get16(bytes + IP4_CHECKSUM) & 0xffff) + (~get16(bytes + IP4_LENGTH) & 0xffff) + length;
        sum = (sum & 0xffff) + (sum >> 16); // RFC 1624
        sum = (sum & 0xffff) + (sum >> 16);
        put16(bytes + IP4_CHECKSUM, ~sum);
        put16(bytes + IP4_LENGTH, length);
    } else {
        put16(bytes + IP6_LENGTH, interface->join_bytes - IP6_TCP);
    }
    bytes[tcp + TCP_FLAGS] |= interface->join_push;
}

void bm_net_join_end(struct bm_net_interface *interface)
{
    struct bm_net_joined *join = &interface->join;
    unsigned count = join->count;
    struct bm_net_joined *copy = count > 1 ? bm_net_allocate(sizeof *copy) : NULL;
    join->count = 0;
    if (copy) {
        headers_extend(interface);
        *copy = *join;
        copy->count = (uint16_t)count;
        bm_net_frame_output(interface, (char *)copy + JOINED_TAG);
        return;
    }
    for (unsigned i = 0; i < count; i++) // one, or no memory
        bm_net_frame_output(interface, join->segments[i]);
}
