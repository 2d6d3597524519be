// What a segment may do to its connection, before lwIP looks at it: RFC 9293 section 3.10.7, RFC 5961.
// SPDX-License-Identifier: MIT
//
// A segment whose numbers show that it is no part of the connection changes nothing: no window, no option, no
// timer. It is answered by an acknowledgement, so that a peer which has forgotten the connection learns of
// it, but seldom: two stacks that find each other's acknowledgements wrong would send them for ever, and
// strangers must not make this machine send.
#include "../device/interface.h"
#include "../lwip/private.h"
#include "half_open.h"
#include "tcp.h"

#include "arch/bm_hooks.h"

// In ticks of lwIP's slow timer, 0.1 s each: how far the answers of one connection lie apart; with data that
// may have been sent again because an acknowledgement was lost, they may come nearer.
enum { APART = 5, APART_DATA = 1, SECOND = 10 };

enum verdict { TAKE, ESTABLISH, DROP, ANSWER, ANSWER_DATA, RESET };

unsigned bm_net_tcp_answers = 500; // left for this second

// All connections together. How many is nobody's to know, or strangers could count them to find out whose
// numbers are right.
static bool answers_left(void)
{
    static u32_t since;
    if (tcp_ticks - since >= SECOND) {
        since = tcp_ticks;
        bm_net_tcp_answers = 500 + bm_net_random() % 1000;
    }
    return bm_net_tcp_answers && bm_net_tcp_answers--;
}

static void answer(struct tcp_pcb *c, enum verdict verdict)
{
    u32_t early = verdict == ANSWER_DATA ? APART - APART_DATA : 0;
    if ((s32_t)(tcp_ticks + early - c->answer_due) < 0 || !answers_left())
        return;
    c->answer_due = tcp_ticks + APART;
    tcp_send_empty_ack(c);
}

// First step of section 3.10.7.4. The end of the window counts as within: there begins what a peer sends to a
// full window, whose acknowledgement counts.
static bool in_window(const struct tcp_pcb *c, u32_t sequence, u32_t size)
{
    u32_t ahead = sequence - c->rcv_nxt;
    if (ahead <= c->rcv_wnd)
        return true;
    return (s32_t)ahead < 0 && (s32_t)(ahead + size) > 0;
}

static enum verdict out_of_window(const struct tcp_pcb *c, const struct tcp_hdr *header, u16_t length)
{
    if (TCPH_FLAGS(header) & TCP_RST)
        return DROP;
    return length && c->rcv_nxt - header->seqno <= TCP_WND ? ANSWER_DATA : ANSWER;
}

// SYN-SENT, section 3.10.7.3. Simultaneous opening is not known here.
static enum verdict in_syn_sent(const struct tcp_pcb *c, const struct tcp_hdr *header)
{
    u8_t flags = TCPH_FLAGS(header);
    if (!(flags & TCP_ACK))
        return DROP;
    if (header->ackno != c->snd_nxt)
        return flags & TCP_RST ? DROP : RESET;
    return flags & (TCP_RST | TCP_SYN) ? TAKE : DROP;
}

// A program that is slow to accept gets no more than its backlog; the peer asks again.
static enum verdict in_syn_received(const struct tcp_pcb *c, u32_t acknowledged)
{
    if (!TCP_SEQ_BETWEEN(acknowledged, c->lastack + 1, c->snd_nxt))
        return TAKE; // lwIP resets it
    return c->listener && c->listener->accepts_pending >= c->listener->backlog ? DROP : ESTABLISH;
}

// The steps of section 3.10.7.4 in their order, as RFC 5961 has changed them.
static enum verdict in_connection(const struct tcp_pcb *c, const struct tcp_hdr *header, u16_t length)
{
    u8_t flags = TCPH_FLAGS(header);
    if (flags & TCP_SYN && c->state == SYN_RCVD && header->seqno == c->rcv_nxt - 1 && !(flags & TCP_ACK))
        return TAKE; // the peer's SYN once more: lwIP repeats its own
    if (!in_window(c, header->seqno, (u32_t)length + !!(flags & (TCP_SYN | TCP_FIN))))
        return out_of_window(c, header, length);
    if (flags & TCP_RST)
        return header->seqno == c->rcv_nxt ? TAKE : ANSWER; // RFC 5961, section 3.2
    if (flags & TCP_SYN)
        return ANSWER; // section 4.2
    if (!(flags & TCP_ACK))
        return DROP;
    if (c->state == SYN_RCVD)
        return in_syn_received(c, header->ackno);
    // Section 5.2.
    return header->ackno - (c->lastack - c->snd_wnd_max) <= c->snd_nxt - (c->lastack - c->snd_wnd_max)
               ? TAKE
               : ANSWER;
}

// Here a SYN begins nothing new (time_wait.c has looked), and a reset ends nothing (RFC 1337). Of the rest
// only the last FIN, sent again, prolongs the state.
static enum verdict in_time_wait(const struct tcp_pcb *c, const struct tcp_hdr *header, u16_t length)
{
    u8_t flags = TCPH_FLAGS(header);
    if (flags & TCP_RST)
        return DROP;
    if (flags & TCP_SYN)
        return ANSWER;
    if (!(flags & TCP_ACK) || header->ackno != c->snd_nxt)
        return flags & TCP_ACK ? ANSWER : DROP;
    if (flags & TCP_FIN && header->seqno + length + 1 == c->rcv_nxt)
        return TAKE;
    return length || header->seqno != c->rcv_nxt ? ANSWER : DROP;
}

static enum verdict judge(const struct tcp_pcb *c, const struct tcp_hdr *header, u16_t length)
{
    u8_t flags = TCPH_FLAGS(header);
    if (flags & TCP_SYN && flags & (TCP_FIN | TCP_RST | TCP_URG))
        return DROP; // nobody sends these for good
    switch (c->state) {
    case LISTEN:
        return TAKE;
    case SYN_SENT:
        return in_syn_sent(c, header);
    case TIME_WAIT:
        return in_time_wait(c, header, length);
    default:
        return in_connection(c, header, length);
    }
}

err_t bm_net_tcp_acceptable(struct tcp_pcb *c, const struct tcp_hdr *header, const struct pbuf *packet)
{
    if (packet->flags & (PBUF_FLAG_LLBCAST | PBUF_FLAG_LLMCAST)) // RFC 9293 section 3.9.2.3
        return ERR_VAL;
    enum verdict verdict = judge(c, header, packet->tot_len);
    if (verdict == TAKE || verdict == ESTABLISH) {
        if (verdict == ESTABLISH && c->older)
            bm_net_half_open_remove(c);
        // Segments that the device has joined (receive.c) are acknowledged like the several that they are: as
        // if one had come before, so that lwIP does not wait for the next. A listener has no flags.
        if (packet->tot_len > bm_net_mss && c->state != LISTEN)
            c->flags |= TF_ACK_DELAY;
        return ERR_OK;
    }
    if (verdict == RESET)
        tcp_rst(c, header->ackno, header->seqno + packet->tot_len, &c->local_ip, &c->remote_ip, c->local_port,
                c->remote_port);
    else if (verdict != DROP)
        answer(c, verdict);
    return ERR_VAL;
}
