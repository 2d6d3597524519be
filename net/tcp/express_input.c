// Received segments of established connections by the fast path: header prediction.
// SPDX-License-Identifier: MIT
// @optimize size
//
// What is taken: IPv4 without fragments and options; TCP without options and with no flag but ACK and PSH;
// the next data in order, or an acknowledgement of what is on its way; a connection with nothing unusual
// going on. RFC 9293 (section numbers below), RFC 5681 and RFC 6298 say what is to be done.
#include "express_plain.h"

#include "../device/hooks.h"

#include <baremetal/compiler.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/ip.h"

// Flags of connections that lwIP is to look after: recovering from loss, or ending.
enum { FLAGS_UNUSUAL = TF_INFR | TF_RTO | TF_RXCLOSED | TF_FIN | TF_CLOSEPEND };

bool bm_net_raw_used;
static bool close_wanted; // by the callback that is running

void bm_net_close_later(void)
{
    close_wanted = true;
    tcp_trigger_input_pcb_close();
}

// Whether the frame is of the kind that is taken; *length: bytes of data.
static bool headers_are_plain(const struct pbuf *frame, u16_t *length)
{
    const struct bm_net_headers *headers = frame->payload;
    unsigned total;
    if (!bm_net_frame_is_plain(frame, &total))
        return false;
    *length = (u16_t)(total - IP_HLEN - TCP_HLEN);
    return (headers->tcp._hdrlen_rsvd_flags & (u16_t)~PP_HTONS(TCP_PSH)) == PP_HTONS(5 << 12 | TCP_ACK) &&
           bm_net_ip_sum_is_right(&headers->ip);
}

// A receive window that is full, or overdrawn, is lwIP's to answer.
static bool is_predicted(const struct tcp_pcb *c, u32_t sequence, u32_t acknowledged, u16_t length)
{
    u32_t news = acknowledged - c->lastack;
    return c->state == ESTABLISHED && sequence == c->rcv_nxt && !(c->flags & FLAGS_UNUSUAL) && !c->ooseq &&
           !c->refused_data && !LWIP_TCP_SACK_VALID(c, 0) && length <= c->rcv_wnd && length <= TCP_MSS &&
           (s32_t)c->rcv_wnd > 0 && news <= c->snd_nxt - c->lastack && (news || length) &&
           (!c->unsent || TCP_SEQ_GEQ(lwip_ntohl(c->unsent->tcphdr->seqno), acknowledged));
}

// Section 3.10.7.4, fifth step: the send window.
static void window_update(struct tcp_pcb *c, u32_t sequence, u32_t acknowledged, u16_t announced)
{
    u32_t window = (u32_t)announced << c->snd_scale;
    if (TCP_SEQ_LT(c->snd_wl1, sequence) ||
        (c->snd_wl1 == sequence && TCP_SEQ_LEQ(c->snd_wl2, acknowledged))) {
        c->snd_wnd = window;
        c->snd_wl1 = sequence;
        c->snd_wl2 = acknowledged;
        if (window > c->snd_wnd_max)
            c->snd_wnd_max = window;
    }
}

// RFC 5681, section 3.1 with the byte counting of RFC 3465.
static void window_grow(struct tcp_pcb *c, u32_t news)
{
    u32_t more = 0;
    if (c->cwnd < c->ssthresh) {
        more = LWIP_MIN(news, 2u * c->mss);
    } else {
        c->bytes_acked += news;
        if (c->bytes_acked >= c->cwnd) {
            c->bytes_acked -= c->cwnd;
            more = c->mss;
        }
    }
    c->cwnd = c->cwnd + more < c->cwnd ? UINT32_MAX : c->cwnd + more;
}

// RFC 6298 in lwIP's units: sa is eight times the mean, sv four times the deviation.
static void round_trip_measured(struct tcp_pcb *c)
{
    int error = (s16_t)(tcp_ticks - c->rttest) - (c->sa >> 3);
    c->sa = (s16_t)(c->sa + error);
    if (error < 0)
        error = -error;
    c->sv = (s16_t)(c->sv + error - (c->sv >> 2));
    c->rttest = 0;
    c->rto = (s16_t)((c->sa >> 3) + c->sv);
}

// Forgets what the peer has. Returns how many bytes of data the program hears of.
static u32_t acknowledge(struct tcp_pcb *c, u32_t acknowledged)
{
    u32_t freed = 0;
    window_grow(c, acknowledged - c->lastack);
    c->nrtx = 0;
    c->dupacks = 0;
    c->lastack = acknowledged;
    c->polltmr = 0;
    struct tcp_seg *segment;
    while ((segment = c->unacked) &&
           TCP_SEQ_LEQ(lwip_ntohl(segment->tcphdr->seqno) + TCP_TCPLEN(segment), acknowledged)) {
        c->unacked = segment->next;
        c->snd_queuelen -= segment->p->next ? pbuf_clen(segment->p) : 1;
        freed += segment->len;
        bm_net_segment_give(segment);
    }
    c->rtime = c->unacked ? 0 : -1;
    if (!c->unsent)
        c->unsent_oversize = 0;
    c->snd_buf += freed;
    c->rto = (s16_t)((c->sa >> 3) + c->sv);
    return freed;
}

