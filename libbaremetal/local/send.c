// Sockets within the machine: sending.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "local.h"

enum { BYTES_MAX = 0x7ffff000, PIECES_MAX = 1024 };

long bm_local_room(const struct bm_local *local, const struct bm_local *target, size_t wanted, bool whole)
{
    bool connected = bm_local_is_connected_kind(local);
    if (local->shut_write || (target->shut_read && !target->closed))
        return -BM_EPIPE;
    if (target->closed)
        return connected ? -BM_EPIPE : -BM_ECONNREFUSED;
    if (!connected && target->peer && target->peer != local)
        return -BM_EPERM;
    size_t room = local->room > target->bytes ? local->room - target->bytes : 0;
    if (whole) // as Linux, however much it is: else one that is called writable would not be
        return room ? (long)wanted : -BM_EAGAIN;
    if (room <= LOCAL_CHARGE)
        return -BM_EAGAIN;
    room -= LOCAL_CHARGE;
    if (room > LOCAL_PIECE)
        room = LOCAL_PIECE;
    return (long)(wanted < room ? wanted : room);
}

// What one call sends.
struct sending {
    struct bm_local *local, *target;
    struct bm_local_cursor cursor;
    size_t size;                   // of all
    struct bm_local_message first; // its rights and credentials
    uint64_t deadline;
};

static bool is_room(void *arg)
{
    const struct sending *sending = arg;
    bm_spinlock_acquire(&bm_local_lock);
    bool whole = sending->local->type != BM_SOCK_STREAM;
    bool room = bm_local_room(sending->local, sending->target, sending->size, whole) != -BM_EAGAIN;
    bm_spinlock_release(&bm_local_lock);
    return room;
}

// Takes room for the next part, so that it can be copied without the lock. A stream that has been shut down
// tells that before an error, which a receive tells then.
static long reserve(struct sending *sending, size_t wanted)
{
    struct bm_local *local = sending->local;
    bool stream = local->type == BM_SOCK_STREAM;
    bm_spinlock_acquire(&bm_local_lock);
    long part = stream && local->shut_write ? -BM_EPIPE : bm_local_error_take(local);
    if (!part)
        part = bm_local_room(local, sending->target, wanted, !stream);
    if (part >= 0)
        sending->target->bytes += (size_t)part + LOCAL_CHARGE;
    bm_spinlock_release(&bm_local_lock);
    return part;
}

static long reserve_waiting(struct sending *sending, size_t wanted)
{
    long part;
    while ((part = reserve(sending, wanted)) == -BM_EAGAIN)
        if ((part = bm_wait_signal(&sending->target->writers, is_room, sending, sending->deadline)))
            return part;
    return part;
}

// Puts a message into the queue that has room for it, or gives the room back.
static int enqueue(struct sending *sending, struct bm_local_message *message, size_t charge)
{
    struct bm_local *target = sending->target;
    bm_spinlock_acquire(&bm_local_lock);
    int error = -BM_ENOBUFS;
    if (target->closed && !bm_local_is_connected_kind(target))
        error = -BM_ECONNREFUSED;
    else if (target->closed || target->shut_read)
        error = -BM_EPIPE;
    else if (message)
        error = bm_local_rights_count(message->rights, 1);
    if (error) {
        if (!target->closed)
            target->bytes -= charge;
    } else {
        message->charge = charge;
        if (target->last)
            target->last->next = message;
        else
            target->first = message;
        target->last = message;
    }
    bm_spinlock_release(&bm_local_lock);
    bm_local_arrived(target);
    return error;
}

// One message of the next `part` bytes.
static int send_part(struct sending *sending, size_t part)
{
    struct bm_local_message *message = bm_local_message_make(&sending->cursor, part);
    if (message) {
        message->credentials = sending->first.credentials;
        message->rights = sending->first.rights;
        sending->first.rights = NULL;
        if (!bm_local_is_connected_kind(sending->local))
            message->sender = bm_local_hold(sending->local);
    }
    int error = enqueue(sending, message, part + LOCAL_CHARGE);
    if (error)
        bm_local_messages_free(message);
    return error;
}

