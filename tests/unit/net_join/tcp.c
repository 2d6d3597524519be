// A TCP connection with segments to send, and what lwIP and a device that cuts frames up do with it.
// SPDX-License-Identifier: MIT
#include "tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEADROOM = 54, ETHERNET = 14 };

struct sent sent[FRAMES];
unsigned sent_count;
bool is_ip6;

u16_t pbuf_clen(const struct pbuf *buffers)
{
    u16_t count = 0;
    for (; buffers; buffers = buffers->next)
        count++;
    return count;
}

void pbuf_ref(struct pbuf *buffers)
{
    buffers->ref++;
}

struct tcp_pcb *connection_make(void)
{
    struct tcp_pcb *c = calloc(1, sizeof *c);
    c->mss = 1460;
    c->snd_wnd = c->cwnd = 1 << 20;
    c->snd_nxt = c->lastack = 0xffff0000;
    return c;
}

static void segments_free(struct tcp_seg *segment)
{
    while (segment) {
        struct tcp_seg *next = segment->next;
        char *start = (char *)segment->tcphdr - HEADROOM;
        for (struct pbuf *p = segment->p->next, *then; p; p = then) {
            then = p->next;
            free(p->payload);
            free(p);
        }
        free(start);
        free(segment->p);
        free(segment);
        segment = next;
    }
}

void connection_free(struct tcp_pcb *c)
{
    segments_free(c->unsent);
    segments_free(c->unacked);
    free(c);
}

static struct pbuf *buffer_make(unsigned headers, unsigned length)
{
    struct pbuf *p = calloc(1, sizeof *p);
    u8_t *memory = malloc(headers + length);
    for (unsigned i = 0; i < headers + length; i++)
        memory[i] = (u8_t)rand();
    *p = (struct pbuf){.payload = memory, .len = (u16_t)length, .ref = 1};
    return p;
}

struct tcp_seg *segment_add(struct tcp_pcb *c, unsigned length, unsigned flags, unsigned pieces)
{
    struct tcp_seg **tail = &c->unsent, *segment = calloc(1, sizeof *segment);
    u32_t sequence = c->snd_nxt;
    for (; *tail; tail = &(*tail)->next)
        sequence = lwip_ntohl((*tail)->tcphdr->seqno) + (*tail)->len;
    struct pbuf *p = buffer_make(HEADROOM + TCP_HLEN, pieces == 1 ? length : 0), **last = &p->next;
    struct tcp_hdr *header = (struct tcp_hdr *)((u8_t *)p->payload + HEADROOM);
    *header =
        (struct tcp_hdr){.seqno = lwip_htonl(sequence), ._hdrlen_rsvd_flags = PP_HTONS(5 << 12 | flags)};
    for (unsigned i = 1; i < pieces; i++, last = &(*last)->next)
        *last = buffer_make(0, length * i / (pieces - 1) - length * (i - 1) / (pieces - 1));
    p->payload = header;
    p->len = (u16_t)(p->len + TCP_HLEN);
    p->tot_len = (u16_t)(length + TCP_HLEN);
    *segment = (struct tcp_seg){.p = p, .len = (u16_t)length, .tcphdr = header};
    return *tail = segment;
}

static void put16(u8_t *at, unsigned value)
{
    at[0] = (u8_t)(value >> 8);
    at[1] = (u8_t)value;
}

