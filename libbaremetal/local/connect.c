// Sockets within the machine: listening, connecting, ending.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "local.h"

int bm_local_listen(struct bm_file *file, int backlog)
{
    BM_ASSERT_NO_HANDLER();
    enum { BACKLOG_MAX = 4096 }; // Linux' net.core.somaxconn
    struct bm_local *local = bm_local_of(file);
    if (!bm_local_is_connected_kind(local))
        return -BM_EOPNOTSUPP;
    bm_spinlock_acquire(&bm_local_lock);
    int error = local->name.size == sizeof(uint16_t) || local->state == LOCAL_CONNECTED ? -BM_EINVAL : 0;
    if (!error) {
        local->state = LOCAL_LISTENING;
        local->backlog = (unsigned)backlog > BACKLOG_MAX ? BACKLOG_MAX : (unsigned)backlog;
    }
    bm_spinlock_release(&bm_local_lock);
    if (!error)
        bm_local_changed(local); // there may be more room
    return error;
}

static bool may_accept(void *arg)
{
    const struct bm_local *local = arg;
    bm_spinlock_acquire(&bm_local_lock);
    bool may = local->pending || local->shut_read;
    bm_spinlock_release(&bm_local_lock);
    return may;
}

// Takes the one that has waited longest.
static int pending_take(struct bm_local *local, struct bm_local **taken)
{
    bm_spinlock_acquire(&bm_local_lock);
    *taken = local->pending;
    int error = local->state != LOCAL_LISTENING ? -BM_EINVAL
                : *taken                        ? 0
                : local->shut_read              ? -BM_EINVAL
                                                : -BM_EAGAIN;
    if (!error) {
        local->pending = (*taken)->next;
        local->pending_count--;
        (*taken)->is_pending = false;
    }
    bm_spinlock_release(&bm_local_lock);
    return error;
}

int bm_local_accept(struct bm_file *file, void *address, uint32_t *size, int flags, struct bm_file **accepted)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_local *local = bm_local_of(file), *taken;
    if (!bm_local_is_connected_kind(local))
        return -BM_EOPNOTSUPP;
    uint64_t deadline = bm_local_deadline(local, 0, local->receive_time);
    int error;
    while ((error = pending_take(local, &taken)) == -BM_EAGAIN)
        if ((error = bm_wait_signal(&local->readers, may_accept, local, deadline)))
            return error;
    if (error)
        return error;
    bm_local_changed(local); // who connects has room
    if (flags & BM_SOCK_NONBLOCK)
        taken->file.flags |= BM_O_NONBLOCK;
    if (address && size && bm_local_peer(&taken->file, address, size) != 0)
        bm_local_name_put(NULL, address, size); // it has gone
    *accepted = &taken->file;
    return 0;
}

// Under bm_local_lock.
static int refuse_connect(const struct bm_local *listener)
{
    if (listener->state != LOCAL_LISTENING || listener->closed || listener->shut_read)
        return -BM_ECONNREFUSED;
    return listener->pending_count > listener->backlog ? -BM_EAGAIN : 0;
}

static bool may_connect(void *arg)
{
    const struct bm_local *listener = arg;
    bm_spinlock_acquire(&bm_local_lock);
    bool may = refuse_connect(listener) != -BM_EAGAIN;
    bm_spinlock_release(&bm_local_lock);
    return may;
}

// Under bm_local_lock: both are connected, and `made` waits to be accepted.
static int connect_to(struct bm_local *local, struct bm_local *listener, struct bm_local *made)
{
    int error = local->state == LOCAL_CONNECTED   ? -BM_EISCONN
                : local->state == LOCAL_LISTENING ? -BM_EINVAL
                                                  : refuse_connect(listener);
    if (error)
        return error;
    made->name = listener->name; // what its peer hears; nobody finds it by it
    made->state = local->state = LOCAL_CONNECTED;
    made->room = listener->room;
    made->peer = bm_local_hold(local);
    local->peer = bm_local_hold(made);
    struct bm_local **end = &listener->pending;
    while (*end)
        end = &(*end)->next;
    *end = made;
    listener->pending_count++;
    made->is_pending = true;
    return 0;
}

static int connect_stream(struct bm_local *local, struct bm_local *listener)
{
    struct bm_local *made = bm_local_make(local->type, false);
    if (!made)
        return -BM_ENOMEM;
    made->passes_credentials = listener->passes_credentials;
    uint64_t deadline = bm_local_deadline(local, 0, local->send_time);
    bool waits;
    int error;
    do {
        bm_spinlock_acquire(&bm_local_lock);
        error = connect_to(local, listener, made);
        bm_spinlock_release(&bm_local_lock);
        waits = error == -BM_EAGAIN;
        if (waits)
            error = bm_wait_signal(&listener->writers, may_connect, listener, deadline);
    } while (waits && !error);
    if (error) {
        bm_local_close(&made->file);
        return error;
    }
    bm_local_arrived(listener);
    bm_local_changed(local);
    return 0;
}

