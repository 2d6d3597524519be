// One connection of a program, and what lwIP does for it.
// SPDX-License-Identifier: MIT
#include "program.h"

#include "../../../net/tcp/express.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

u32_t tcp_ticks = 1000;
struct tcp_pcb *tcp_input_pcb, *tcp_active_pcbs;

struct netif netif;
struct tcp_pcb connection;
unsigned outputs, freed_frames, given_segments, removed, aborted, errors;
u32_t sent_bytes;
struct pbuf *received;
err_t receive_answer, sent_answer;
bool close_in_sent;

u16_t pbuf_clen(const struct pbuf *buffers)
{
    u16_t count = 0;
    for (; buffers; buffers = buffers->next)
        count++;
    return count;
}

u8_t pbuf_free(struct pbuf *buffer)
{
    assert_non_null(buffer);
    freed_frames++;
    return 1;
}

struct tcp_pcb *bm_net_tcp_find(u32_t remote, u32_t local, u32_t ports)
{
    bool outside = remote == 0x0100070a && local == 0x0200070a;
    bool looped = (remote == 0x0200070a || remote == 0x0100007f) && local == remote;
    bool found = ports == (lwip_htons(5000) | (u32_t)lwip_htons(80) << 16) && (outside || looped);
    return found ? &connection : NULL;
}

void bm_net_segment_give(struct tcp_seg *segment)
{
    assert_non_null(segment);
    given_segments++;
}

u32_t tcp_update_rcv_ann_wnd(struct tcp_pcb *c)
{
    c->rcv_ann_wnd = c->rcv_wnd;
    return 0;
}

void tcp_trigger_input_pcb_close(void)
{
}

void tcp_pcb_remove(struct tcp_pcb **list, struct tcp_pcb *c)
{
    assert_ptr_equal(list, &tcp_active_pcbs);
    assert_ptr_equal(c, &connection);
    removed++;
}

void tcp_free(struct tcp_pcb *c)
{
    assert_ptr_equal(c, &connection);
}

void tcp_abort(struct tcp_pcb *c)
{
    assert_ptr_equal(c, &connection);
    aborted++;
}

err_t tcp_recv_null(void *arg, struct tcp_pcb *c, struct pbuf *p, err_t error)
{
    (void)arg, (void)c, (void)error;
    pbuf_free(p);
    return ERR_OK;
}

err_t tcp_output(struct tcp_pcb *c)
{
    assert_ptr_equal(c, &connection);
    assert_null(tcp_input_pcb);
    outputs++;
    return ERR_OK;
}

err_t on_sent(void *arg, struct tcp_pcb *c, u16_t length)
{
    (void)arg;
    assert_ptr_equal(tcp_input_pcb, c);
    sent_bytes += length;
    if (close_in_sent)
        bm_net_close_later();
    return sent_answer;
}

err_t on_received(void *arg, struct tcp_pcb *c, struct pbuf *p, err_t error)
{
    (void)arg;
    assert_ptr_equal(tcp_input_pcb, c);
    assert_int_equal(error, ERR_OK);
    received = p;
    return receive_answer;
}

void on_error(void *arg, err_t error)
{
    (void)arg;
    assert_int_equal(error, ERR_CLSD);
    errors++;
}
