// Consecutive TCP segments become one frame, which the device cuts up again.
// SPDX-License-Identifier: MIT
// @optimize size
//
// For lwIP they stay segments of the usual size, so that windows, congestion control and retransmission know
// nothing of it. Of a run of new segments lwIP sends the first; when its frame reaches a device that can cut
// frames up, the data of the others goes with it. They need no headers of their own then.
#include "../device/hooks.h"
#include "../device/interface.h"
#include "../lwip/memory.h"
#include "express.h"

enum { IP4_LENGTH = 16, IP4_CHECKSUM = 24, IP6_LENGTH = 18, FLAGS_OFFSET = 13, LENGTH_MAX = 65535 };

struct pbuf *bm_net_join_first;
static struct bm_net_joined run; // that starts with it
static u32_t run_bytes;          // of data
static u16_t run_flags;          // TCP's, of any of them

static u32_t sequence_of(const struct tcp_seg *segment)
{
    return lwip_ntohl(segment->tcphdr->seqno);
}

// Data that was never sent, without options and with no flag but ACK and PSH.
static bool is_new(const struct tcp_seg *segment)
{
    return segment->p->ref == 1 && !segment->flags && segment->p->payload == segment->tcphdr &&
           (segment->tcphdr->_hdrlen_rsvd_flags & (u16_t)~PP_HTONS(TCP_PSH | TCP_ACK)) == PP_HTONS(5 << 12);
}

// Whether lwIP would wait with a small segment at the end (RFC 896).
static bool is_held(const struct tcp_pcb *c, const struct tcp_seg *segment)
{
    return !segment->next && segment->len < c->mss && !(c->flags & (TF_NODELAY | TF_FIN));
}

// Finds the run of segments of one size that may be sent now; the last one may have less. Returns whether it
// is more than one.
static bool run_find(const struct tcp_pcb *c)
{
    u32_t window = LWIP_MIN(c->snd_wnd, c->cwnd), sent = c->snd_nxt - c->lastack, pieces = 0;
    const struct tcp_seg *segment = c->unsent;
    run.count = 0;
    run.payload = segment->len;
    run_bytes = run_flags = 0;
    for (; segment; segment = segment->next) {
        pieces += segment->p->next ? pbuf_clen(segment->p) : 1;
        u32_t bytes = run_bytes + segment->len;
        if (!is_new(segment) || sequence_of(segment) != c->snd_nxt + run_bytes || sent + bytes > window ||
            segment->len > run.payload || is_held(c, segment) || run.count == JOINED_MAX ||
            pieces > BM_NETDEV_SEGMENTS_MAX || bytes + JOINED_HEADER_MAX > LENGTH_MAX)
            break;
        run_bytes = bytes;
        run_flags |= segment->tcphdr->_hdrlen_rsvd_flags;
        run.segments[run.count++] = segment->p;
        if (segment->len < run.payload)
            break;
    }
    return run.count > 1;
}

// The others have been sent with the first one.
static void followers_sent(struct tcp_pcb *c, struct tcp_seg *last)
{
    for (unsigned i = 1; i < run.count; i++) {
        struct tcp_seg *segment = c->unsent;
        c->unsent = segment->next;
        TCPH_SET_FLAG(segment->tcphdr, TCP_ACK);
        c->snd_nxt += segment->len;
        last = last->next = segment;
    }
    last->next = NULL;
}

err_t bm_net_join_output(struct tcp_pcb *c)
{
    struct tcp_seg *first;
    u16_t oversize = c->unsent_oversize; // room in the last segment, which lwIP forgets when it sees no other
    while ((first = c->unsent) && run_find(c)) {
        struct tcp_seg *others = first->next;
        first->next = NULL;
        bm_net_join_first = first->p;
        bm_net_lwip_output(c);
        bool joined = !bm_net_join_first;
        bm_net_join_first = NULL;
        if (c->unsent) { // it could not be sent
            first->next = others;
            break;
        }
        c->unsent = others; // the first one is the last of those to be acknowledged
        if (!joined)
            break;
        followers_sent(c, first);
    }
    if (c->unsent)
        c->unsent_oversize = oversize;
    return c->unsent ? bm_net_lwip_output(c) : ERR_OK;
}

static void put16(u8_t *bytes, u32_t value)
{
    bytes[0] = (u8_t)(value >> 8);
    bytes[1] = (u8_t)value;
}

static u32_t get16(const u8_t *bytes)
{
    return (u32_t)bytes[0] << 8 | bytes[1];
}

// The first segment's headers become those of all. lwIP writes them anew should it send that segment again.
static void headers_extend(u8_t *bytes, u32_t length, bool is_ip6)
{
    if (is_ip6) {
        put16(bytes + IP6_LENGTH, length - SIZEOF_ETH_HDR - IP6_HLEN);
    } else {
        length -= SIZEOF_ETH_HDR;
        u32_t sum = (~get16(bytes + IP4_CHECKSUM) & 0xffff) + (~get16(bytes + IP4_LENGTH) & 0xffff) + length;
        sum = (sum & 0xffff) + (sum >> 16); // RFC 1624
        put16(bytes + IP4_CHECKSUM, ~((sum & 0xffff) + (sum >> 16)));
        put16(bytes + IP4_LENGTH, length);
    }
    if (run_flags & PP_HTONS(TCP_PSH))
        bytes[run.header - TCP_HLEN + FLAGS_OFFSET] |= TCP_PSH;
}

bool bm_net_join(struct bm_net_interface *interface, struct pbuf *frame)
{
    run.header = (u16_t)(frame->tot_len - run.payload);
    run.is_ip6 = run.header == JOINED_HEADER_MAX;
    if (!(interface->device->capabilities & (run.is_ip6 ? BM_NETDEV_TSO6 : BM_NETDEV_TSO4)) ||
        interface->waiting == INTERFACE_QUEUE_MAX)
        return false;
    struct bm_net_joined *joined = bm_net_allocate(sizeof *joined);
    if (!joined)
        return false;
    headers_extend(frame->payload, run.header + run_bytes, run.is_ip6);
    *joined = run;
    for (unsigned i = 0; i < joined->count; i++)
        pbuf_ref(joined->segments[i]);
    bm_net_frame_output(interface, (char *)joined + JOINED_TAG);
    bm_net_join_first = NULL;
    return true;
}

// lwIP does not wait for a queue.
void bm_net_room(struct bm_net_interface *interface)
{
    (void)interface;
}
