// Sockets within the machine: receiving.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "local.h"

static bool is_something(void *arg)
{
    const struct bm_local *local = arg;
    bm_spinlock_acquire(&bm_local_lock);
    bool something = local->first || local->error || local->shut_read;
    bm_spinlock_release(&bm_local_lock);
    return something;
}

// What one call receives.
struct receiving {
    struct bm_local *local;
    struct bm_socket_message *message;
    struct bm_local_cursor cursor;
    int flags;
    long done;       // bytes that it has
    bool controlled; // the control bytes are there: what follows must be of the same kind
};

// The message behind `after`, NULL: the first one.
static struct bm_local_message *message_at(struct bm_local *local, const struct bm_local_message *after)
{
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local_message *message = after ? after->next : local->first;
    bm_spinlock_release(&bm_local_lock);
    return message;
}

// Takes the rights of a message, which are then the caller's.
static struct bm_local_rights *rights_detach(struct bm_local_message *message)
{
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local_rights *rights = message->rights;
    bm_local_rights_count(rights, -1);
    message->rights = NULL;
    bm_spinlock_release(&bm_local_lock);
    return rights;
}

static void dequeue(struct bm_local *local, struct bm_local_message *message)
{
    bm_spinlock_acquire(&bm_local_lock);
    BM_ASSERT_HERE(local->first == message, "messages are received in their order");
    local->first = message->next;
    if (!local->first)
        local->last = NULL;
    local->bytes -= message->charge;
    bm_local_rights_count(message->rights, -1);
    message->next = NULL;
    bm_spinlock_release(&bm_local_lock);
    bm_local_messages_free(message);
    bm_local_taken(local); // who sends has room
}

// The control bytes of a message that is received for good or looked at.
static void control(struct receiving *receiving, struct bm_local_message *message)
{
    bool peek = receiving->flags & BM_MSG_PEEK;
    struct bm_local_rights *rights = peek ? message->rights : rights_detach(message);
    if (!receiving->controlled)
        bm_local_control_put(receiving->message, message, rights, receiving->local->passes_credentials,
                             receiving->flags & BM_MSG_CMSG_CLOEXEC);
    receiving->controlled = true;
    if (!peek)
        bm_local_rights_free(rights);
}

// Fills the pieces from the messages that are there; in the turn of the caller.
static long take_stream(struct receiving *receiving)
{
    struct bm_local *local = receiving->local;
    struct bm_local_message *message = message_at(local, NULL);
    bool peek = receiving->flags & BM_MSG_PEEK;
    long done = 0;
    while (message && receiving->cursor.count) {
        bool rights = message->rights;
        if (done && rights)
            break; // they come with the first byte of theirs
        size_t got = bm_local_message_copy(message, message->done, &receiving->cursor);
        control(receiving, message);
        done += (long)got;
        struct bm_local_message *next = message_at(local, message);
        if (!peek)
            message->done += got;
        if (message->done == message->size && !peek)
            dequeue(local, message);
        if (rights)
            break;
        message = next;
    }
    return done;
}

// Linux tells the name that the sender has now, and nothing where it has none.
static void sender_put(struct bm_local *sender, struct bm_socket_message *to)
{
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local_name name = sender->name;
    bm_spinlock_release(&bm_local_lock);
    if (name.size == sizeof name.address.family)
        to->address_size = 0;
    else
        bm_local_name_put(&name, to->address, &to->address_size);
}

static long take_whole(struct receiving *receiving)
{
    struct bm_local *local = receiving->local;
    struct bm_local_message *message = message_at(local, NULL);
    struct bm_socket_message *to = receiving->message;
    long size = (long)message->size, done = (long)bm_local_message_copy(message, 0, &receiving->cursor);
    if (done < size)
        to->flags |= BM_MSG_TRUNC;
    if (message->sender && to->address)
        sender_put(message->sender, to);
    control(receiving, message);
    if (!(receiving->flags & BM_MSG_PEEK))
        dequeue(local, message);
    return receiving->flags & BM_MSG_TRUNC ? size : done;
}

// Without waiting: bytes, 0 at the end, or an error, -BM_EAGAIN when there is nothing yet. (As on Linux an
// error that comes behind bytes is taken and not told.)
static long take(struct receiving *receiving)
{
    struct bm_local *local = receiving->local;
    long result = -BM_EAGAIN;
    bm_file_mutex_acquire(&local->busy);
    bm_spinlock_acquire(&bm_local_lock);
    bool some = local->first;
    bool stream = local->type == BM_SOCK_STREAM; // of messages an error is told first
    int error = some && stream ? 0 : bm_local_error_take(local);
    bool ended = !some && !error && local->shut_read;
    bm_spinlock_release(&bm_local_lock);
    if (error)
        result = error;
    else if (some)
        result = stream ? take_stream(receiving) : take_whole(receiving);
    else if (ended)
        result = 0;
    bm_file_mutex_release(&local->busy);
    return result;
}

static long receive_waiting(struct receiving *receiving, uint64_t deadline, bool all)
{
    struct bm_local *local = receiving->local;
    for (;;) {
        long got = take(receiving);
        bool more = got == -BM_EAGAIN || (got > 0 && all && receiving->cursor.count);
        if (got > 0)
            receiving->done += got;
        if (more)
            got = bm_wait_signal(&local->readers, is_something, local, deadline);
        if (!more || got)
            return receiving->done ? receiving->done : got;
    }
}

// Why nothing can be received ever.
static int refuse_receive(const struct bm_local *local)
{
    if (!bm_local_is_connected_kind(local) || local->state == LOCAL_CONNECTED)
        return 0;
    return local->type == BM_SOCK_STREAM ? -BM_EINVAL : -BM_ENOTCONN;
}

long bm_local_receive_message(struct bm_file *file, struct bm_socket_message *message, int flags)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_local *local = bm_local_of(file);
    size_t size;
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    int error = bm_local_pieces_size(message, &size);
    if (!error)
        error = refuse_receive(local);
    if (error)
        return error;
    struct receiving receiving = {
        .local = local, .message = message, .cursor = bm_local_cursor_of(message), .flags = flags};
    bool stream = local->type == BM_SOCK_STREAM;
    message->flags = 0;
    if (stream && size == 0)
        return 0;
    bool all = stream && flags & BM_MSG_WAITALL && !(flags & BM_MSG_PEEK);
    long result = receive_waiting(&receiving, bm_local_deadline(local, flags, local->receive_time), all);
    if (is_something(local))
        bm_local_left(local);
    if (!receiving.controlled)
        message->control_size = 0;
    if (result <= 0 && !receiving.controlled)
        message->address_size = 0;
    else if (bm_local_is_connected_kind(local))
        message->address_size = 0;
    return result;
}