static unsigned get16(const u8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static unsigned ip_sum(const u8_t *header) // RFC 1071
{
    u32_t sum = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += get16(header + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

static void headers_add(struct pbuf *p)
{
    unsigned more = is_ip6 ? 54 : 34;
    u8_t *bytes = p->payload = (u8_t *)p->payload - more;
    p->len = (u16_t)(p->len + more);
    p->tot_len = (u16_t)(p->tot_len + more);
    if (is_ip6) {
        put16(bytes + 18, p->tot_len - 54);
        return;
    }
    put16(bytes + 16, p->tot_len - ETHERNET);
    put16(bytes + 24, 0);
    put16(bytes + 24, ~ip_sum(bytes + ETHERNET) & 0xffff);
}

// Nagle's rule, as lwIP has it.
static bool nagle_sends(const struct tcp_pcb *c)
{
    return !c->unacked || c->flags & (TF_NODELAY | TF_FIN) || c->unsent->next || c->unsent->len >= c->mss;
}

void output(struct tcp_pcb *c, void (*link)(struct pbuf *frame))
{
    u32_t window = LWIP_MIN(c->snd_wnd, c->cwnd);
    struct tcp_seg *segment;
    while ((segment = c->unsent) &&
           lwip_ntohl(segment->tcphdr->seqno) - c->lastack + segment->len <= window && nagle_sends(c)) {
        TCPH_SET_FLAG(segment->tcphdr, TCP_ACK);
        if (segment->p->ref == 1) { // else the device has it still
            unsigned before = (unsigned)((u8_t *)segment->tcphdr - (u8_t *)segment->p->payload);
            segment->p->payload = segment->tcphdr;
            segment->p->len = (u16_t)(segment->p->len - before);
            segment->p->tot_len = (u16_t)(segment->p->tot_len - before);
            headers_add(segment->p);
            link(segment->p);
        }
        c->unsent = segment->next;
        u32_t end = lwip_ntohl(segment->tcphdr->seqno) + segment->len;
        if ((int32_t)(end - c->snd_nxt) > 0)
            c->snd_nxt = end;
        struct tcp_seg **tail = &c->unacked;
        while (*tail)
            tail = &(*tail)->next;
        segment->next = NULL;
        *tail = segment;
    }
}

static unsigned flatten(const struct pbuf *frame, u8_t *bytes)
{
    unsigned length = 0;
    for (; frame; frame = frame->next) {
        memcpy(bytes + length, frame->payload, frame->len);
        length += frame->len;
    }
    return length;
}

static void wire(const struct tcp_hdr *header, u32_t sequence, const u8_t *data, unsigned length, bool last)
{
    assert_true(sent_count < FRAMES && length <= LENGTH_MAX);
    struct sent *one = &sent[sent_count++];
    u16_t flags = (u16_t)__builtin_bswap16(header->_hdrlen_rsvd_flags);
    *one = (struct sent){.sequence = sequence, .flags = flags & (u16_t)~TCP_PSH, .length = (u16_t)length};
    one->pushed = last && flags & TCP_PSH;
    memcpy(one->data, data, length);
}

void wire_single(const struct pbuf *frame)
{
    u8_t bytes[LENGTH_MAX + 100];
    unsigned header = is_ip6 ? 74 : 54, length = flatten(frame, bytes);
    const struct tcp_hdr *tcp = (const struct tcp_hdr *)(bytes + header - TCP_HLEN);
    wire(tcp, lwip_ntohl(tcp->seqno), bytes + header, length - header, true);
}

void wire_joined(struct pbuf *const *segments, unsigned count, unsigned payload)
{
    static u8_t bytes[65536 + LENGTH_MAX];
    unsigned header = is_ip6 ? 74 : 54, total = flatten(segments[0], bytes);
    for (unsigned i = 1; i < count; i++) {
        u8_t one[LENGTH_MAX + 100];
        unsigned length = flatten(segments[i], one) - TCP_HLEN;
        assert_true(total + length <= 65535);
        memcpy(bytes + total, one + TCP_HLEN, length);
        total += length;
    }
    assert_int_equal(get16(bytes + (is_ip6 ? 18 : 16)), total - (is_ip6 ? 54 : ETHERNET));
    if (!is_ip6)
        assert_int_equal(ip_sum(bytes + ETHERNET), 0xffff);
    const struct tcp_hdr *tcp = (const struct tcp_hdr *)(bytes + header - TCP_HLEN);
    u32_t sequence = lwip_ntohl(tcp->seqno);
    for (unsigned at = header; at < total; at += payload, sequence += payload)
        wire(tcp, sequence, bytes + at, LWIP_MIN(payload, total - at), at + payload >= total);
}
