// Our TCP engine below lwIP's raw API: what the files of this folder share.
// SPDX-License-Identifier: MIT
//
// lwIP's control block stays what programs and sockets see: ends, options, callbacks, and, of the engine's
// state, what its macros read. Everything here runs under the core lock; the engine has one shard.
#pragma once

#include "../../lwip/private.h"
#include "../engine/connection.h"

#include <stdbool.h>

// Options of sockets that lwIP's control blocks have no member for.
struct own_options {
    uint32_t user_timeout_ms, unsent_max;
    uint32_t deferred_s; // not 0: TCP_DEFER_ACCEPT, of a listener
};

// A control block that has, or is to have, a connection of the engine.
struct own_tcp {
    struct tcp_pcb pcb;                       // first
    struct bm_tcp_connection *connection;     // NULL: not yet, or no more
    unsigned calls;                           // of its callbacks that are under way
    bool dead;                                // its memory is free when they are done
    bool written;                             // since the last tcp_output
    bool end_waits;                           // the peer's end is to be told when refused data is taken
    struct pbuf *refused_last;                // of the list that pcb.refused_data begins
    struct own_tcp *offer_next, **offer_link; // offer.c; offer_link NULL: not in its list
    u16_t refused_room;                       // bytes that it still has for the next one's data
    struct tcp_seg tail;                      // what pcb.unsent and pcb.unacked show where there is such data
    // What the engine knows of the options.
    uint32_t keep_idle, keep_interval, keep_count;
    uint16_t mss;
    bool keeps, no_delay;
    u8_t interface;
    struct own_options set; // option.c
};

struct own_listener {
    struct tcp_pcb_listen pcb; // first
    struct bm_tcp_listener listener;
    struct own_options set; // what its connections begin with
};

static inline struct own_tcp *own_of(struct tcp_pcb *pcb)
{
    return (struct own_tcp *)pcb;
}

// shard.c: the engine's shard, once the network has started; its timer, and for which millisecond it is set.
extern struct bm_tcp_shard *own_shard;
extern bool own_timer_runs;
extern uint32_t own_timer_at;
void own_timer_set(void);

// address.c: the engine's addresses, and lwIP's.
void own_address_put(uint8_t to[16], const ip_addr_t *address);
void own_address_get(ip_addr_t *to, const uint8_t from[16], uint16_t zone);
// The tuple's zone: of a remote address that one link alone knows.
uint16_t own_zone_of(const ip_addr_t *remote, const struct netif *netif);
// What the way to an address has room for, in bytes of data; `netif` may be NULL.
uint16_t own_mss(const struct netif *netif, const ip_addr_t *remote);

// output.c: frames of the engine to IP; those that wait for others to join them go.
void own_output(void *context, const struct bm_tcp_frame *frame);
void own_flush(void);
extern unsigned own_waiting; // of them
// The queue of a connection's interface is nearly full: more of it waits in the engine (bm_tcp_full).
void own_queue_full(struct bm_tcp_connection *connection, const struct netif *netif);

// What follows each call of the engine: frames that wait go out, and its timer is set. In a callback the call
// that has led there does it.
static inline void own_done(void)
{
    const struct bm_tcp_wheel *wheel = &own_shard->wheel;
    if (own_shard->inside)
        return;
    if (own_waiting)
        own_flush();
    if (wheel->any && (!own_timer_runs || (int32_t)(wheel->soonest - own_timer_at) < 0))
        own_timer_set();
}

// express.c: a frame straight to the device, and data that is one; false: it is to take IP's way. And the
// frame that has come so, while nobody else holds it.
bool own_express_output(const struct bm_tcp_frame *frame, u8_t ttl, u8_t service);
void own_express_learn(const struct bm_tcp_frame *frame); // one that IP has sent
bool own_express_push(struct own_tcp *own);
extern struct pbuf *own_gift;

// buffer.c: writes a copy; true: it was taken. And the buffer of a frame, with TCP's header, and room in
// front of it for the others'; who has sent it says so.
bool own_buffer_write(struct own_tcp *own, const void *data, unsigned length);
struct pbuf *own_buffer_of(const struct bm_tcp_frame *frame);
void own_buffer_sent(struct pbuf *buffer);

