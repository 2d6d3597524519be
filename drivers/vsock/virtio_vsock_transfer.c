// Sockets over the virtio socket device: sending and receiving bytes.
// SPDX-License-Identifier: MIT
//
// The program's memory is touched without the lock, since its pages may have to be made first.
#include "virtio_vsock.h"

#include <baremetal/assert.h>

// Where in its pieces a message has got to.
struct cursor {
    const struct bm_file_piece *at;
    size_t count, offset;
};

// The next bytes that lie together, `max` at most, or 0 at the end.
static size_t cursor_take(struct cursor *cursor, size_t max, unsigned char **bytes)
{
    while (cursor->count && cursor->offset == cursor->at->size) {
        cursor->at++;
        cursor->count--;
        cursor->offset = 0;
    }
    if (!cursor->count)
        return 0;
    size_t left = cursor->at->size - cursor->offset;
    *bytes = (unsigned char *)cursor->at->data + cursor->offset;
    left = left < max ? left : max;
    cursor->offset += left;
    return left;
}

// The bytes of all pieces, as many as one call moves. 0, -BM_EMSGSIZE or -BM_EINVAL.
static int size_of(const struct bm_socket_message *message, size_t *size)
{
    *size = 0;
    if (message->count > BM_PIECES_MAX)
        return -BM_EMSGSIZE;
    for (size_t i = 0; i < message->count; i++)
        if (__builtin_add_overflow(*size, message->pieces[i].size, size) || *size > INT64_MAX)
            return -BM_EINVAL;
    *size = bm_file_part(*size, 0);
    return 0;
}

// --- Sending ---

// Under the lock: an error that sending tells, or 0.
static int refuse_send(struct vsock *socket)
{
    int error = -socket->error;
    socket->error = 0;
    if (error)
        return error;
    if (socket->shut & VSOCK_SHUT_SEND || socket->peer_shut & VSOCK_SHUT_RECEIVE)
        return -BM_EPIPE;
    return socket->state == VSOCK_CONNECTED ? 0 : -BM_ENOTCONN;
}

bool bm_vsock_writable(struct vsock *socket)
{
    if (socket->error || socket->state != VSOCK_CONNECTED || socket->shut & VSOCK_SHUT_SEND ||
        socket->peer_shut & VSOCK_SHUT_RECEIVE)
        return true; // it fails at once
    if (!bm_vsock_credit(socket)) {
        if (!socket->credit_asked) {
            socket->credit_asked = true;
            bm_vsock_owe(socket, VSOCK_CREDIT_ASK);
        }
        return false;
    }
    while (!bm_vsock.sends_free) {
        bm_vsock_reclaim();
        if (bm_vsock.sends_free)
            break;
        bm_vsock.sends_wanted = true;
        if (bm_vsock.device->broken || !bm_virtqueue_arm(&bm_vsock.send, 1))
            return false;
    }
    return true;
}

static bool may_send(void *arg)
{
    bm_vsock_lock();
    bool may = bm_vsock_writable(arg);
    bm_vsock_unlock();
    return may;
}

// Takes a page and credit for the next part, so that it can be filled without the lock.
static long reserve(struct vsock *socket, size_t wanted, struct vsock_send **page)
{
    bm_vsock_lock();
    long part = refuse_send(socket);
    if (!part)
        part = bm_vsock_writable(socket) ? 1 : -BM_EAGAIN;
    if (part > 0) {
        uint32_t credit = bm_vsock_credit(socket);
        part = wanted < VSOCK_PART ? (long)wanted : VSOCK_PART;
        part = part < credit ? part : (long)credit;
        socket->sent += (uint32_t)part;
        *page = bm_vsock.sends_free;
        bm_vsock.sends_free = (*page)->next;
    } else {
        bm_vsock_ring(); // before a wait
    }
    bm_vsock_unlock();
    return part;
}

static void send_part(struct vsock *socket, struct cursor *cursor, struct vsock_send *page, size_t part)
{
    unsigned char *to = (unsigned char *)page->page + VSOCK_HEADER, *from;
    for (size_t done = 0, piece; done < part; done += piece) {
        piece = cursor_take(cursor, part - done, &from);
        __builtin_memcpy(to + done, from, piece);
    }
    bm_vsock_lock();
    bm_vsock_send(socket, page, (uint32_t)part);
    bm_vsock_unlock();
}

static long send_all(struct vsock *socket, struct cursor *cursor, size_t size, uint64_t deadline)
{
    size_t done = 0;
    long part = 0;
    while (done < size) {
        struct vsock_send *page;
        part = reserve(socket, size - done, &page);
        if (part > 0) {
            send_part(socket, cursor, page, (size_t)part);
            done += (size_t)part;
        } else if (part == -BM_EAGAIN) {
            part = bm_wait_signal(&socket->writers, may_send, socket, deadline);
        }
        if (part < 0)
            break;
    }
    if (done) {
        bm_vsock_lock();
        bm_vsock_ring();
        bm_vsock_unlock();
    }
    return done ? (long)done : part;
}