// Datagrams: who is sent to and heard; NULL: none, and everybody.
static int connect_datagrams(struct bm_local *local, struct bm_local *peer)
{
    bm_spinlock_acquire(&bm_local_lock);
    bool may = !peer || !peer->peer || peer->peer == local;
    bool alive = !peer || !peer->closed;
    struct bm_local *old = NULL;
    if (may && alive) {
        old = local->peer;
        local->peer = peer ? bm_local_hold(peer) : NULL;
        local->state = peer ? LOCAL_CONNECTED : LOCAL_FRESH;
    }
    bm_spinlock_release(&bm_local_lock);
    if (old)
        bm_local_put(old);
    bm_local_changed(local);
    return !alive ? -BM_ECONNREFUSED : may ? 0 : -BM_EPERM;
}

int bm_local_connect(struct bm_file *file, const void *address, uint32_t size)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_local *local = bm_local_of(file), *found;
    const uint16_t *family = address;
    if (!address || size < sizeof *family)
        return -BM_EINVAL;
    if (*family == BM_AF_UNSPEC && !bm_local_is_connected_kind(local))
        return connect_datagrams(local, NULL);
    int error = bm_local_find(address, size, local->type, &found);
    if (error)
        return error;
    error =
        bm_local_is_connected_kind(local) ? connect_stream(local, found) : connect_datagrams(local, found);
    bm_local_put(found);
    return error;
}

int bm_local_shutdown(struct bm_file *file, int how)
{
    BM_ASSERT_NO_HANDLER();
    struct bm_local *local = bm_local_of(file), *peer = NULL;
    if (how < BM_SHUT_RD || how > BM_SHUT_RDWR)
        return -BM_EINVAL;
    bool reads = how != BM_SHUT_WR, writes = how != BM_SHUT_RD;
    bm_spinlock_acquire(&bm_local_lock);
    local->shut_read |= reads;
    local->shut_write |= writes;
    if (bm_local_is_connected_kind(local) && local->peer) {
        peer = bm_local_hold(local->peer);
        peer->shut_read |= writes;
        peer->shut_write |= reads;
    }
    bm_spinlock_release(&bm_local_lock);
    bm_local_changed(local);
    if (peer) {
        bm_local_changed(peer);
        bm_local_put(peer);
    }
    return 0;
}

// Under bm_local_lock: the peer of a connection hears of its end.
static void tell_peer(struct bm_local *local, struct bm_local *peer, bool unread)
{
    if (!bm_local_is_connected_kind(local))
        return; // a datagram that is sent to it is refused
    peer->shut_read = peer->shut_write = true;
    if (unread)
        peer->error = BM_ECONNRESET;
}

// Under bm_local_lock: takes everything from a socket that ends; returns its messages.
static struct bm_local_message *empty(struct bm_local *local)
{
    struct bm_local_message *messages = local->first;
    for (const struct bm_local_message *at = messages; at; at = at->next)
        bm_local_rights_count(at->rights, -1);
    local->first = local->last = NULL;
    local->bytes = 0;
    *local->place_all = local->next_all;
    if (local->next_all)
        local->next_all->place_all = local->place_all;
    return messages;
}

// One that nobody has accepted has ended for its peer by a reset.
static void close_pending(struct bm_local *pending)
{
    while (pending) {
        struct bm_local *next = pending->next;
        bm_spinlock_acquire(&bm_local_lock);
        pending->peer->error = BM_ECONNRESET;
        bm_spinlock_release(&bm_local_lock);
        bm_local_close(&pending->file);
        pending = next;
    }
}

int bm_local_close(struct bm_file *file)
{
    struct bm_local *local = bm_local_of(file);
    bm_spinlock_acquire(&bm_local_lock);
    struct bm_local *peer = local->peer, *pending = local->pending;
    local->closed = local->shut_read = local->shut_write = true;
    local->peer = NULL;
    local->pending = NULL;
    if (peer)
        tell_peer(local, peer, local->first);
    struct bm_inode *inode = bm_local_unname(local);
    struct bm_local_message *messages = empty(local);
    bm_spinlock_release(&bm_local_lock);
    if (inode)
        bm_inode_put(inode);
    bm_file_gone(&local->watchers);
    bm_local_changed(local); // who waits to connect or to send
    if (peer) {
        bm_local_changed(peer);
        bm_local_put(peer);
    }
    close_pending(pending);
    bm_local_messages_free(messages);
    bm_local_collect();
    bm_local_put(local);
    return 0;
}
