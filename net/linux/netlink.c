// AF_NETLINK's sockets: requests are answered as they are sent, and the answers wait to be received.
// SPDX-License-Identifier: MIT
//
// Of NETLINK_ROUTE the dumps of rtnetlink.c are there; other requests get an error, as netlink(7) says it.
// Nobody tells of changes, so groups cannot be joined. Linked by who names bm_linux_netlink: musl's
// getifaddrs and if_nameindex, and images of Linux executables.
#include "netlink.h"
#include "../lwip/memory.h"
#include "linux/netlink.h"
#include "wait/hooks.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/socket_ops.h>
#include <baremetal/time.h>
#include <baremetal/waitqueue.h>
#include <stdatomic.h>
#include <string.h>

enum { ROUTE = 0, REQUEST_MAX = 8192, ROOM = 212992, PIECES_MAX = 1024 };

// struct sockaddr_nl.
struct name {
    uint16_t family, pad;
    uint32_t port, groups;
};

struct netlink {
    struct bm_file file; // first
    struct bm_spinlock lock;
    int type;
    uint32_t port;
    struct bm_netlink_reply *first, *last;
    uint64_t receive_time;
    struct bm_waitqueue readers;
    struct bm_file_watchers watchers;
};

static struct netlink *netlink_of(struct bm_file *file)
{
    return (struct netlink *)file; // its first member
}

static void enqueue(struct netlink *netlink, const struct bm_netlink_answer *answer)
{
    if (!answer->first)
        return;
    bm_spinlock_acquire(&netlink->lock);
    *(netlink->first ? &netlink->last->next : &netlink->first) = answer->first;
    netlink->last = answer->last;
    bm_spinlock_release(&netlink->lock);
    bm_waitqueue_wake_all(&netlink->readers);
    bm_file_changed(&netlink->watchers, BM_POLLIN);
}

// Linux gives the first socket of a process its number, and others one that nobody has.
static void port_take(struct netlink *netlink)
{
    static _Atomic(uint32_t) others = UINT32_MAX - 4096;
    static atomic_bool first;
    if (!netlink->port)
        netlink->port = atomic_exchange(&first, true) ? atomic_fetch_sub(&others, 1) : 1;
}

// Answers the requests in `bytes`.
static int answer(struct netlink *netlink, const char *bytes, size_t size)
{
    struct bm_netlink_answer answer = {.port = netlink->port};
    if (!bm_netlink_answer_all(&answer, bytes, size))
        return -BM_ENOBUFS;
    enqueue(netlink, &answer);
    return 0;
}

static int name_check(const void *address, uint32_t size, struct name *name)
{
    if (!address || size < sizeof *name)
        return -BM_EINVAL;
    memcpy(name, address, sizeof *name);
    return name->family == BM_AF_NETLINK ? 0 : -BM_EINVAL;
}

static long netlink_send_message(struct bm_file *file, const struct bm_socket_message *message, int flags)
{
    struct netlink *netlink = netlink_of(file);
    struct name to;
    size_t size = 0;
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (message->address) {
        int error = name_check(message->address, message->address_size, &to);
        if (error)
            return error;
        if (to.port || to.groups)
            return -BM_ECONNREFUSED; // only the machine itself listens
    }
    if (message->count > PIECES_MAX)
        return -BM_EMSGSIZE;
    char *bytes = bm_net_allocate(REQUEST_MAX);
    if (!bytes)
        return -BM_ENOBUFS;
    for (size_t i = 0; i < message->count; i++) {
        if (message->pieces[i].size > REQUEST_MAX - size) {
            bm_net_free(bytes);
            return -BM_EMSGSIZE;
        }
        memcpy(bytes + size, message->pieces[i].data, message->pieces[i].size);
        size += message->pieces[i].size;
    }
    port_take(netlink);
    int error = answer(netlink, bytes, size);
    bm_net_free(bytes);
    return error ? error : (long)size;
}

static bool is_something(void *arg)
{
    const struct netlink *netlink = arg;
    return __atomic_load_n(&netlink->first, __ATOMIC_SEQ_CST) != NULL;
}

// Takes the first answer, or looks at it and leaves it there (*peeked).
static struct bm_netlink_reply *take(struct netlink *netlink, bool peek, struct bm_netlink_reply *peeked)
{
    bm_spinlock_acquire(&netlink->lock);
    struct bm_netlink_reply *reply = netlink->first;
    if (reply && peek)
        *peeked = *reply;
    else if (reply)
        netlink->first = reply->next;
    bm_spinlock_release(&netlink->lock);
    return reply && peek ? peeked : reply;
}

