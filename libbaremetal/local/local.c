// Sockets within the machine (AF_UNIX): making them, and what a file of them does.
// SPDX-License-Identifier: MIT
#include "local.h"

#include <baremetal/time.h>

struct bm_spinlock bm_local_lock;
struct bm_local *bm_local_all;

struct bm_local *bm_local_make(int type, bool nonblocking)
{
    struct bm_local *local = bm_file_allocate(sizeof *local);
    if (!local)
        return NULL;
    local->file.ops = &bm_local_ops;
    local->file.flags = BM_O_RDWR | (nonblocking ? BM_O_NONBLOCK : 0);
    local->type = type;
    local->room = LOCAL_ROOM;
    local->name.size = sizeof local->name.address.family;
    local->name.address.family = BM_AF_UNIX;
    atomic_store(&local->references, 1);
    bm_spinlock_acquire(&bm_local_lock);
    local->next_all = bm_local_all;
    local->place_all = &bm_local_all;
    if (bm_local_all)
        bm_local_all->place_all = &local->next_all;
    bm_local_all = local;
    bm_spinlock_release(&bm_local_lock);
    return local;
}

struct bm_local *bm_local_hold(struct bm_local *local)
{
    atomic_fetch_add(&local->references, 1);
    return local;
}

void bm_local_put(struct bm_local *local)
{
    if (atomic_fetch_sub(&local->references, 1) != 1)
        return;
    BM_ASSERT_HERE(!local->first && !local->pending && !local->peer, "a socket that is freed was closed");
    bm_file_free(local, sizeof *local);
}

// Tells those that send to it.
static void tell_senders(struct bm_local *local, int events)
{
    bm_waitqueue_wake_all(&local->writers); // who wait for different numbers of bytes
    bm_spinlock_acquire(&bm_local_lock);
    if (bm_local_is_connected_kind(local) && local->peer)
        bm_file_changed(&local->peer->watchers, events);
    for (struct bm_local *at = bm_local_all; at && !bm_local_is_connected_kind(local); at = at->next_all)
        if (at->peer == local)
            bm_file_changed(&at->watchers, events);
    bm_spinlock_release(&bm_local_lock);
}

// Its own sends wait in the queue of whom they are for; of datagrams it may be anybody.
static void wake_own(const struct bm_local *local)
{
    bm_spinlock_acquire(&bm_local_lock);
    if (local->peer)
        bm_waitqueue_wake_all(&local->peer->writers);
    for (struct bm_local *at = bm_local_all; at && !bm_local_is_connected_kind(local); at = at->next_all)
        bm_waitqueue_wake_all(&at->writers);
    bm_spinlock_release(&bm_local_lock);
}

void bm_local_changed(struct bm_local *local)
{
    bm_waitqueue_wake_all(&local->readers);
    bm_file_changed(&local->watchers, 0);
    tell_senders(local, 0);
    wake_own(local);
}

void bm_local_arrived(struct bm_local *local)
{
    bm_waitqueue_wake_one(&local->readers);
    bm_file_changed(&local->watchers, BM_POLLIN);
}

void bm_local_left(struct bm_local *local)
{
    bm_waitqueue_wake_one(&local->readers);
}

void bm_local_taken(struct bm_local *local)
{
    tell_senders(local, BM_POLLOUT);
}

uint64_t bm_local_deadline(const struct bm_local *local, int flags, uint64_t time)
{
    if (flags & BM_MSG_DONTWAIT || local->file.flags & BM_O_NONBLOCK)
        return 0;
    return time ? bm_time_monotonic() + time : UINT64_MAX;
}

// The type of a new socket, with *flags beside it, or a negative error.
static int type_of(int type, int protocol, int *flags)
{
    *flags = type & (BM_SOCK_NONBLOCK | BM_SOCK_CLOEXEC);
    enum { TYPES = 11 };
    type &= ~*flags;
    if (type < 0 || type >= TYPES)
        return -BM_EINVAL;
    if (protocol != 0 && protocol != BM_AF_UNIX)
        return -BM_EPROTONOSUPPORT;
    if (type == BM_SOCK_RAW)
        return BM_SOCK_DGRAM;
    return type == BM_SOCK_STREAM || type == BM_SOCK_DGRAM || type == BM_SOCK_SEQPACKET ? type
                                                                                        : -BM_ESOCKTNOSUPPORT;
}

