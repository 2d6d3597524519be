// Listening control blocks, and the connections that come to them.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "../../lwip/memory.h"

#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/ip.h"

static struct own_listener *listener_of(struct bm_tcp_listener *listener)
{
    return (struct own_listener *)(void *)((char *)listener - offsetof(struct own_listener, listener));
}

static bool room(struct bm_tcp_listener *listener)
{
    const struct own_listener *own = listener_of(listener);
    return own->pcb.accepts_pending < own->pcb.backlog;
}

static err_t passive_open(struct tcp_pcb_listen *listener, struct tcp_pcb *pcb)
{
    for (u8_t i = 0; i < LWIP_TCP_PCB_NUM_EXT_ARGS; i++) {
        const struct tcp_ext_arg_callbacks *callbacks = listener->ext_args[i].callbacks;
        if (callbacks && callbacks->passive_open && callbacks->passive_open(i, listener, pcb) != ERR_OK)
            return ERR_VAL;
    }
    return ERR_OK;
}

// What a connection has of its listener, and of its ends.
static struct own_tcp *block_make(struct tcp_pcb_listen *listener, struct bm_tcp_connection *connection)
{
    const struct bm_tcp_tuple *tuple = bm_tcp_tuple(connection);
    struct own_tcp *own = own_new(listener->prio);
    if (!own)
        return NULL;
    struct tcp_pcb *pcb = &own->pcb;
    own_address_get(&pcb->local_ip, tuple->local, tuple->zone);
    own_address_get(&pcb->remote_ip, tuple->remote, tuple->zone);
    pcb->local_port = tuple->local_port;
    pcb->remote_port = tuple->remote_port;
    pcb->so_options = listener->so_options & SOF_INHERITED;
    pcb->tos = listener->tos;
    pcb->ttl = listener->ttl;
    pcb->netif_idx = own->interface = listener->netif_idx;
    pcb->callback_arg = listener->callback_arg;
    pcb->listener = listener;
    own->connection = connection;
    own->set = ((struct own_listener *)listener)->set;
    own_options_begin(own);
    own_list_add(&tcp_active_pcbs, pcb);
    bm_tcp_set_events(connection, &own_events, own);
    return own;
}

static bool take(struct bm_tcp_listener *engine, struct bm_tcp_connection *connection)
{
    struct tcp_pcb_listen *listener = &listener_of(engine)->pcb;
    struct own_tcp *own = block_make(listener, connection);
    if (!own)
        return false;
    own_enter(own);
    own_options(own);
    err_t error = passive_open(listener, &own->pcb);
    if (error == ERR_OK)
        error = listener->accept ? listener->accept(listener->callback_arg, &own->pcb, ERR_OK) : ERR_VAL;
    if (error != ERR_OK && error != ERR_ABRT && !own->dead)
        tcp_abort(&own->pcb);
    if (!own->dead)
        own_options(own);
    own_leave(own);
    return true; // of one that was aborted the engine knows
}

static void engine_listener_fill(struct own_listener *own)
{
    const struct tcp_pcb_listen *pcb = &own->pcb;
    own->listener.port = pcb->local_port;
    own->listener.interface = pcb->netif_idx;
    memset(own->listener.local, 0, sizeof own->listener.local);
    if (!ip_addr_isany(&pcb->local_ip))
        own_address_put(own->listener.local, &pcb->local_ip);
    own->listener.family = IP_IS_ANY_TYPE_VAL(pcb->local_ip) ? 0 : IP_IS_V6_VAL(pcb->local_ip) ? 6 : 4;
}

static void listener_fill(struct tcp_pcb_listen *listener, const struct tcp_pcb *pcb, u8_t backlog)
{
    listener->callback_arg = pcb->callback_arg;
    listener->local_port = pcb->local_port;
    listener->state = LISTEN;
    listener->prio = pcb->prio;
    listener->so_options = pcb->so_options;
    listener->netif_idx = pcb->netif_idx;
    listener->ttl = pcb->ttl;
    listener->tos = pcb->tos;
    IP_SET_TYPE_VAL(listener->remote_ip, pcb->local_ip.type);
    ip_addr_copy(listener->local_ip, pcb->local_ip);
    memcpy(listener->ext_args, pcb->ext_args, sizeof pcb->ext_args);
    listener->backlog = backlog ? backlog : 1;
}

