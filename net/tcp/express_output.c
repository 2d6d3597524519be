// Data of established connections by the fast path: one segment, headers made in advance.
// SPDX-License-Identifier: MIT
// @optimize speed
#include "../device/interface.h"
#include "express.h"

#include <baremetal/compiler.h>
#include <baremetal/random.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"

// Data that is one segment with nothing before it to be sent.
static bool is_one_segment(const struct tcp_pcb *c, u16_t length, u8_t flags)
{
    return flags == TCP_WRITE_FLAG_COPY && c->state == ESTABLISHED && !c->unsent && length &&
           length <= c->mss && length <= c->snd_wnd_max / 2 && length <= c->snd_buf &&
           c->snd_queuelen < TCP_SND_QUEUELEN && (!c->unacked || c->flags & TF_NODELAY);
}

BM_HOT err_t tcp_write(struct tcp_pcb *c, const void *data, u16_t length, u8_t flags)
{
    BM_NET_ASSERT_LOCKED();
    struct tcp_seg *segment = is_one_segment(c, length, flags) ? bm_net_segment_take(length) : NULL;
    if (!segment)
        return bm_net_lwip_write(c, data, length, flags);
    struct pbuf *buffer = segment->p;
    memcpy(buffer->payload, data, length);
    struct tcp_hdr *header = (struct tcp_hdr *)((u8_t *)buffer->payload - TCP_HLEN);
    *header = (struct tcp_hdr){.src = lwip_htons(c->local_port),
                               .dest = lwip_htons(c->remote_port),
                               .seqno = lwip_htonl(c->snd_lbb),
                               ._hdrlen_rsvd_flags = PP_HTONS(5 << 12 | TCP_ACK | TCP_PSH)};
    buffer->payload = header;
    buffer->len = buffer->tot_len = (u16_t)(length + TCP_HLEN);
    *segment = (struct tcp_seg){.p = buffer, .len = length, .tcphdr = header};
    c->unsent = segment;
    c->snd_lbb += length;
    c->snd_buf -= length;
    c->snd_queuelen++;
    return ERR_OK;
}

// A single segment that fits the send window, with nothing queued after it and nothing in flight.
static bool is_plain(const struct tcp_pcb *c, const struct tcp_seg *segment)
{
    u32_t window = LWIP_MIN(c->snd_wnd, c->cwnd);
    return c->state == ESTABLISHED && !segment->next && !c->unacked && !segment->flags && segment->len &&
           segment->p->ref == 1 && segment->p->payload == segment->tcphdr &&
           segment->p->type_internal == (u8_t)PBUF_RAM &&
           (segment->tcphdr->_hdrlen_rsvd_flags & (u16_t)~PP_HTONS(TCP_PSH | TCP_ACK)) == PP_HTONS(5 << 12) &&
           lwip_ntohl(segment->tcphdr->seqno) == c->snd_nxt &&
           c->snd_nxt - c->lastack + segment->len <= window && IP_IS_V4_VAL(c->remote_ip) &&
           c->netif_idx == NETIF_NO_INDEX;
}

static u16_t fold(u32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (u16_t)(sum + (sum >> 16));
}

static void tcp_header_finish(struct tcp_pcb *c, struct tcp_hdr *header, u32_t sum)
{
    u32_t window = c->rcv_ann_wnd >> c->rcv_scale;
    header->_hdrlen_rsvd_flags |= PP_HTONS(TCP_ACK);
    header->ackno = lwip_htonl(c->rcv_nxt);
    header->wnd = lwip_htons((u16_t)LWIP_MIN(window, 0xffff));
    header->chksum = fold(sum); // of the pseudo header; the rest is the device's
    c->rcv_ann_right_edge = c->rcv_nxt + c->rcv_ann_wnd;
}

static uint64_t identifications; // four in one draw

static BM_COLD void identifications_draw(void)
{
    static uint64_t state;
    if (!state)
        bm_random_fill(&state, sizeof state);
    state += 0x9e3779b97f4a7c15; // SplitMix64
    uint64_t mixed = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    identifications = mixed ^ mixed >> 31;
}

