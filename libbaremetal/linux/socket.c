// Calls of sockets: what the kind of a descriptor's file does (baremetal/socket_ops.h).
// SPDX-License-Identifier: MIT
//
// bm_linux_socket alone is another one with baremetal::net (net/linux) and without (no_sockets.c).
#include "../file/credentials.h"
#include "linux.h"
#include "reach.h"
#include "signals.h"

#include <baremetal/file_watch.h>
#include <baremetal/local.h>
#include <baremetal/socket_ops.h>

// 0, -BM_EBADF or -BM_ENOTSOCK.
static int acquire(int descriptor, struct bm_file **file)
{
    *file = bm_linux_file(descriptor, -1);
    if (!*file)
        return -BM_EBADF;
    int error = (*file)->flags & LINUX_O_PATH ? -BM_EBADF : (*file)->ops->socket ? 0 : -BM_ENOTSOCK;
    if (error)
        bm_file_release(*file);
    return error;
}

long bm_linux_socketpair(int family, int type, int protocol, int descriptors[2])
{
    if (family == BM_AF_INET || family == BM_AF_INET6)
        return -BM_EOPNOTSUPP;
    return family == BM_AF_UNIX ? bm_local_pair(type, protocol, descriptors) : -BM_EAFNOSUPPORT;
}

// Whether it is a port that not everybody may have. It stands behind the family in both of the Internet's
// (ip(7), ipv6(7)), its high byte first.
static bool is_privileged(const uint8_t *address, unsigned size)
{
    enum { SIZE_MIN = 16, PORT = 2, PORT_FREE = 1024 };
    uint16_t family;
    if (!address || size < SIZE_MIN)
        return false;
    __builtin_memcpy(&family, address, sizeof family);
    unsigned port = (unsigned)address[PORT] << 8 | address[PORT + 1];
    return (family == BM_AF_INET || family == BM_AF_INET6) && port && port < PORT_FREE;
}

// An address that was taken out of the program's memory once, which other threads may change meanwhile: what
// is looked at is what is used.
struct address {
    _Alignas(8) uint8_t bytes[128]; // struct sockaddr_storage
};

static bool take_address(struct address *taken, const void *address, unsigned size)
{
    if (size > sizeof taken->bytes)
        return false;
    if (address)
        __builtin_memcpy(taken->bytes, address, size);
    return true;
}

long bm_linux_bind(int descriptor, const void *address, unsigned size)
{
    struct bm_file *file;
    struct address taken;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    if (!take_address(&taken, address, size))
        return bm_linux_finish(file, -BM_EINVAL);
    address = address ? &taken : NULL;
    if (is_privileged(address, size) && !bm_may(BM_CAP_NET_BIND_SERVICE))
        return bm_linux_finish(file, -BM_EACCES);
    return bm_linux_finish(file, file->ops->socket->bind ? file->ops->socket->bind(file, address, size)
                                                         : -BM_EOPNOTSUPP);
}

long bm_linux_listen(int descriptor, int backlog)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    return bm_linux_finish(file, file->ops->socket->listen ? file->ops->socket->listen(file, backlog)
                                                           : -BM_EOPNOTSUPP);
}

// The descriptor comes first: without one no connection is taken.
static long accept_into(int descriptor, struct bm_file *file, void *address, unsigned *size, int flags)
{
    struct bm_file *accepted;
    if (descriptor < 0)
        return descriptor;
    int error = file->ops->socket->accept(file, address, size, flags & BM_SOCK_NONBLOCK, &accepted);
    if (error) {
        bm_file_fill(descriptor, NULL);
        return error;
    }
    bm_file_fill(descriptor, accepted);
    if (flags & BM_SOCK_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

long bm_linux_accept4(int descriptor, void *address, unsigned *size, int flags)
{
    struct bm_file *file;
    if (flags & ~(BM_SOCK_NONBLOCK | BM_SOCK_CLOEXEC))
        return -BM_EINVAL;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    return bm_linux_finish(file, file->ops->socket->accept
                                     ? accept_into(bm_file_reserve(), file, address, size, flags)
                                     : -BM_EOPNOTSUPP);
}

long bm_linux_accept(int descriptor, void *address, unsigned *size)
{
    return bm_linux_accept4(descriptor, address, size, 0);
}

long bm_linux_connect(int descriptor, const void *address, unsigned size)
{
    struct bm_file *file;
    struct address taken;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    if (!take_address(&taken, address, size))
        return bm_linux_finish(file, -BM_EINVAL);
    return bm_linux_finish(file, file->ops->socket->connect
                                     ? file->ops->socket->connect(file, address ? &taken : NULL, size)
                                     : -BM_EOPNOTSUPP);
}

static long sent(struct bm_file *file, long result, int flags)
{
    bm_file_release(file);
    return flags & BM_MSG_NOSIGNAL ? bm_linux_part_done(result)
                                   : bm_linux_pipe_result(bm_linux_part_done(result));
}

static long received(struct bm_file *file, long result)
{
    bm_file_release(file);
    return bm_linux_part_done(result);
}

long bm_linux_sendto(int descriptor, const void *data, size_t size, int flags, const void *address,
                     unsigned address_size)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    size = bm_linux_part(size);
    if (bm_linux_reachable(file, data, size, false) < 0)
        return sent(file, -BM_EFAULT, flags);
    return sent(file, file->ops->socket->send(file, data, size, flags, address, address_size), flags);
}

long bm_linux_recvfrom(int descriptor, void *buffer, size_t size, int flags, void *address,
                       unsigned *address_size)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    size = bm_linux_part(size);
    if (bm_linux_reachable(file, buffer, size, true) < 0)
        return received(file, -BM_EFAULT);
    return received(file, file->ops->socket->receive(file, buffer, size, flags, address, address_size));
}