struct tcp_pcb *tcp_listen_with_backlog_and_err(struct tcp_pcb *pcb, u8_t backlog, err_t *error)
{
    err_t none;
    BM_NET_ASSERT_LOCKED();
    if (!error)
        error = &none;
    *error = !pcb ? ERR_ARG : pcb->state == LISTEN ? ERR_ALREADY : pcb->state != CLOSED ? ERR_CLSD : ERR_OK;
    if (*error != ERR_OK)
        return *error == ERR_ALREADY ? pcb : NULL;
    if (!pcb->local_port && !(pcb->local_port = own_port_new())) {
        *error = ERR_BUF;
        return NULL;
    }
    struct own_listener *own = bm_net_allocate_zeroed(1, sizeof *own);
    if (!own) {
        *error = ERR_MEM;
        return NULL;
    }
    listener_fill(&own->pcb, pcb, backlog);
    own->set = own_of(pcb)->set;
    own->listener =
        (struct bm_tcp_listener){.user = own, .deferred = own->set.deferred_s, .room = room, .accept = take};
    engine_listener_fill(own);
    if (bm_tcp_listen(own_shard, &own->listener) != 0) {
        bm_net_free(own);
        *error = ERR_USE;
        return NULL;
    }
    own->pcb.next = tcp_listen_pcbs.listen_pcbs;
    tcp_listen_pcbs.listen_pcbs = &own->pcb;
    memset(pcb->ext_args, 0, sizeof pcb->ext_args); // they are the listener's
    own_list_remove(pcb);
    own_free(own_of(pcb));
    return (struct tcp_pcb *)own;
}

struct tcp_pcb *tcp_listen_with_backlog(struct tcp_pcb *pcb, u8_t backlog)
{
    return tcp_listen_with_backlog_and_err(pcb, backlog, NULL);
}

err_t own_listener_close(struct own_listener *own)
{
    struct tcp_pcb_listen **link = &tcp_listen_pcbs.listen_pcbs;
    while (*link && *link != &own->pcb)
        link = &(*link)->next;
    if (*link)
        *link = own->pcb.next;
    bm_tcp_unlisten(own_shard, &own->listener);
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        if (pcb->listener == &own->pcb)
            pcb->listener = NULL;
    for (u8_t i = 0; i < LWIP_TCP_PCB_NUM_EXT_ARGS; i++)
        if (own->pcb.ext_args[i].callbacks && own->pcb.ext_args[i].callbacks->destroy)
            own->pcb.ext_args[i].callbacks->destroy(i, own->pcb.ext_args[i].data);
    bm_net_free(own);
    return ERR_OK;
}

void own_listeners_move(const ip_addr_t *from, const ip_addr_t *to)
{
    for (struct tcp_pcb_listen *pcb = tcp_listen_pcbs.listen_pcbs; pcb; pcb = pcb->next) {
        struct own_listener *own = (struct own_listener *)pcb;
        if (!ip_addr_eq(&pcb->local_ip, from))
            continue;
        bm_tcp_unlisten(own_shard, &own->listener);
        ip_addr_copy(pcb->local_ip, *to);
        engine_listener_fill(own);
        bm_tcp_listen(own_shard, &own->listener); // of two that are alike now the other one hears
    }
}

// Connections that wait for the program to take them count against the backlog.
void tcp_backlog_delayed(struct tcp_pcb *pcb)
{
    BM_NET_ASSERT_LOCKED();
    if (pcb->flags & TF_BACKLOGPEND || !pcb->listener)
        return;
    pcb->listener->accepts_pending++;
    tcp_set_flags(pcb, TF_BACKLOGPEND);
}

void tcp_backlog_accepted(struct tcp_pcb *pcb)
{
    BM_NET_ASSERT_LOCKED();
    if (!(pcb->flags & TF_BACKLOGPEND))
        return;
    if (pcb->listener)
        pcb->listener->accepts_pending--;
    tcp_clear_flags(pcb, TF_BACKLOGPEND);
}