static size_t copy_out(const struct bm_netlink_reply *reply, const struct bm_socket_message *message)
{
    size_t done = 0;
    for (size_t i = 0; i < message->count && done < reply->size; i++) {
        size_t part = message->pieces[i].size;
        part = part < reply->size - done ? part : reply->size - done;
        memcpy(message->pieces[i].data, reply->bytes + done, part);
        done += part;
    }
    return done;
}

static void sender_tell(struct bm_socket_message *message)
{
    const struct name name = {.family = BM_AF_NETLINK};
    if (message->address)
        memcpy(message->address, &name,
               message->address_size < sizeof name ? message->address_size : sizeof name);
    message->address_size = sizeof name;
}

static long netlink_receive_message(struct bm_file *file, struct bm_socket_message *message, int flags)
{
    struct netlink *netlink = netlink_of(file);
    struct bm_netlink_reply *reply, *room = NULL;
    bool peek = flags & BM_MSG_PEEK, waits = !(flags & BM_MSG_DONTWAIT || file->flags & BM_O_NONBLOCK);
    uint64_t deadline = !waits                  ? 0
                        : netlink->receive_time ? bm_time_monotonic() + netlink->receive_time
                                                : UINT64_MAX;
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (peek && !(room = bm_net_allocate(sizeof *room)))
        return -BM_ENOBUFS;
    while (!(reply = take(netlink, peek, room))) {
        int error = bm_wait_signal(&netlink->readers, is_something, netlink, deadline);
        if (error) {
            bm_net_free(room);
            return error;
        }
    }
    size_t size = reply->size, done = copy_out(reply, message);
    bm_net_free(reply); // or `room`
    message->control_size = 0;
    message->flags = done < size ? BM_MSG_TRUNC : 0;
    sender_tell(message);
    return (long)(flags & BM_MSG_TRUNC ? size : done);
}

static long netlink_send(struct bm_file *file, const void *data, size_t size, int flags, const void *address,
                         uint32_t address_size)
{
    struct bm_file_piece piece = {(void *)(uintptr_t)data, size};
    const struct bm_socket_message message = {
        .address = (void *)(uintptr_t)address, .address_size = address_size, .pieces = &piece, .count = 1};
    return netlink_send_message(file, &message, flags);
}

static long netlink_receive(struct bm_file *file, void *buffer, size_t size, int flags, void *address,
                            uint32_t *address_size)
{
    struct bm_file_piece piece = {buffer, size};
    struct bm_socket_message message = {.pieces = &piece, .count = 1};
    if (address && address_size) {
        message.address = address;
        message.address_size = *address_size;
    }
    long got = netlink_receive_message(file, &message, flags);
    if (got >= 0 && message.address)
        *address_size = message.address_size;
    return got;
}

static long netlink_read(struct bm_file *file, void *buffer, size_t size)
{
    return netlink_receive(file, buffer, size, 0, NULL, NULL);
}

static long netlink_write(struct bm_file *file, const void *data, size_t size)
{
    return netlink_send(file, data, size, 0, NULL, 0);
}

static int netlink_bind(struct bm_file *file, const void *address, uint32_t size)
{
    struct netlink *netlink = netlink_of(file);
    struct name name;
    int error = name_check(address, size, &name);
    if (error)
        return error;
    if (name.groups)
        return -BM_EOPNOTSUPP; // nobody tells of changes
    if (netlink->port && name.port != netlink->port)
        return -BM_EINVAL;
    netlink->port = name.port;
    port_take(netlink);
    return 0;
}

// The peer is the machine.
static int netlink_connect(struct bm_file *file, const void *address, uint32_t size)
{
    struct name name;
    int error = name_check(address, size, &name);
    if (error)
        return error;
    if (name.port || name.groups)
        return -BM_ECONNREFUSED;
    port_take(netlink_of(file));
    return 0;
}

static int name_tell(uint32_t port, void *address, uint32_t *size)
{
    const struct name name = {.family = BM_AF_NETLINK, .port = port};
    memcpy(address, &name, *size < sizeof name ? *size : sizeof name);
    *size = sizeof name;
    return 0;
}

static int netlink_name(struct bm_file *file, void *address, uint32_t *size)
{
    return name_tell(netlink_of(file)->port, address, size);
}

static int netlink_peer(struct bm_file *file, void *address, uint32_t *size)
{
    (void)file;
    return name_tell(0, address, size);
}

