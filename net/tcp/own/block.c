// Control blocks: their memory, their lists, and what they show of the engine's state.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "../../lwip/memory.h"

#include <string.h>

#include "arch/bm_assert.h"

enum { SECOND = 1000 }; // in milliseconds, of keep-alive's options

struct tcp_pcb *tcp_bound_pcbs, *tcp_active_pcbs, *tcp_tw_pcbs;
union tcp_listen_pcbs_t tcp_listen_pcbs;

struct own_tcp *own_new(u8_t priority)
{
    struct own_tcp *own = bm_net_allocate_zeroed(1, sizeof *own);
    if (!own)
        return NULL;
    own->pcb.prio = priority;
    own->pcb.snd_buf = TCP_SND_BUF;
    own->pcb.ttl = TCP_TTL;
    own->pcb.mss = own->mss = LWIP_MIN(536, TCP_MSS);
    own->pcb.recv = tcp_recv_null;
    own->pcb.keep_idle = TCP_KEEPIDLE_DEFAULT;
    own->pcb.keep_intvl = TCP_KEEPINTVL_DEFAULT;
    own->pcb.keep_cnt = TCP_KEEPCNT_DEFAULT;
    return own;
}

static void destroyed(struct tcp_pcb *pcb)
{
    for (u8_t i = 0; i < LWIP_TCP_PCB_NUM_EXT_ARGS; i++)
        if (pcb->ext_args[i].callbacks && pcb->ext_args[i].callbacks->destroy)
            pcb->ext_args[i].callbacks->destroy(i, pcb->ext_args[i].data);
}

void own_free(struct own_tcp *own)
{
    BM_ASSERT(!own->connection, "a control block is freed without its connection");
    if (!own->dead) {
        own->dead = true;
        own_offer_forget(own);
        own_refused_free(own);
        destroyed(&own->pcb);
    }
    if (!own->calls)
        bm_net_free(own);
}

struct own_cursor *own_cursors;

void own_each(struct tcp_pcb *first, void (*what)(struct own_tcp *own, const void *argument),
              const void *argument)
{
    struct own_cursor cursor = {first, own_cursors};
    own_cursors = &cursor;
    while (cursor.next) {
        struct tcp_pcb *pcb = cursor.next;
        cursor.next = pcb->next;
        what(own_of(pcb), argument);
    }
    own_cursors = cursor.outer;
}

// Each is taken out at once. Listeners have a list of their own.
void own_list_add(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
    pcb->next = *list;
    *list = pcb;
    pcb->link = list;
    if (pcb->next)
        pcb->next->link = &pcb->next;
}

void own_list_remove(struct tcp_pcb *pcb)
{
    if (!pcb->link)
        return;
    for (struct own_cursor *cursor = own_cursors; cursor; cursor = cursor->outer)
        if (cursor->next == pcb)
            cursor->next = pcb->next;
    *pcb->link = pcb->next;
    if (pcb->next)
        pcb->next->link = pcb->link;
    pcb->next = NULL;
    pcb->link = NULL;
}

struct bm_tcp_connection *own_part(struct own_tcp *own)
{
    struct bm_tcp_connection *connection = own->connection;
    tcp_backlog_accepted(&own->pcb); // nobody will take it
    own->pcb.listener = NULL;
    own_list_remove(&own->pcb);
    own->connection = NULL;
    own->pcb.state = CLOSED;
    own->pcb.unsent = own->pcb.unacked = NULL;
    own->written = false;
    if (connection)
        bm_tcp_set_events(connection, NULL, NULL);
    return connection;
}

_Static_assert(SYN_SENT == BM_TCP_SYN_SENT + 1 && LAST_ACK == BM_TCP_LAST_ACK + 1 &&
                   CLOSE_WAIT == BM_TCP_CLOSE_WAIT + 1 && FIN_WAIT_2 == BM_TCP_FIN_WAIT_2 + 1,
               "both count the states alike");

static void keep_alive(struct own_tcp *own)
{
    const struct tcp_pcb *pcb = &own->pcb;
    bool keeps = ip_get_option(pcb, SOF_KEEPALIVE);
    if (keeps == own->keeps && pcb->keep_idle == own->keep_idle && pcb->keep_intvl == own->keep_interval &&
        pcb->keep_cnt == own->keep_count)
        return;
    own->keeps = keeps;
    own->keep_idle = pcb->keep_idle;
    own->keep_interval = pcb->keep_intvl;
    own->keep_count = pcb->keep_cnt;
    bm_tcp_set_keepalive(own->connection, keeps ? (pcb->keep_idle + SECOND - 1) / SECOND : 0,
                         pcb->keep_intvl / SECOND, pcb->keep_cnt);
}

void own_options_tell(struct own_tcp *own)
{
    struct tcp_pcb *pcb = &own->pcb;
    if (!own->connection)
        return;
    keep_alive(own);
    bool no_delay = tcp_nagle_disabled(pcb) != 0;
    if (no_delay != own->no_delay)
        bm_tcp_set_nodelay(own->connection, own->no_delay = no_delay);
    if (pcb->netif_idx != own->interface)
        bm_tcp_set_interface(own->connection, own->interface = pcb->netif_idx);
    if (pcb->mss < own->mss) // nd6.c has written it (RFC 8201 section 5.4)
        bm_tcp_set_mss(own->connection, pcb->mss);
    own->mss = pcb->mss;
}
