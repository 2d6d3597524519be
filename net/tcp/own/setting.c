// What programs set of control blocks, and ask of them.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "arch/bm_assert.h"

void tcp_arg(struct tcp_pcb *pcb, void *arg)
{
    BM_NET_ASSERT_LOCKED();
    if (pcb)
        pcb->callback_arg = arg;
}

void tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn recv)
{
    BM_NET_ASSERT_LOCKED();
    BM_ASSERT(!pcb || pcb->state != LISTEN, "a listening control block has no such callback");
    if (pcb)
        pcb->recv = recv;
}

void tcp_sent(struct tcp_pcb *pcb, tcp_sent_fn sent)
{
    BM_NET_ASSERT_LOCKED();
    BM_ASSERT(!pcb || pcb->state != LISTEN, "a listening control block has no such callback");
    if (pcb)
        pcb->sent = sent;
}

void tcp_err(struct tcp_pcb *pcb, tcp_err_fn err)
{
    BM_NET_ASSERT_LOCKED();
    BM_ASSERT(!pcb || pcb->state != LISTEN, "a listening control block has no such callback");
    if (pcb)
        pcb->errf = err;
}

void tcp_accept(struct tcp_pcb *pcb, tcp_accept_fn accept)
{
    BM_NET_ASSERT_LOCKED();
    if (pcb && pcb->state == LISTEN)
        ((struct tcp_pcb_listen *)pcb)->accept = accept;
}

void tcp_poll(struct tcp_pcb *pcb, tcp_poll_fn poll, u8_t interval)
{
    BM_NET_ASSERT_LOCKED();
    BM_ASSERT(!pcb || pcb->state != LISTEN, "a listening control block has no such callback");
    if (!pcb)
        return;
    pcb->poll = poll;
    pcb->pollinterval = interval;
}

void tcp_setprio(struct tcp_pcb *pcb, u8_t priority)
{
    BM_NET_ASSERT_LOCKED();
    pcb->prio = priority;
}

// lwIP's walks its queues; this one has none of the kind.
void tcp_free_ooseq(struct tcp_pcb *pcb)
{
    (void)pcb;
}

err_t tcp_tcp_get_tcp_addrinfo(struct tcp_pcb *pcb, int local, ip_addr_t *address, u16_t *port)
{
    if (!pcb)
        return ERR_VAL;
    if (address)
        *address = local ? pcb->local_ip : pcb->remote_ip;
    if (port)
        *port = local ? pcb->local_port : pcb->remote_port;
    return ERR_OK;
}

const char *tcp_debug_state_str(enum tcp_state state)
{
    static const char *const names[] = {"CLOSED",      "LISTEN",     "SYN_SENT",   "SYN_RCVD",
                                        "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT",
                                        "CLOSING",     "LAST_ACK",   "TIME_WAIT"};
    return names[state];
}

u8_t tcp_ext_arg_alloc_id(void)
{
    static u8_t used;
    BM_NET_ASSERT_LOCKED();
    BM_ASSERT(used < LWIP_TCP_PCB_NUM_EXT_ARGS,
              "there are no more numbers of arguments than lwipopts.h says");
    return used++;
}

void tcp_ext_arg_set_callbacks(struct tcp_pcb *pcb, u8_t id,
                               const struct tcp_ext_arg_callbacks *const callbacks)
{
    BM_NET_ASSERT_LOCKED();
    pcb->ext_args[id].callbacks = callbacks;
}

void tcp_ext_arg_set(struct tcp_pcb *pcb, u8_t id, void *arg)
{
    BM_NET_ASSERT_LOCKED();
    pcb->ext_args[id].data = arg;
}

void *tcp_ext_arg_get(const struct tcp_pcb *pcb, u8_t id)
{
    BM_NET_ASSERT_LOCKED();
    return pcb->ext_args[id].data;
}