long bm_vsock_send_message(struct bm_file *file, const struct bm_socket_message *message, int flags)
{
    BM_ASSERT_MAY_WAIT();
    struct vsock *socket = bm_vsock_of(file);
    size_t size;
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (message->address && message->address_size)
        return socket->state == VSOCK_CONNECTED ? -BM_EISCONN : -BM_EOPNOTSUPP;
    int error = size_of(message, &size);
    if (!error && !size) {
        bm_vsock_lock();
        error = refuse_send(socket);
        bm_vsock_unlock();
    }
    if (error)
        return error;
    struct cursor cursor = {message->pieces, message->count, 0};
    return send_all(socket, &cursor, size, bm_vsock_until(socket, flags, socket->send_time));
}

// --- Receiving ---

// Under the lock: how many bytes there are; 0: there will be none; or an error.
static long waiting(struct vsock *socket)
{
    uint32_t bytes = socket->received - socket->taken;
    if (socket->shut & VSOCK_SHUT_RECEIVE && socket->state == VSOCK_CONNECTED)
        return 0;
    if (bytes)
        return bytes;
    int error = -socket->error;
    socket->error = 0;
    if (error)
        return error;
    if (socket->state == VSOCK_ENDED || socket->peer_shut & VSOCK_SHUT_SEND)
        return 0;
    return socket->state == VSOCK_CONNECTED ? -BM_EAGAIN : -BM_ENOTCONN;
}

static bool is_something(void *arg)
{
    struct vsock *socket = arg;
    bm_vsock_lock();
    bool something = socket->error || waiting(socket) != -BM_EAGAIN;
    bm_vsock_unlock();
    return something;
}

// What has been taken makes room, which the peer hears of when it is half of all: not for each call, and
// before it runs out.
static void taken(struct vsock *socket, uint32_t bytes)
{
    bm_vsock_lock();
    socket->taken += bytes;
    if (socket->state == VSOCK_CONNECTED && socket->peer_shut == VSOCK_SHUT_BOTH &&
        socket->taken == socket->received) {
        bm_vsock_owe(socket, VSOCK_RESET);
        bm_vsock_end(socket, 0);
    } else if (socket->state == VSOCK_CONNECTED && !(socket->peer_shut & VSOCK_SHUT_SEND) &&
               socket->taken - socket->taken_told >= socket->room / 2) {
        bm_vsock_owe(socket, VSOCK_CREDIT);
    }
    bm_vsock_unlock();
}

// Copies what is there, as far as there is room; others that receive wait meanwhile.
static long take(struct vsock *socket, struct cursor *cursor, bool peek)
{
    bm_file_mutex_acquire(&socket->busy);
    bm_vsock_lock();
    long bytes = waiting(socket);
    uint32_t at = socket->taken, size = BM_PAGE_SIZE << socket->order, done = 0;
    const unsigned char *ring = socket->ring;
    bm_vsock_unlock();
    unsigned char *to;
    for (size_t piece; bytes > 0 && done < bytes; done += (uint32_t)piece) {
        uint32_t from = (at + done) & (size - 1), left = (uint32_t)bytes - done;
        piece = cursor_take(cursor, left < size - from ? left : size - from, &to);
        if (!piece)
            break;
        __builtin_memcpy(to, ring + from, piece);
    }
    if (done && !peek)
        taken(socket, done);
    bm_file_mutex_release(&socket->busy);
    return bytes > 0 ? (long)done : bytes;
}

long bm_vsock_receive_message(struct bm_file *file, struct bm_socket_message *message, int flags)
{
    BM_ASSERT_MAY_WAIT();
    struct vsock *socket = bm_vsock_of(file);
    size_t size, done = 0;
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    int error = size_of(message, &size);
    if (error)
        return error;
    message->flags = 0;
    message->control_size = message->address_size = 0;
    bool all = flags & BM_MSG_WAITALL && !(flags & BM_MSG_PEEK);
    uint64_t deadline = bm_vsock_until(socket, flags, socket->receive_time);
    struct cursor cursor = {message->pieces, message->count, 0};
    while (size) {
        struct cursor part = cursor;
        long got = take(socket, &part, flags & BM_MSG_PEEK);
        if (got > 0) {
            cursor = part;
            done += (size_t)got;
        }
        bool more = got == -BM_EAGAIN || (got > 0 && all && done < size);
        if (got == -BM_EAGAIN && done && !all)
            break;
        if (more)
            got = bm_wait_signal(&socket->readers, is_something, socket, deadline);
        if (!more || got)
            return done ? (long)done : got;
    }
    return (long)done;
}