// The connection was closed in a callback and is to go now. Who only has shut it down hears of it.
static BM_COLD void close_now(struct tcp_pcb *c)
{
    TCP_EVENT_ERR(c->state, c->errf, c->callback_arg, ERR_CLSD);
    tcp_pcb_remove(&tcp_active_pcbs, c);
    tcp_free(c);
}

// Whether the connection is there after a callback that has not aborted it.
static inline bool is_left(struct tcp_pcb *c)
{
    if (BM_UNLIKELY(close_wanted))
        close_now(c);
    return !close_wanted;
}

// The program's callbacks. Returns false when the connection is gone. The frame is the callee's.
static bool sent_tell(struct tcp_pcb *c, u32_t freed)
{
    while (freed) {
        u16_t piece = (u16_t)LWIP_MIN(freed, 0xffff);
        err_t error = c->sent ? c->sent(c->callback_arg, c, piece) : ERR_OK;
        if (error == ERR_ABRT)
            return false;
        freed -= piece;
    }
    return is_left(c);
}

static bool data_give(struct tcp_pcb *c, struct pbuf *frame)
{
    if (c->flags & TF_RXCLOSED) { // since the callback before: nobody will read it
        pbuf_free(frame);
        tcp_abort(c);
        return false;
    }
    err_t error =
        c->recv ? c->recv(c->callback_arg, c, frame, ERR_OK) : tcp_recv_null(NULL, c, frame, ERR_OK);
    if (error == ERR_ABRT)
        return false;
    if (error != ERR_OK)
        c->refused_data = frame; // lwIP offers it again
    return true;
}

static void frame_to_data(struct pbuf *frame, u16_t length, const struct netif *netif)
{
    const struct bm_net_headers *headers = frame->payload;
    if (headers->tcp._hdrlen_rsvd_flags & PP_HTONS(TCP_PSH))
        frame->flags |= PBUF_FLAG_PUSH;
    frame->payload = (u8_t *)frame->payload + sizeof *headers;
    frame->len = frame->tot_len = length; // without what pads a short frame
    frame->if_idx = netif_get_index(netif);
}

static void deliver(struct tcp_pcb *c, struct pbuf *frame, u16_t length, u32_t freed)
{
    close_wanted = false;
    tcp_input_pcb = c;
    bool lives = sent_tell(c, freed);
    if (lives && length)
        lives = data_give(c, frame);
    else
        pbuf_free(frame);
    tcp_input_pcb = NULL;
    if (lives && is_left(c))
        tcp_output(c);
}

BM_HOT bool bm_net_express_input(struct netif *netif, struct pbuf *frame)
{
    BM_NET_ASSERT_LOCKED();
    u16_t length = 0;
    if (!headers_are_plain(frame, &length) || bm_net_raw_used)
        return false;
    const struct bm_net_headers *headers = frame->payload;
    u32_t remote = ip4_addr_get_u32(&headers->ip.src), local = ip4_addr_get_u32(&headers->ip.dest), ports;
    memcpy(&ports, &headers->tcp.src, sizeof ports);
    if (remote == local || (u8_t)local == 127)
        return false; // such a connection does not come from outside (RFC 1122 section 3.2.1.3)
    struct tcp_pcb *c = bm_net_tcp_find(remote, local, ports);
    u32_t sequence = lwip_ntohl(headers->tcp.seqno), acknowledged = lwip_ntohl(headers->tcp.ackno);
    if (!c || !is_predicted(c, sequence, acknowledged, length) || !netif_is_up(netif) ||
        (c->netif_idx != NETIF_NO_INDEX && c->netif_idx != netif_get_index(netif)))
        return false;
    c->tmr = tcp_ticks;
    c->keep_cnt_sent = 0;
    c->persist_probe = 0;
    window_update(c, sequence, acknowledged, lwip_ntohs(headers->tcp.wnd));
    u32_t freed = acknowledged == c->lastack ? 0 : acknowledge(c, acknowledged);
    if (c->rttest && TCP_SEQ_LT(c->rtseq, acknowledged))
        round_trip_measured(c);
    if (length) {
        frame_to_data(frame, length, netif);
        c->rcv_nxt += length;
        c->rcv_wnd -= length;
        tcp_update_rcv_ann_wnd(c);
        tcp_ack(c);
    }
    deliver(c, frame, length, freed);
    return true;
}