// event.c: what the engine says of connections.
extern const struct bm_tcp_events own_events;
// buffer NULL: the peer's end. False: the program does not take it, and it stays the caller's; or it has
// aborted the connection, whose data is nobody's then.
static inline bool own_give(struct own_tcp *own, struct pbuf *buffer)
{
    struct tcp_pcb *pcb = &own->pcb;
    err_t error = (pcb->recv ? pcb->recv : tcp_recv_null)(pcb->callback_arg, pcb, buffer, ERR_OK);
    return error == ERR_OK || own->dead || error == ERR_ABRT;
}

// refused.c: keeps data; tells the program of it, and of the end behind it. False: it refuses again, or is
// gone.
void own_refuse(struct own_tcp *own, struct pbuf *buffer);
bool own_offer(struct own_tcp *own);
void own_refused_free(struct own_tcp *own);
// offer.c: the program has read, and may take now what it has refused. And it never will.
void own_offer_soon(struct own_tcp *own);
void own_offer_forget(struct own_tcp *own);
// Ends a block that has no connection any more for its program, which hears why.
void own_fail(struct own_tcp *own, err_t why);
// block.c: control blocks, their lists, and what they show of the engine's state.
struct own_tcp *own_new(u8_t priority);
void own_free(struct own_tcp *own); // when its callbacks are done
void own_list_add(struct tcp_pcb **list, struct tcp_pcb *pcb);
void own_list_remove(struct tcp_pcb *pcb);
// What sending and acknowledging change of it.
static inline void own_show_data(struct own_tcp *own)
{
    const struct bm_tcp_connection *c = own->connection;
    struct tcp_pcb *pcb = &own->pcb;
    uint32_t unsent = tcp_after(c->data_end, c->next) ? c->data_end - c->next : 0;
    own->tail.len = (u16_t)LWIP_MIN(unsent, c->mss);
    pcb->unsent = unsent ? &own->tail : NULL;
    pcb->unacked = c->next != c->una ? &own->tail : NULL;
}
static inline void own_show(struct own_tcp *own)
{
    const struct bm_tcp_connection *c = own->connection;
    struct tcp_pcb *pcb = &own->pcb;
    if (!c)
        return;
    // lwIP's states lie in the engine's order, with LISTEN behind CLOSED.
    pcb->state = c->state == BM_TCP_CLOSED ? CLOSED : (enum tcp_state)(c->state + 1);
    pcb->snd_buf = tcp_writable(c);
    pcb->snd_wnd_max = c->peer_window_max;
    if (pcb->mss == own->mss) // else it is narrower now, which the engine is to know yet
        pcb->mss = own->mss = c->mss;
    own_show_data(own);
}
// Calls `what` for each of a list. It may end any of them, and begin others, which it is not called for.
void own_each(struct tcp_pcb *first, void (*what)(struct own_tcp *own, const void *argument),
              const void *argument);
struct own_cursor {
    struct tcp_pcb *next; // that is called for; whoever takes it out of its list moves it on
    struct own_cursor *outer;
};
extern struct own_cursor *own_cursors;
// option.c: tells the engine of those of them that are set, when the connection begins.
void own_options_begin(struct own_tcp *own);
// Tells the engine of options that have changed: the program writes them into the control block.
void own_options_tell(struct own_tcp *own);
static inline void own_options(struct own_tcp *own)
{
    const struct tcp_pcb *pcb = &own->pcb;
    if (own->keeps != (ip_get_option(pcb, SOF_KEEPALIVE) != 0) || own->keep_idle != pcb->keep_idle ||
        own->keep_interval != pcb->keep_intvl || own->keep_count != pcb->keep_cnt ||
        own->no_delay != (tcp_nagle_disabled(pcb) != 0) || own->interface != pcb->netif_idx ||
        own->mss != pcb->mss)
        own_options_tell(own);
}
// Around each callback of a control block: its memory stays, and what was written goes out behind it.
static inline void own_enter(struct own_tcp *own)
{
    own->calls++;
    own_show(own);
}
void own_leave_last(struct own_tcp *own);
static inline void own_leave(struct own_tcp *own)
{
    if (!--own->calls)
        own_leave_last(own);
}

// Takes it out of its list, and its connection from it, which is returned and tells nothing any more.
struct bm_tcp_connection *own_part(struct own_tcp *own);

// port.c: a local port that is free (RFC 6056 section 3.3.1); 0: none is.
u16_t own_port_new(void);

// listen.c
err_t own_listener_close(struct own_listener *own);
void own_listeners_move(const ip_addr_t *from, const ip_addr_t *to);