static int option_get(struct bm_file *file, int level, int option, void *value, uint32_t *size)
{
    int number = 0;
    if (level != BM_SOL_SOCKET)
        return -BM_ENOPROTOOPT;
    switch (option) {
    case BM_SO_TYPE:
        number = netlink_of(file)->type;
        break;
    case BM_SO_DOMAIN:
        number = BM_AF_NETLINK;
        break;
    case BM_SO_RCVBUF:
    case BM_SO_SNDBUF:
        number = ROOM;
        break;
    case BM_SO_ERROR:
    case BM_SO_PROTOCOL:
        break;
    default:
        return -BM_ENOPROTOOPT;
    }
    *size = *size < sizeof number ? *size : sizeof number;
    memcpy(value, &number, *size);
    return 0;
}

static int option_set(struct bm_file *file, int level, int option, const void *value, uint32_t size)
{
    struct bm_socket_time time;
    if (level != BM_SOL_SOCKET)
        return -BM_ENOPROTOOPT;
    if (option == BM_SO_RCVBUF || option == BM_SO_SNDBUF || option == BM_SO_SNDTIMEO)
        return 0; // what is sent is answered at once
    if (option != BM_SO_RCVTIMEO)
        return -BM_ENOPROTOOPT;
    if (size < sizeof time)
        return -BM_EINVAL;
    memcpy(&time, value, sizeof time);
    if (time.microseconds < 0 || time.microseconds >= 1000000 || time.seconds < 0)
        return -BM_EDOM;
    netlink_of(file)->receive_time =
        time.seconds > INT32_MAX ? 0
                                 : (uint64_t)time.seconds * 1000000000 + (uint64_t)time.microseconds * 1000;
    return 0;
}

static int netlink_poll(struct bm_file *file)
{
    return BM_POLLOUT | (is_something(netlink_of(file)) ? BM_POLLIN : 0);
}

static struct bm_file_watchers *netlink_watchers(struct bm_file *file)
{
    return &netlink_of(file)->watchers;
}

static int netlink_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = BM_FILE_SOCKET | 0777;
    return 0;
}

static int netlink_set_flags(struct bm_file *file, int flags)
{
    (void)file, (void)flags; // the caller keeps them
    return 0;
}

static int netlink_close(struct bm_file *file)
{
    bm_file_gone(&netlink_of(file)->watchers);
    bm_netlink_replies_free(netlink_of(file)->first);
    bm_net_free(file);
    return 0;
}

static const struct bm_socket_ops socket_ops = {.bind = netlink_bind,
                                                .connect = netlink_connect,
                                                .send = netlink_send,
                                                .receive = netlink_receive,
                                                .send_message = netlink_send_message,
                                                .receive_message = netlink_receive_message,
                                                .name = netlink_name,
                                                .peer = netlink_peer,
                                                .option_get = option_get,
                                                .option_set = option_set};
static const struct bm_file_ops netlink_ops = {.read = netlink_read,
                                               .write = netlink_write,
                                               .stat = netlink_stat,
                                               .set_flags = netlink_set_flags,
                                               .poll = netlink_poll,
                                               .watchers = netlink_watchers,
                                               .close = netlink_close,
                                               .socket = &socket_ops};

// Without memory for it, it is lost, as on Linux.
bool bm_net_netlink_tell(struct bm_file *file, const void *bytes, size_t size)
{
    struct bm_netlink_reply *reply = file->ops == &netlink_ops ? bm_net_allocate(sizeof *reply) : NULL;
    if (reply) {
        BM_ASSERT(size <= sizeof reply->bytes, "what is told must fit into a datagram");
        reply->next = NULL;
        reply->size = size;
        memcpy(reply->bytes, bytes, size);
        enqueue(netlink_of(file), &(struct bm_netlink_answer){.first = reply, .last = reply});
    }
    return file->ops == &netlink_ops;
}

long bm_linux_netlink(int type, int protocol)
{
    int flags = type & (BM_SOCK_NONBLOCK | BM_SOCK_CLOEXEC);
    type &= ~flags;
    if (type != BM_SOCK_RAW && type != BM_SOCK_DGRAM)
        return -BM_ESOCKTNOSUPPORT;
    if (protocol != ROUTE)
        return -BM_EPROTONOSUPPORT;
    struct netlink *netlink = bm_net_allocate_zeroed(1, sizeof *netlink);
    if (!netlink)
        return -BM_ENOMEM;
    netlink->file.ops = &netlink_ops;
    netlink->file.flags = BM_O_RDWR | (flags & BM_SOCK_NONBLOCK ? BM_O_NONBLOCK : 0);
    netlink->type = type;
    int descriptor = bm_file_install(&netlink->file, 0);
    if (descriptor < 0)
        bm_net_free(netlink);
    else if (flags & BM_SOCK_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}
