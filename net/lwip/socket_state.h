// What lwIP keeps of a socket and does not tell. `number` is lwIP's.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

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

// Of a TCP socket: whether its program asked for a linger of 0 seconds. Its connection ends with a reset;
// under the core lock.
bool bm_net_socket_is_unlingering(int number);
void bm_net_socket_reset(int number);

// Ends the sending side of every TCP socket that is still open, for the end of the program; under the core
// lock.
void bm_net_socket_end_all(void);
