// Sockets over the virtio socket device: making and ending them, and what a file of them does.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_vsock.h"

#include "../../libbaremetal/file/credentials.h"

#include <baremetal/time.h>

struct vsock *bm_vsock_make(bool nonblocking)
{
    static const uint64_t connect_time = 2000000000; // ns, as on Linux
    struct vsock *socket = bm_file_allocate(sizeof *socket);
    if (!socket)
        return NULL;
    socket->file.ops = &bm_vsock_ops;
    socket->file.flags = BM_O_RDWR | (nonblocking ? BM_O_NONBLOCK : 0);
    socket->connect_time = connect_time;
    socket->room_wanted = VSOCK_ROOM;
    socket->room_min = 1;
    socket->room_max = VSOCK_ROOM_MAX;
    socket->cid = BM_VSOCK_ANY;
    socket->deadline = UINT64_MAX;
    bm_vsock_lock();
    socket->next = bm_vsock.all;
    bm_vsock.all = socket;
    bm_vsock_unlock();
    return socket;
}

int bm_vsock_prepare(struct vsock *socket)
{
    unsigned order = 0;
    uint32_t room = (uint32_t)socket->room_wanted;
    if (socket->ring && room <= BM_PAGE_SIZE << socket->order) {
        socket->room = room;
        return 0;
    }
    while (BM_PAGE_SIZE << order < room)
        order++;
    unsigned char *ring = bm_frame_allocate(order);
    if (!ring)
        return -BM_ENOMEM;
    if (socket->ring)
        bm_frame_free(socket->ring, socket->order);
    socket->ring = ring;
    socket->order = order;
    socket->room = room;
    return 0;
}

void bm_vsock_free(struct vsock *socket)
{
    if (socket->ring)
        bm_frame_free(socket->ring, socket->order);
    bm_file_free(socket, sizeof *socket);
}

void bm_vsock_close_fresh(struct vsock *socket)
{
    bm_vsock_close(&socket->file);
}

// --- Names ---

static bool is_taken(uint32_t port)
{
    for (const struct vsock *at = bm_vsock.all; at; at = at->next)
        if (at->named && at->port == port)
            return true;
    return false;
}

// Not the same ones after each boot: the peer may remember connections of the last.
int bm_vsock_port_take(struct vsock *socket)
{
    static uint32_t next;
    enum { TRIES = 65536 };
    if (!next)
        next = (uint32_t)bm_time_wall() ^ (uint32_t)bm_time_monotonic();
    for (unsigned tries = 0; tries < TRIES; tries++) {
        next++;
        if (next < VSOCK_PORT_FREE || next == BM_VSOCK_ANY)
            next = VSOCK_PORT_FREE;
        if (is_taken(next))
            continue;
        socket->port = next;
        socket->named = true;
        return 0;
    }
    return -BM_EADDRNOTAVAIL;
}

static int name(struct vsock *socket, const struct bm_vsock_address *address, bool privileged)
{
    if (socket->named || socket->state != VSOCK_FRESH)
        return -BM_EINVAL;
    if (address->cid != BM_VSOCK_ANY && address->cid != atomic_load(&bm_vsock.cid))
        return -BM_EADDRNOTAVAIL;
    socket->cid = address->cid;
    if (address->port == BM_VSOCK_ANY)
        return bm_vsock_port_take(socket);
    if (address->port < VSOCK_PORT_FREE && !privileged)
        return -BM_EACCES;
    if (is_taken(address->port))
        return -BM_EADDRINUSE;
    socket->port = address->port;
    socket->named = true;
    return 0;
}

int bm_vsock_bind(struct bm_file *file, const void *address, uint32_t size)
{
    struct bm_vsock_address taken;
    int error = bm_vsock_address_take(address, size, &taken);
    if (error)
        return error;
    bool privileged = bm_may(BM_CAP_NET_BIND_SERVICE);
    bm_vsock_lock();
    error = name(bm_vsock_of(file), &taken, privileged);
    bm_vsock_unlock();
    return error;
}

// --- The end ---

static void end(struct vsock *socket)
{
    static const uint64_t patience = 8000000000; // ns, as on Linux
    if (socket->state == VSOCK_CONNECTING ||
        (socket->state == VSOCK_CONNECTED && socket->peer_shut == VSOCK_SHUT_BOTH)) {
        bm_vsock_owe(socket, VSOCK_RESET);
        socket->state = VSOCK_ENDED;
    } else if (socket->state == VSOCK_CONNECTED) {
        socket->shut = VSOCK_SHUT_BOTH;
        bm_vsock_owe(socket, VSOCK_SHUTDOWN); // the peer answers with a reset (section 5.10.6.5)
        bm_vsock_deadline_set(socket, bm_time_monotonic() + patience);
    } else {
        socket->state = VSOCK_ENDED;
    }
}

