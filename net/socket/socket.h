// A socket: one of lwIP's, and what POSIX wants remembered beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/assert.h>
#include <baremetal/file_watch.h>
#include <baremetal/socket.h>
#include <baremetal/waitqueue.h>

struct bm_socket {
    struct bm_file file; // first; of its descriptor, if it has one (file.h)
    struct bm_file_watchers watchers;
    int number; // lwIP's
    int family, type, protocol;
    bool nonblocking;
    bool bound, listening;
    bool connecting; // a connect is under way or its result has not been asked for
    bool connected;  // was once
    bool shut_write; // no more sends
    bool ended;      // the peer has closed or reset: what is received is the end
    int late_error;  // what ended it behind data that a receive has given: the next one says it, or 0
    bool receiving;  // one context at a time: lwIP keeps the rest of a segment without a lock
    struct bm_waitqueue receivers; // that wait for their turn, also to accept
    uint64_t receive_time;         // BM_SO_RCVTIMEO in nanoseconds; 0: none
    bool no_delay;                 // of a listening socket: for those that it accepts
};

// What callers of the service have to observe (socket.h in ../include/). lwIP's lock is a spinlock, too.
#define BM_SOCKET_ASSERT(socket)                                                                             \
    do {                                                                                                     \
        BM_ASSERT_MAY_WAIT();                                                                                \
        BM_ASSERT(bm_socket_is_open(socket), "the socket must be open");                                     \
    } while (0)
bool bm_socket_is_open(const struct bm_socket *socket);

// Why the call of lwIP's that has just returned -1 failed, as POSIX names the situation: a negative error.
int bm_socket_failure(const struct bm_socket *socket);
// The same of an error that lwIP has said, positive.
int bm_socket_error(const struct bm_socket *socket, int error);

// The connection that was begun is there.
static inline void bm_socket_set_connected(struct bm_socket *socket)
{
    socket->connected = true;
    socket->connecting = false;
}

// Bytes of an address that is whole: what lwIP wants to see exactly, while callers may say more.
uint32_t bm_socket_address_size(const union bm_socket_address *address);

// Whether this machine has the address: one of an interface, loopback, any, or a group.
bool bm_socket_is_local(const union bm_socket_address *address);

// Before something is sent there: waits for the machine's first address, unless it is the machine itself.
void bm_socket_settle(const union bm_socket_address *address);

// socket_transfer.c: waits for the turn to receive, or to accept, of which one context at a time asks lwIP:
// lwIP wakes all contexts where several wait for the same thing. Returns 0 or -BM_EAGAIN; to be ended with
// the call's result, which bm_socket_turn_end returns.
int bm_socket_turn_begin(struct bm_socket *socket, int flags);
long bm_socket_turn_end(struct bm_socket *socket, long result);

// What the socket of a file has to say at this moment, BM_POLL…; any context but handlers.
int bm_socket_events(struct bm_file *file);

// finish.c: at the program's end (libbaremetal/base/start.h).
void bm_net_finish(void);