static long send_one(struct bm_file *file, struct bm_socket_message *message, int flags)
{
    if (bm_linux_reach_message && bm_linux_reach_message(file, message, false))
        return -BM_EFAULT;
    return file->ops->socket->send_message(file, message, flags);
}

static long receive_one(struct bm_file *file, struct bm_socket_message *message, int flags)
{
    if (bm_linux_reach_message && bm_linux_reach_message(file, message, true))
        return -BM_EFAULT;
    return file->ops->socket->receive_message(file, message, flags);
}

long bm_linux_sendmsg(int descriptor, const void *message, int flags)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    return sent(file, send_one(file, (void *)(uintptr_t)message, flags), flags);
}

long bm_linux_recvmsg(int descriptor, void *message, int flags)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    return received(file, receive_one(file, message, flags));
}

// struct mmsghdr: a message, and how many bytes of it went.
struct counted_message {
    struct bm_socket_message message;
    unsigned bytes;
} __attribute__((may_alias));

enum { MESSAGES_MAX = 1024, MSG_WAITFORONE = 0x10000 };

// Several messages: up to which, how, and until when those behind the first are waited for.
struct several {
    struct counted_message *messages;
    unsigned count;
    int flags, flags_later;
    uint64_t deadline; // UINT64_MAX: no time was told
    long (*one)(struct bm_file *file, struct bm_socket_message *message, int flags);
};

// A wait for the next message.
struct next {
    struct bm_file_wait wait; // first
    int descriptor;
};

static bool is_there(struct bm_file_wait *wait)
{
    int events = bm_file_ask(wait, ((struct next *)wait)->descriptor);
    return events & (LINUX_POLLIN | LINUX_POLLERR | LINUX_POLLHUP | LINUX_POLLNVAL);
}

static bool is_signalled(void *arg)
{
    (void)arg;
    return bm_wait_signalled();
}

static bool wait_for_next(int descriptor, uint64_t deadline)
{
    struct next next = {.wait = {.ask = is_there, .interrupted = is_signalled}, .descriptor = descriptor};
    return bm_file_wait(&next.wait, deadline);
}

// Their count, or the error of the first.
static long several(int descriptor, const struct several *several)
{
    struct bm_file *file;
    long result = acquire(descriptor, &file);
    unsigned done = 0;
    if (result)
        return result;
    for (; done < several->count && done < MESSAGES_MAX; done++) {
        int flags = done ? several->flags_later : several->flags;
        if (done && several->deadline != UINT64_MAX && !(flags & BM_MSG_DONTWAIT)) {
            if (!wait_for_next(descriptor, several->deadline))
                break;
            flags |= BM_MSG_DONTWAIT;
        }
        result = several->one(file, &several->messages[done].message, flags);
        if (result < 0)
            break;
        several->messages[done].bytes = (unsigned)result;
    }
    return sent(file, done ? (long)done : result < 0 ? result : 0, several->flags);
}

long bm_linux_sendmmsg(int descriptor, void *messages, unsigned count, unsigned flags)
{
    return several(descriptor, &(struct several){.messages = messages,
                                                 .count = count,
                                                 .flags = (int)flags,
                                                 .flags_later = (int)flags,
                                                 .deadline = UINT64_MAX,
                                                 .one = send_one});
}

long bm_linux_recvmmsg(int descriptor, void *messages, unsigned count, unsigned flags,
                       const struct linux_timespec *timeout)
{
    uint64_t duration = 0;
    int error = timeout ? bm_linux_nanoseconds(timeout, &duration) : 0;
    if (error)
        return error;
    int each = (int)(flags & ~MSG_WAITFORONE);
    return several(descriptor,
                   &(struct several){.messages = messages,
                                     .count = count,
                                     .flags = each,
                                     .flags_later = flags & MSG_WAITFORONE ? each | BM_MSG_DONTWAIT : each,
                                     .deadline = timeout ? bm_linux_deadline(duration) : UINT64_MAX,
                                     .one = receive_one});
}

long bm_linux_shutdown(int descriptor, int how)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    return bm_linux_finish(file, file->ops->socket->shutdown ? file->ops->socket->shutdown(file, how)
                                                             : -BM_EOPNOTSUPP);
}

// Sizes of what is told are ints.
static int refuse_size(const unsigned *size)
{
    return size && (int)*size < 0 ? -BM_EINVAL : 0;
}

long bm_linux_getsockname(int descriptor, void *address, unsigned *size)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    error = refuse_size(size);
    return bm_linux_finish(file, error ? error : file->ops->socket->name(file, address, size));
}

long bm_linux_getpeername(int descriptor, void *address, unsigned *size)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    error = refuse_size(size);
    return bm_linux_finish(file, error ? error : file->ops->socket->peer(file, address, size));
}

long bm_linux_getsockopt(int descriptor, int level, int option, void *value, unsigned *size)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    if (error)
        return error;
    error = refuse_size(size);
    return bm_linux_finish(file,
                           error ? error : file->ops->socket->option_get(file, level, option, value, size));
}

long bm_linux_setsockopt(int descriptor, int level, int option, const void *value, unsigned size)
{
    struct bm_file *file;
    int error = acquire(descriptor, &file);
    return error ? error
                 : bm_linux_finish(file, file->ops->socket->option_set(file, level, option, value, size));
}
