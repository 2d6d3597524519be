// Linux' calls of sockets under musl: the service (baremetal/socket.h) on the socket of a descriptor.
// SPDX-License-Identifier: MIT
//
// All in one file: programs without baremetal::net have no_sockets.c of libbaremetal/linux in its place.
#include "../socket/file.h"
#include "linux/calls.h"
#include "linux/signals.h"

#include <baremetal/error.h>
#include <baremetal/socket.h>

static long finish(struct bm_socket *socket, long result)
{
    bm_socket_release(socket);
    return result;
}

static long sent(struct bm_socket *socket, long result, int flags)
{
    enum { NOSIGNAL = 0x4000 };
    finish(socket, 0);
    return flags & NOSIGNAL ? result : bm_linux_pipe_result(result);
}

long bm_linux_socket(int family, int type, int protocol)
{
    struct bm_socket *made;
    int result = bm_socket_open(family, type, protocol, &made);
    return result ? result : bm_socket_install(made);
}

long bm_linux_bind(int descriptor, const void *address, unsigned size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_bind(socket, address, size));
}

long bm_linux_listen(int descriptor, int backlog)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_listen(socket, backlog));
}

long bm_linux_accept4(int descriptor, void *address, unsigned *size, int flags)
{
    struct bm_socket *socket, *accepted;
    int error = bm_socket_acquire(descriptor, &socket);
    if (error)
        return error;
    long result = bm_socket_accept(socket, address, size, flags, &accepted);
    return finish(socket, result == 0 ? bm_socket_install(accepted) : result);
}

long bm_linux_accept(int descriptor, void *address, unsigned *size)
{
    return bm_linux_accept4(descriptor, address, size, 0);
}

long bm_linux_connect(int descriptor, const void *address, unsigned size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_connect(socket, address, size));
}

long bm_linux_sendto(int descriptor, const void *data, size_t size, int flags, const void *address,
                     unsigned address_size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error
                 : sent(socket, bm_socket_send(socket, data, size, flags, address, address_size), flags);
}

long bm_linux_recvfrom(int descriptor, void *buffer, size_t size, int flags, void *address,
                       unsigned *address_size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error
                 : finish(socket, bm_socket_receive(socket, buffer, size, flags, address, address_size));
}

long bm_linux_sendmsg(int descriptor, const void *message, int flags)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : sent(socket, bm_socket_send_message(socket, message, flags), flags);
}

long bm_linux_recvmsg(int descriptor, void *message, int flags)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_receive_message(socket, message, flags));
}

// struct mmsghdr: a message, and how many bytes of it went.
struct counted_message {
    struct bm_socket_message message;
    unsigned bytes;
} __attribute__((may_alias));

enum { MESSAGES_MAX = 1024, MSG_WAITFORONE = 0x10000 };

// What several messages have come to: their count, or the error of the first.
static long several(unsigned done, long result)
{
    return done ? (long)done : result < 0 ? result : 0;
}

long bm_linux_sendmmsg(int descriptor, void *messages, unsigned count, unsigned flags)
{
    struct counted_message *at = messages;
    struct bm_socket *socket;
    long result = bm_socket_acquire(descriptor, &socket);
    unsigned done = 0;
    if (result)
        return result;
    for (; done < count && done < MESSAGES_MAX; done++) {
        result = bm_socket_send_message(socket, &at[done].message, (int)flags);
        if (result < 0)
            break;
        at[done].bytes = (unsigned)result;
    }
    return sent(socket, several(done, result), (int)flags);
}

long bm_linux_recvmmsg(int descriptor, void *messages, unsigned count, unsigned flags,
                       const struct linux_timespec *timeout)
{
    struct counted_message *at = messages;
    struct bm_socket *socket;
    long result = bm_socket_acquire(descriptor, &socket);
    unsigned done = 0;
    if (result)
        return result;
    if (timeout) // looked at between two messages only, as Linux does; the first is waited for without end
        flags |= MSG_WAITFORONE;
    for (; done < count && done < MESSAGES_MAX; done++) {
        int more = done && flags & MSG_WAITFORONE ? BM_MSG_DONTWAIT : 0;
        result = bm_socket_receive_message(socket, &at[done].message, (int)(flags & ~MSG_WAITFORONE) | more);
        if (result < 0)
            break;
        at[done].bytes = (unsigned)result;
    }
    return finish(socket, several(done, result));
}

long bm_linux_shutdown(int descriptor, int how)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_shutdown(socket, how));
}

long bm_linux_getsockname(int descriptor, void *address, unsigned *size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_name(socket, address, size));
}

long bm_linux_getpeername(int descriptor, void *address, unsigned *size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_peer(socket, address, size));
}

long bm_linux_getsockopt(int descriptor, int level, int option, void *value, unsigned *size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_option_get(socket, level, option, value, size));
}

long bm_linux_setsockopt(int descriptor, int level, int option, const void *value, unsigned size)
{
    struct bm_socket *socket;
    int error = bm_socket_acquire(descriptor, &socket);
    return error ? error : finish(socket, bm_socket_option_set(socket, level, option, value, size));
}
