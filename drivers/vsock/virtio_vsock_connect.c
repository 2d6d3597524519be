// Sockets over the virtio socket device: listening, connecting, shutting down.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_vsock.h"

#include <baremetal/assert.h>
#include <baremetal/time.h>

int bm_vsock_address_take(const void *address, uint32_t size, struct bm_vsock_address *taken)
{
    if (!address || size < sizeof *taken)
        return -BM_EFAULT; // as Linux has it
    __builtin_memcpy(taken, address, sizeof *taken);
    return taken->family == BM_AF_VSOCK ? 0 : -BM_EAFNOSUPPORT;
}

int bm_vsock_listen_file(struct bm_file *file, int backlog)
{
    struct vsock *socket = bm_vsock_of(file);
    bm_vsock_lock();
    bool may = socket->named && (socket->state == VSOCK_FRESH || socket->state == VSOCK_LISTENING);
    if (may) {
        socket->state = VSOCK_LISTENING;
        socket->error = 0; // of a connect before, which accept would find for ever
        socket->backlog = (unsigned)backlog > VSOCK_BACKLOG_MAX ? VSOCK_BACKLOG_MAX : (unsigned)backlog;
    }
    bm_vsock_unlock();
    return may ? 0 : -BM_EINVAL;
}

// --- Accepting ---

static bool may_accept(void *arg)
{
    const struct vsock *listener = arg;
    bm_vsock_lock();
    bool may = listener->pending || listener->error;
    bm_vsock_unlock();
    return may;
}

static int pending_take(struct vsock *listener, struct vsock **taken)
{
    bm_vsock_lock();
    *taken = listener->pending;
    int error = listener->state != VSOCK_LISTENING ? -BM_EINVAL : *taken ? 0 : -BM_EAGAIN;
    if (!error) {
        listener->pending = (*taken)->next_pending;
        listener->pending_count--;
        (*taken)->is_pending = false;
    }
    bm_vsock_unlock();
    return error;
}

int bm_vsock_accept_file(struct bm_file *file, void *address, uint32_t *size, int flags,
                         struct bm_file **accepted)
{
    BM_ASSERT_MAY_WAIT();
    struct vsock *listener = bm_vsock_of(file), *taken;
    uint64_t deadline = bm_vsock_until(listener, 0, listener->receive_time);
    int error;
    while ((error = pending_take(listener, &taken)) == -BM_EAGAIN)
        if ((error = bm_wait_signal(&listener->readers, may_accept, listener, deadline)))
            return error;
    if (error)
        return error;
    if (flags & BM_SOCK_NONBLOCK)
        taken->file.flags |= BM_O_NONBLOCK;
    if (address && size)
        bm_vsock_peer(&taken->file, address, size); // also of one that has ended meanwhile
    *accepted = &taken->file;
    return 0;
}

// --- Connecting ---

static int refuse_connect(const struct vsock *socket, const struct bm_vsock_address *to)
{
    if (socket->state == VSOCK_CONNECTED)
        return -BM_EISCONN;
    if (socket->state == VSOCK_CONNECTING)
        return -BM_EALREADY;
    if (socket->state != VSOCK_FRESH)
        return -BM_EINVAL;
    // There is no way within the machine.
    bool within = to->cid == BM_VSOCK_LOCAL || to->cid == atomic_load(&bm_vsock.cid);
    return !bm_vsock.device || bm_vsock.device->broken || within ? -BM_ENODEV : 0;
}

static int begin(struct vsock *socket, const struct bm_vsock_address *to)
{
    int error = refuse_connect(socket, to);
    if (!error && !socket->named)
        error = bm_vsock_port_take(socket);
    if (error)
        return error;
    socket->state = VSOCK_CONNECTING;
    socket->error = 0;
    socket->peer_cid = to->cid;
    socket->peer_port = to->port;
    bm_vsock_deadline_set(socket, bm_time_monotonic() + socket->connect_time);
    bm_vsock_owe(socket, VSOCK_REQUEST);
    return 0;
}

static bool is_decided(void *arg)
{
    const struct vsock *socket = arg;
    bm_vsock_lock();
    bool decided = socket->state != VSOCK_CONNECTING;
    bm_vsock_unlock();
    return decided;
}

static int wait_connected(struct vsock *socket)
{
    int error = bm_wait_signal(&socket->readers, is_decided, socket, UINT64_MAX); // or its time has come
    bm_vsock_lock();
    if (socket->state == VSOCK_CONNECTING) { // a signal
        bm_vsock_owe(socket, VSOCK_RESET);
        bm_vsock_end(socket, 0);
    } else if (socket->state == VSOCK_CONNECTED) {
        error = 0;
    } else if (!error) {
        error = socket->error ? -socket->error : -BM_ECONNRESET;
        socket->error = 0;
    }
    bm_vsock_unlock();
    return error;
}

int bm_vsock_connect_file(struct bm_file *file, const void *address, uint32_t size)
{
    BM_ASSERT_MAY_WAIT();
    struct vsock *socket = bm_vsock_of(file);
    struct bm_vsock_address to;
    int error = bm_vsock_address_take(address, size, &to);
    if (error)
        return error;
    bm_file_mutex_acquire(&socket->busy); // of two that connect, one makes the ring
    if (socket->state == VSOCK_FRESH)
        error = bm_vsock_prepare(socket);
    if (!error) {
        bm_vsock_lock();
        error = begin(socket, &to);
        bm_vsock_unlock();
    }
    bm_file_mutex_release(&socket->busy);
    bool waits = !(file->flags & BM_O_NONBLOCK);
    if (!error && !waits)
        return -BM_EINPROGRESS;
    if (!error || (error == -BM_EALREADY && waits))
        error = wait_connected(socket);
    return error;
}

int bm_vsock_shutdown_file(struct bm_file *file, int how)
{
    struct vsock *socket = bm_vsock_of(file);
    if (how < BM_SHUT_RD || how > BM_SHUT_RDWR)
        return -BM_EINVAL;
    bm_vsock_lock();
    bool connected = socket->state == VSOCK_CONNECTED;
    if (connected) {
        socket->shut |= (unsigned)how + 1; // of VSOCK_SHUT_…
        bm_vsock_owe(socket, VSOCK_SHUTDOWN);
        bm_vsock_changed(socket, 0);
    }
    bool known = connected || socket->state == VSOCK_ENDED;
    bm_vsock_unlock();
    return known ? 0 : -BM_ENOTCONN;
}
