// What lwIP keeps of a socket and does not tell. `number` is lwIP's.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BM_NET_SOCKET_READABLE = 1,
    BM_NET_SOCKET_WRITABLE = 2,
    BM_NET_SOCKET_FAILED = 4,
    BM_NET_SOCKET_ENDED = 8 // the peer sends no more; what it has sent may still be unread
};

// Any context but handlers, with or without the core lock: a hint that may be old.
unsigned bm_net_socket_state(int number);

// The list of those that watch the socket, which lwIP's events go to; NULL: there is none (any more).
// Under the core lock.
struct bm_file_watchers;
void bm_net_socket_watchers_set(int number, struct bm_file_watchers *list);
// A new connection has not ended.
void bm_net_socket_end_forget(int number);

// Of a TCP socket: whether its program asked for a linger of 0 seconds. Its connection ends with a reset;
// under the core lock.
bool bm_net_socket_is_unlingering(int number);
void bm_net_socket_reset(int number);

// TCP_CORK of a TCP socket: segments that are not full wait, for 200 ms at most. What waits goes when it is
// cleared. Without a connection nothing happens. Under the core lock.
bool bm_net_socket_is_corked(int number);
void bm_net_socket_cork(int number, bool corked);

// shutdown of a connection's sending side: the peer sees the end behind what was taken. Returns 0 or
// -BM_ENOTCONN. Under the core lock.
int bm_net_socket_end_sending(int number);

// Whether the socket has a connection of lwIP's, in whatever state; under the core lock.
bool bm_net_socket_is_alive(int number);

// What a program has set of a TCP socket's connection, and goes with it when it cannot be made.
struct bm_net_socket_options {
    uint32_t keep_idle, keep_interval, keep_count;
    uint8_t options, service, hops, interface;
    bool no_delay;
};
// Notes them; under the core lock, while the socket is alive.
void bm_net_socket_keep(int number, struct bm_net_socket_options *options);
// Gives a socket without a connection a new one, with those options and without an address; whether there was
// memory. Under the core lock.
bool bm_net_socket_renew(int number, const struct bm_net_socket_options *options);

// Binds a socket to an interface of lwIP's, NULL: to none. Under the core lock. 0, or -BM_EINVAL: it has no
// connection.
struct netif;
int bm_net_socket_bind_interface(int number, const struct netif *netif);

// Copies what waits to be received from a stream behind the first `skip` bytes, `size` at most, and leaves it
// there; returns how many. In the turn to receive, with no lock held.
size_t bm_net_socket_look(int number, size_t skip, char *buffer, size_t size);

// Its control block, for what lwIP's sockets have no option for; NULL: there is none (any more). Under the
// core lock.
struct tcp_pcb;
struct tcp_pcb *bm_net_socket_block(int number);

// Breaks off the connect that is under way: it fails with ECONNABORTED. Under the core lock.
void bm_net_socket_end_connecting(int number);

// shutdown of a listening socket, under the core lock: nothing comes any more. Then
// bm_net_socket_refuse takes what was not accepted, one at a time, NULL: no more; it has been reset, and
// netconn_delete, without the lock, frees it.
struct netconn;
void bm_net_socket_end_listening(int number);
struct netconn *bm_net_socket_refuse(int number);

// Ends the sending side of every TCP socket that is still open, for the end of the program; under the core
// lock.
void bm_net_socket_end_all(void);
