// A socket: one of lwIP's, and what POSIX wants remembered beside it.
// SPDX-License-Identifier: MIT
#pragma once

#include "../lwip/socket_state.h"

#include <baremetal/assert.h>
#include <baremetal/file_watch.h>
#include <baremetal/socket.h>
#include <baremetal/waitqueue.h>

// What one context at a time does; all zeros: nobody.
struct bm_socket_turn {
    bool taken;
    struct bm_waitqueue waiting;
};

struct bm_socket {
    struct bm_file file; // first; of its descriptor, if it has one (file.h)
    struct bm_file_watchers watchers;
    int number; // lwIP's
    int family, type, protocol;
    bool nonblocking;
    bool bound, listening;
    bool connecting;        // a connect is under way or its result has not been asked for
    bool connecting_failed; // its result has been asked for, and was an error
    bool connected;         // was once
    bool shut_write;        // no more sends
    bool shut_read;         // no more waiting for what is to be received or accepted
    bool broken_off;        // a shutdown has ended its connect
    bool ended;             // the peer has closed or reset: what is received is the end
    int late_error;         // what ended it behind data that a receive has given: the next one says it, or 0
    struct bm_socket_turn receiving;      // or accepting; lwIP keeps the rest of a segment without a lock
    struct bm_socket_turn sending;        // on a stream: what one call sends stays together
    uint64_t receive_time, send_time;     // BM_SO_RCVTIMEO, BM_SO_SNDTIMEO in nanoseconds; 0: none
    struct bm_net_socket_options kept;    // of a connection before its attempt, which takes them with it
    union bm_socket_address kept_address; // the same, of one that was bound
    bool own_port;                        // its program has said which
    bool no_delay;                        // of a listening socket: for those that it accepts
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

// socket_turn.c: waits for a turn, until bm_time_monotonic() says `deadline` at the latest. Returns 0, or why
// it has not come (bm_wait_signal).
int bm_socket_turn_take(struct bm_socket_turn *turn, uint64_t deadline);
void bm_socket_turn_give(struct bm_socket_turn *turn);

// socket_poll.c: where every call waits that blocks, for lwIP's own functions never do. Until the socket has
// one of the events (BM_POLLIN or BM_POLLOUT), an error, or ends, and until `deadline` at the latest. Returns
// 0, or why it has ended (bm_wait_signal).
int bm_socket_await(struct bm_socket *socket, int events, uint64_t deadline);

// socket_call.c: lets lwIP's calls block, or not.
void bm_socket_set_blocking(const struct bm_socket *socket, bool blocks);

// Until when a call waits: not at all, `time` nanoseconds, or with 0 for ever.
uint64_t bm_socket_deadline(const struct bm_socket *socket, int flags, uint64_t time);

static inline bool bm_socket_is_nonblocking(const struct bm_socket *socket, int flags)
{
    return (flags & BM_MSG_DONTWAIT) || socket->nonblocking;
}

// Bytes of an address that is whole: what lwIP wants to see exactly, while callers may say more.
uint32_t bm_socket_address_size(const union bm_socket_address *address);

// Whether an address may be one of the socket. 0, -BM_EINVAL or -BM_EAFNOSUPPORT.
int bm_socket_address_check(const struct bm_socket *socket, const union bm_socket_address *address,
                            uint32_t size);

// Where to: as Linux has it, any address as a destination is this machine's loopback.
union bm_socket_address bm_socket_destination(const union bm_socket_address *address);

// Whether this machine has the address: one of an interface, loopback, any, or a group.
bool bm_socket_is_local(const union bm_socket_address *address);

// Before something is sent there: waits for the machine's first address, unless it is the machine itself.
void bm_socket_settle(const union bm_socket_address *address);

// What the socket of a file has to say at this moment, BM_POLL…; any context but handlers.
int bm_socket_events(struct bm_file *file);

// finish.c: at the program's end (libbaremetal/base/start.h).
void bm_net_finish(void);
