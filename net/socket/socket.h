// A socket: a descriptor's file, one of lwIP's sockets behind it, and what POSIX wants remembered.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/file.h>
#include <stdbool.h>
#include <sys/socket.h>

struct bm_socket {
    struct bm_file file; // first
    int number;          // lwIP's
    int family, type, protocol;
    bool bound, listening;
    bool connecting; // a connect is under way or its result has not been asked for
    bool connected;  // was once
    bool shut_write; // no more sends
    bool ended;      // the peer has closed or reset: recv gives 0
    bool no_delay;   // of a listening socket: for those that it accepts
};

// socket_file.c: a descriptor for lwIP's socket, or -1 with errno set (the socket is then closed).
int bm_socket_install(int number, int family, int type, int protocol, bool nonblocking);

// The socket of a descriptor with a reference, or NULL with errno EBADF or ENOTSOCK.
struct bm_socket *bm_socket_acquire(int descriptor);
void bm_socket_release(struct bm_socket *socket);

// socket_transfer.c: negative errno, or bytes.
long bm_socket_receive(struct bm_socket *socket, void *buffer, size_t size, int flags,
                       struct sockaddr *address, socklen_t *length);
long bm_socket_send(struct bm_socket *socket, const void *data, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length);

long bm_socket_receive_message(struct bm_socket *socket, struct msghdr *message, int flags);
long bm_socket_send_message(struct bm_socket *socket, const struct msghdr *message, int flags);

// socket_call.c: before something is sent there: waits for the machine's first address, unless it is the
// machine itself.
void bm_socket_settle(const struct sockaddr *address);

// finish.c: at the program's end (libbaremetal/base/start.h).
void bm_net_finish(void);

// lwIP's errno as POSIX names the situation.
int bm_socket_error(const struct bm_socket *socket, int error);

// -1 with errno set from a negative result, else the result.
long bm_socket_result(long result);
