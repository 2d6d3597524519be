// lwIP's raw API over the engine: what each request of a program calls.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "arch/bm_assert.h"

enum { COPY_MAX = 256 }; // bytes that are copied rather than named: a piece costs as much

err_t tcp_write(struct tcp_pcb *pcb, const void *data, u16_t length, u8_t flags)
{
    BM_NET_ASSERT_LOCKED();
    struct own_tcp *own = own_of(pcb);
    struct bm_tcp_connection *c = own->connection;
    if (!c || (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT))
        return ERR_CONN;
    if (!length)
        return ERR_OK;
    if (pcb->mss != own->mss || pcb->netif_idx != own->interface)
        own_options(own);
    bool copies = flags & TCP_WRITE_FLAG_COPY || length <= COPY_MAX;
    bool taken = copies ? own_buffer_write(own, data, length)
                        : bm_tcp_write_reference(c, data, length, true, NULL, NULL);
    if (!taken)
        return ERR_MEM;
    own->written = true;
    pcb->snd_buf = tcp_writable(c);
    own_show_data(own);
    own_done();
    return ERR_OK;
}

err_t tcp_output(struct tcp_pcb *pcb)
{
    BM_NET_ASSERT_LOCKED();
    struct own_tcp *own = own_of(pcb);
    struct bm_tcp_connection *c = own->connection;
    if (!c)
        return ERR_OK;
    own->written = false;
    own_options(own);
    tcp_enter(own_shard);
    c->hold_back = false;
    if (own_express_push(own)) { // all of it
        pcb->unsent = NULL;
        pcb->unacked = &own->tail;
    } else {
        bm_tcp_output(c);
        own_show_data(own);
    }
    own_done();
    return ERR_OK;
}

void tcp_recved(struct tcp_pcb *pcb, u16_t length)
{
    BM_NET_ASSERT_LOCKED();
    BM_ASSERT(pcb->state != LISTEN, "a listening control block has received nothing");
    own_offer_soon(own_of(pcb));
    if (!own_of(pcb)->connection)
        return;
    tcp_consumed(own_of(pcb)->connection, length);
    own_done();
}