// Connections that nobody has accepted are reset; nobody waits for one, or watches it.
static void pending_end(struct vsock *listener)
{
    for (struct vsock *at = listener->pending; at; at = at->next_pending) {
        at->is_pending = false;
        at->closed = true;
        if (at->state == VSOCK_CONNECTED)
            bm_vsock_owe(at, VSOCK_RESET);
        at->state = VSOCK_ENDED;
        bm_vsock_deadline_set(at, 0);
    }
    listener->pending = NULL;
}

static bool unlist(struct vsock *socket)
{
    struct vsock **place = &bm_vsock.all;
    if (socket->state != VSOCK_ENDED || socket->owes)
        return false;
    while (*place != socket)
        place = &(*place)->next;
    *place = socket->next;
    return true;
}

int bm_vsock_close(struct bm_file *file)
{
    struct vsock *socket = bm_vsock_of(file);
    bm_file_gone(&socket->watchers);
    bm_vsock_lock();
    pending_end(socket);
    socket->named = false; // others may have the port
    end(socket);
    unsigned char *ring = socket->ring;
    unsigned order = socket->order;
    socket->ring = NULL;
    socket->closed = true;
    bool gone = unlist(socket);
    bm_vsock_unlock();
    if (ring)
        bm_frame_free(ring, order);
    if (gone)
        bm_vsock_free(socket);
    return 0;
}

// --- Files ---

static long vsock_read(struct bm_file *file, void *buffer, size_t size)
{
    struct bm_file_piece piece = {buffer, size};
    struct bm_socket_message message = {.pieces = &piece, .count = 1};
    return bm_vsock_receive_message(file, &message, 0);
}

static long vsock_write(struct bm_file *file, const void *data, size_t size)
{
    struct bm_file_piece piece = {(void *)(uintptr_t)data, size};
    return bm_vsock_send_message(file, &(struct bm_socket_message){.pieces = &piece, .count = 1}, 0);
}

static long vsock_readv(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    struct bm_socket_message message = {.pieces = (struct bm_file_piece *)(uintptr_t)pieces,
                                        .count = (size_t)count};
    return bm_vsock_receive_message(file, &message, 0);
}

static long vsock_writev(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    const struct bm_socket_message message = {.pieces = (struct bm_file_piece *)(uintptr_t)pieces,
                                              .count = (size_t)count};
    return bm_vsock_send_message(file, &message, 0);
}

static long vsock_send(struct bm_file *file, const void *data, size_t size, int flags, const void *address,
                       uint32_t address_size)
{
    struct bm_file_piece piece = {(void *)(uintptr_t)data, size};
    const struct bm_socket_message message = {.address = (void *)(uintptr_t)address,
                                              .address_size = address ? address_size : 0,
                                              .pieces = &piece,
                                              .count = 1};
    return bm_vsock_send_message(file, &message, flags);
}

static long vsock_receive(struct bm_file *file, void *buffer, size_t size, int flags, void *address,
                          uint32_t *address_size)
{
    struct bm_file_piece piece = {buffer, size};
    struct bm_socket_message message = {.pieces = &piece, .count = 1};
    long got = bm_vsock_receive_message(file, &message, flags);
    if (got >= 0 && address && address_size)
        *address_size = 0;
    return got;
}

static int vsock_stat(struct bm_file *file, struct bm_file_status *status)
{
    status->mode = BM_FILE_SOCKET | 0777;
    status->links = 1;
    status->number = (uintptr_t)file / sizeof(void *); // one that no other socket has at the same time
    status->block_size = BM_PAGE_SIZE;
    return 0;
}

static struct bm_file_watchers *vsock_watchers(struct bm_file *file)
{
    return &bm_vsock_of(file)->watchers;
}

static int vsock_set_flags(struct bm_file *file, int flags)
{
    (void)file, (void)flags; // the caller keeps them
    return 0;
}

static const struct bm_socket_ops socket_ops = {.bind = bm_vsock_bind,
                                                .listen = bm_vsock_listen_file,
                                                .accept = bm_vsock_accept_file,
                                                .connect = bm_vsock_connect_file,
                                                .send = vsock_send,
                                                .receive = vsock_receive,
                                                .send_message = bm_vsock_send_message,
                                                .receive_message = bm_vsock_receive_message,
                                                .shutdown = bm_vsock_shutdown_file,
                                                .name = bm_vsock_name,
                                                .peer = bm_vsock_peer,
                                                .option_get = bm_vsock_option_get,
                                                .option_set = bm_vsock_option_set};

const struct bm_file_ops bm_vsock_ops = {.read = vsock_read,
                                         .write = vsock_write,
                                         .readv = vsock_readv,
                                         .writev = vsock_writev,
                                         .stat = vsock_stat,
                                         .control = bm_vsock_control,
                                         .set_flags = vsock_set_flags,
                                         .poll = bm_vsock_poll,
                                         .watchers = vsock_watchers,
                                         .close = bm_vsock_close,
                                         .socket = &socket_ops};