static long send_stream(struct sending *sending)
{
    size_t done = 0;
    if (sending->size == 0)
        return 0;
    while (done < sending->size) {
        long part = reserve_waiting(sending, sending->size - done);
        if (part > 0) {
            int error = send_part(sending, (size_t)part);
            done += error ? 0 : (size_t)part;
            part = error;
        }
        if (part < 0)
            return done ? (long)done : part;
    }
    return (long)done;
}

static long send_whole(struct sending *sending)
{
    if (sending->size > sending->local->room - LOCAL_CHARGE)
        return -BM_EMSGSIZE;
    long part = reserve_waiting(sending, sending->size);
    int error = part < 0 ? (int)part : send_part(sending, sending->size);
    return error ? error : (long)sending->size;
}

int bm_local_pieces_size(const struct bm_socket_message *message, size_t *size)
{
    *size = 0;
    if (message->count > PIECES_MAX)
        return -BM_EMSGSIZE;
    for (size_t i = 0; i < message->count; i++)
        if (__builtin_add_overflow(*size, message->pieces[i].size, size) || *size > INT64_MAX)
            return -BM_EINVAL;
    return 0;
}

// The peer, or who is addressed, with a reference.
static int target_find(struct bm_local *local, const struct bm_socket_message *message,
                       struct bm_local **target)
{
    bool addressed = message->address && message->address_size && local->type != BM_SOCK_SEQPACKET;
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local *peer = local->peer ? bm_local_hold(local->peer) : NULL;
    bm_spinlock_release(&bm_local_lock);
    if (addressed) {
        if (local->type == BM_SOCK_STREAM) {
            int error = peer ? -BM_EISCONN : -BM_EOPNOTSUPP;
            if (peer)
                bm_local_put(peer);
            return error;
        }
        if (peer)
            bm_local_put(peer);
        return bm_local_find(message->address, message->address_size, local->type, target);
    }
    *target = peer;
    return peer ? 0 : -BM_ENOTCONN;
}

// A peer of datagrams that has gone is one no longer.
static void peer_forget(struct bm_local *local, struct bm_local *gone)
{
    bm_spinlock_acquire(&bm_local_lock);
    bool was = local->peer == gone;
    if (was) {
        local->peer = NULL;
        local->state = LOCAL_FRESH;
    }
    bm_spinlock_release(&bm_local_lock);
    if (was)
        bm_local_put(gone);
}

static long send_to(struct bm_local *local, const struct bm_socket_message *message, int flags, size_t size)
{
    struct sending sending = {.local = local,
                              .cursor = bm_local_cursor_of(message),
                              .size = size,
                              .deadline = bm_local_deadline(local, flags, local->send_time)};
    long result = target_find(local, message, &sending.target);
    if (result)
        return result;
    result = bm_local_control_take(message, &sending.first);
    if (result == 0)
        result = local->type == BM_SOCK_STREAM ? send_stream(&sending) : send_whole(&sending);
    if (result == -BM_ECONNREFUSED)
        peer_forget(local, sending.target);
    bm_local_rights_free(sending.first.rights);
    bm_local_put(sending.target);
    return result;
}

long bm_local_send_message(struct bm_file *file, const struct bm_socket_message *message, int flags)
{
    BM_ASSERT_MAY_WAIT();
    size_t size;
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    int error = bm_local_pieces_size(message, &size);
    if (error)
        return error;
    if (bm_local_of(file)->type == BM_SOCK_STREAM && size > BYTES_MAX)
        size = BYTES_MAX;
    long result = send_to(bm_local_of(file), message, flags, size);
    if (result == -BM_ETOOMANYREFS && bm_local_rights_in_flight) {
        bm_local_collect(); // some may be those that nobody can receive
        result = send_to(bm_local_of(file), message, flags, size);
    }
    return result;
}