// Not a counter, which would tell strangers how much the machine sends. Never 0 with "don't fragment" (RFC
// 6864): lwIP finds no path MTU for IPv4, so packets may be fragmented on their way.
static inline u16_t identification_next(void)
{
    if (!identifications)
        identifications_draw();
    u16_t identification = (u16_t)identifications;
    identifications >>= 16;
    return identification;
}

u16_t bm_net_ip4_identification(void)
{
    return identification_next();
}

static void ip_header_put(const struct tcp_pcb *c, const struct bm_net_neighbour *neighbour,
                          struct ip_hdr *ip, u16_t length)
{
    u16_t id = identification_next();
    u32_t sum = neighbour->sum + lwip_htons(length) + id + c->ttl + ((u32_t)c->tos << 8);
    *ip = (struct ip_hdr){._v_hl = 0x45,
                          ._tos = c->tos,
                          ._len = lwip_htons(length),
                          ._id = id,
                          ._ttl = c->ttl,
                          ._proto = IP_PROTO_TCP,
                          ._chksum = (u16_t)~fold(sum),
                          .src.addr = neighbour->local,
                          .dest.addr = neighbour->remote};
}

static err_t segment_send(struct tcp_pcb *c, struct tcp_seg *segment, struct bm_net_neighbour *neighbour)
{
    struct pbuf *buffer = segment->p;
    struct bm_net_headers *headers = (void *)((u8_t *)segment->tcphdr - offsetof(struct bm_net_headers, tcp));
    tcp_header_finish(c, segment->tcphdr, neighbour->pseudo_sum + lwip_htons(buffer->tot_len));
    if (c->rtime < 0)
        c->rtime = 0;
    if (!c->rttest) {
        c->rttest = tcp_ticks;
        c->rtseq = c->snd_nxt;
    }
    c->persist_backoff = 0;
    ip_header_put(c, neighbour, &headers->ip, buffer->tot_len + IP_HLEN);
    headers->ethernet = neighbour->ethernet;
    buffer->payload = headers;
    buffer->len += (u16_t)offsetof(struct bm_net_headers, tcp);
    buffer->tot_len += (u16_t)offsetof(struct bm_net_headers, tcp);
    err_t error = bm_net_segment_output(neighbour->netif, buffer);
    if (error != ERR_OK) {
        tcp_set_flags(c, TF_NAGLEMEMERR); // it stays in the queue
        return error;
    }
    tcp_clear_flags(c, TF_ACK_DELAY | TF_ACK_NOW | TF_NAGLEMEMERR);
    c->unsent = NULL;
    c->unsent_oversize = 0;
    c->unacked = segment;
    c->snd_nxt += segment->len;
    return ERR_OK;
}

BM_HOT err_t tcp_output(struct tcp_pcb *c)
{
    BM_NET_ASSERT_LOCKED();
    struct tcp_seg *segment = c->unsent;
    if (tcp_input_pcb == c || (!segment && !(c->flags & (TF_ACK_NOW | TF_NAGLEMEMERR))))
        return ERR_OK;
    if (!segment || !is_plain(c, segment))
        return segment && segment->next ? bm_net_join_output(c) : bm_net_lwip_output(c);
    struct bm_net_neighbour *neighbour = bm_net_neighbour_find(ip4_addr_get_u32(ip_2_ip4(&c->remote_ip)),
                                                               ip4_addr_get_u32(ip_2_ip4(&c->local_ip)));
    if (neighbour && segment->p->tot_len + IP_HLEN <= neighbour->netif->mtu)
        return segment_send(c, segment, neighbour);
    err_t error = bm_net_lwip_output(c);
    if (error == ERR_OK)
        bm_net_neighbour_learn(ip4_addr_get_u32(ip_2_ip4(&c->remote_ip)),
                               ip4_addr_get_u32(ip_2_ip4(&c->local_ip)));
    return error;
}