static int install(struct bm_local *local, int flags)
{
    int descriptor = bm_file_install(&local->file, 0);
    if (descriptor >= 0 && flags & BM_SOCK_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

int bm_local_socket(int type, int protocol)
{
    BM_ASSERT_MAY_WAIT();
    int flags;
    type = type_of(type, protocol, &flags);
    if (type < 0)
        return type;
    struct bm_local *local = bm_local_make(type, flags & BM_SOCK_NONBLOCK);
    if (!local)
        return -BM_ENOMEM;
    int descriptor = install(local, flags);
    if (descriptor < 0)
        bm_local_close(&local->file);
    return descriptor;
}

static void pair(struct bm_local *one, struct bm_local *other)
{
    bm_spinlock_acquire(&bm_local_lock);
    one->peer = bm_local_hold(other);
    other->peer = bm_local_hold(one);
    one->state = other->state = LOCAL_CONNECTED;
    bm_spinlock_release(&bm_local_lock);
}

int bm_local_pair(int type, int protocol, int descriptors[2])
{
    BM_ASSERT_MAY_WAIT();
    int flags;
    type = type_of(type, protocol, &flags);
    if (type < 0)
        return type;
    struct bm_local *one = bm_local_make(type, flags & BM_SOCK_NONBLOCK), *other = NULL;
    if (one)
        other = bm_local_make(type, flags & BM_SOCK_NONBLOCK);
    int first = -BM_ENOMEM, second = -BM_ENOMEM;
    if (other) {
        pair(one, other);
        first = install(one, flags);
        if (first >= 0)
            second = install(other, flags);
    }
    if (first < 0 && one)
        bm_local_close(&one->file);
    if (second < 0 && other)
        bm_local_close(&other->file);
    if (first >= 0 && second < 0)
        bm_file_close(first);
    if (first < 0 || second < 0)
        return first < 0 ? first : second;
    descriptors[0] = first;
    descriptors[1] = second;
    return 0;
}

static long local_read(struct bm_file *file, void *buffer, size_t size)
{
    struct bm_file_piece piece = {buffer, size};
    struct bm_socket_message message = {.pieces = &piece, .count = 1};
    return size ? bm_local_receive_message(file, &message, 0) : 0;
}

static long local_write(struct bm_file *file, const void *data, size_t size)
{
    struct bm_file_piece piece = {(void *)(uintptr_t)data, size};
    const struct bm_socket_message message = {.pieces = &piece, .count = 1};
    return bm_local_send_message(file, &message, 0);
}

static long local_readv(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    struct bm_socket_message message = {.pieces = (struct bm_file_piece *)(uintptr_t)pieces,
                                        .count = (size_t)count};
    return bm_local_receive_message(file, &message, 0);
}

static long local_writev(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    const struct bm_socket_message message = {.pieces = (struct bm_file_piece *)(uintptr_t)pieces,
                                              .count = (size_t)count};
    return bm_local_send_message(file, &message, 0);
}

static long local_send(struct bm_file *file, const void *data, size_t size, int flags, const void *address,
                       uint32_t address_size)
{
    struct bm_file_piece piece = {(void *)(uintptr_t)data, size};
    const struct bm_socket_message message = {.address = (void *)(uintptr_t)address,
                                              .address_size = address ? address_size : 0,
                                              .pieces = &piece,
                                              .count = 1};
    return bm_local_send_message(file, &message, flags);
}

static long local_receive(struct bm_file *file, void *buffer, size_t size, int flags, void *address,
                          uint32_t *address_size)
{
    struct bm_file_piece piece = {buffer, size};
    struct bm_socket_message message = {.pieces = &piece, .count = 1};
    if (address && address_size) {
        message.address = address;
        message.address_size = *address_size;
    }
    long got = bm_local_receive_message(file, &message, flags);
    if (got >= 0 && message.address)
        *address_size = message.address_size;
    return got;
}

static int local_stat(struct bm_file *file, struct bm_file_status *status)
{
    status->mode = BM_FILE_SOCKET | 0777;
    status->links = 1;
    status->number = (uintptr_t)file / sizeof(void *); // one that no other socket has at the same time
    status->block_size = BM_PAGE_SIZE;
    return 0;
}

static struct bm_file_watchers *watchers(struct bm_file *file)
{
    return &bm_local_of(file)->watchers;
}

static int set_flags(struct bm_file *file, int flags)
{
    (void)file, (void)flags; // the caller keeps them
    return 0;
}

static const struct bm_socket_ops socket_ops = {.bind = bm_local_bind,
                                                .listen = bm_local_listen,
                                                .accept = bm_local_accept,
                                                .connect = bm_local_connect,
                                                .send = local_send,
                                                .receive = local_receive,
                                                .send_message = bm_local_send_message,
                                                .receive_message = bm_local_receive_message,
                                                .shutdown = bm_local_shutdown,
                                                .name = bm_local_name_get,
                                                .peer = bm_local_peer,
                                                .option_get = bm_local_option_get,
                                                .option_set = bm_local_option_set};

const struct bm_file_ops bm_local_ops = {.read = local_read,
                                         .write = local_write,
                                         .readv = local_readv,
                                         .writev = local_writev,
                                         .stat = local_stat,
                                         .control = bm_local_control,
                                         .set_flags = set_flags,
                                         .poll = bm_local_poll,
                                         .watchers = watchers,
                                         .close = bm_local_close,
                                         .socket = &socket_ops};
