// Our TCP engine below lwIP's raw API: what the files of this folder share.
// SPDX-License-Identifier: MIT
//
// lwIP's control block stays what programs and sockets see: ends, options, callbacks, and, of the engine's
// state, what its macros read. Everything here runs under the core lock; the engine has one shard.
#pragma once

#include "../../lwip/private.h"
#include "../engine/engine.h"

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

// shard.c: the engine's shard, once the network has started; what follows each call of the engine: frames
// that wait go out, and its timer is set.
extern struct bm_tcp_shard *own_shard;
void own_done(void);

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

// event.c: what the engine says of connections.
extern const struct bm_tcp_events own_events;
// Tells the program of data that it has refused, and of the end behind it. False: it refuses again, or is
// gone.
bool own_offer(struct own_tcp *own);
void own_refused_free(struct own_tcp *own);
// offer.c: the program has read, and may take now what it has refused. And it never will.
void own_offer_soon(struct own_tcp *own);
void own_offer_forget(struct own_tcp *own);
// Ends a block that has no connection any more for its program, which hears why.
void own_fail(struct own_tcp *own, err_t why);
// Around each callback of a control block: its memory stays, and what was written goes out behind it.
void own_enter(struct own_tcp *own);
void own_leave(struct own_tcp *own);

// block.c: control blocks, their lists, and what they show of the engine's state.
struct own_tcp *own_new(u8_t priority);
void own_free(struct own_tcp *own); // when its callbacks are done
void own_list_add(struct tcp_pcb **list, struct tcp_pcb *pcb);
void own_list_remove(struct tcp_pcb *pcb);
void own_show(struct own_tcp *own);
// option.c: tells the engine of those of them that are set, when the connection begins.
void own_options_begin(struct own_tcp *own);
// Tells the engine of options that have changed: the program writes them into the control block.
void own_options(struct own_tcp *own);
// Takes it out of its list, and its connection from it, which is returned and tells nothing any more.
struct bm_tcp_connection *own_part(struct own_tcp *own);

// tick.c: the next block that a tick looks at; a list that loses it says so.
extern struct tcp_pcb *own_tick_next;

// port.c: a local port that is free (RFC 6056 section 3.3.1); 0: none is.
u16_t own_port_new(void);

// listen.c
err_t own_listener_close(struct own_listener *own);
void own_listeners_move(const ip_addr_t *from, const ip_addr_t *to);
