// Sockets within the machine: options, events, ioctl.
// SPDX-License-Identifier: MIT
#include "local.h"

// As Linux does, a value that is longer than the room is cut off.
static int put(const void *bytes, uint32_t true_size, void *value, uint32_t *size)
{
    if (*size > true_size)
        *size = true_size;
    __builtin_memcpy(value, bytes, *size);
    return 0;
}

static int error_get(struct bm_local *local)
{
    bm_spinlock_acquire(&bm_local_lock);
    int error = -bm_local_error_take(local);
    bm_spinlock_release(&bm_local_lock);
    return error;
}

static int time_get(uint64_t time, void *value, uint32_t *size)
{
    struct bm_socket_time parts = {(int64_t)(time / 1000000000), (int64_t)(time % 1000000000 / 1000)};
    return put(&parts, sizeof parts, value, size);
}

static int time_set(uint64_t *time, const void *value, uint32_t size)
{
    const struct bm_socket_time *parts = value;
    if (size < sizeof *parts)
        return -BM_EINVAL;
    if (parts->microseconds < 0 || parts->microseconds >= 1000000)
        return -BM_EDOM;
    int64_t seconds = parts->seconds < 0 ? 0 : parts->seconds;
    if (seconds > INT64_MAX / 4000000000)
        *time = 0; // for ever
    else
        *time = (uint64_t)seconds * 1000000000 + (uint64_t)parts->microseconds * 1000;
    return 0;
}

static int credentials_get(const struct bm_local *local, void *value, uint32_t *size)
{
    struct bm_socket_credentials credentials = {0, UINT32_MAX, UINT32_MAX}; // nobody's
    bm_spinlock_acquire(&bm_local_lock);
    if (local->peer && bm_local_is_connected_kind(local))
        credentials = (struct bm_socket_credentials){1, 0, 0};
    else if (local->peer && local->peer->peer == local)
        credentials = (struct bm_socket_credentials){1, 0, 0};
    bm_spinlock_release(&bm_local_lock);
    return put(&credentials, sizeof credentials, value, size);
}

int bm_local_option_get(struct bm_file *file, int level, int option, void *value, uint32_t *size)
{
    struct bm_local *local = bm_local_of(file);
    int number;
    if (!value || !size)
        return -BM_EFAULT;
    if (level != BM_SOL_SOCKET)
        return -BM_EOPNOTSUPP;
    switch (option) {
    case BM_SO_TYPE:
        number = local->type;
        break;
    case BM_SO_ERROR:
        number = error_get(local);
        break;
    case BM_SO_DOMAIN:
        number = BM_AF_UNIX;
        break;
    case BM_SO_ACCEPTCONN:
        number = local->state == LOCAL_LISTENING;
        break;
    case BM_SO_PASSCRED:
        number = local->passes_credentials;
        break;
    case BM_SO_SNDBUF:
        number = (int)local->room;
        break;
    case BM_SO_RCVBUF:
        number = LOCAL_ROOM;
        break;
    case BM_SO_RCVLOWAT:
    case BM_SO_SNDLOWAT:
        number = 1;
        break;
    case BM_SO_PROTOCOL:
    case BM_SO_REUSEADDR:
    case BM_SO_REUSEPORT:
    case BM_SO_KEEPALIVE:
    case BM_SO_BROADCAST:
        number = 0;
        break;
    case BM_SO_LINGER:
        return put(&(struct bm_socket_linger){0}, sizeof(struct bm_socket_linger), value, size);
    case BM_SO_RCVTIMEO:
        return time_get(local->receive_time, value, size);
    case BM_SO_SNDTIMEO:
        return time_get(local->send_time, value, size);
    case BM_SO_PEERCRED:
        return credentials_get(local, value, size);
    default:
        return -BM_ENOPROTOOPT;
    }
    return put(&number, sizeof number, value, size);
}

// Linux doubles what is asked for, within limits.
static void room_set(struct bm_local *local, int bytes)
{
    enum { ROOM_MIN = 4608, ROOM_MAX = 2 * LOCAL_ROOM };
    size_t room = bytes < 0 || bytes > LOCAL_ROOM ? ROOM_MAX : 2 * (size_t)bytes;
    bm_spinlock_acquire(&bm_local_lock);
    local->room = room < ROOM_MIN ? ROOM_MIN : room;
    bm_spinlock_release(&bm_local_lock);
    bm_local_changed(local);
}

int bm_local_option_set(struct bm_file *file, int level, int option, const void *value, uint32_t size)
{
    struct bm_local *local = bm_local_of(file);
    if (!value)
        return -BM_EFAULT;
    if (level != BM_SOL_SOCKET)
        return -BM_EOPNOTSUPP;
    if (size < sizeof(int))
        return -BM_EINVAL;
    switch (option) {
    case BM_SO_PASSCRED:
        local->passes_credentials = *(const int *)value != 0;
        return 0;
    case BM_SO_SNDBUF:
        room_set(local, *(const int *)value);
        return 0;
    case BM_SO_RCVTIMEO:
        return time_set(&local->receive_time, value, size);
    case BM_SO_SNDTIMEO:
        return time_set(&local->send_time, value, size);
    case BM_SO_RCVBUF: // without a meaning here, as for Linux
    case BM_SO_REUSEADDR:
    case BM_SO_REUSEPORT:
    case BM_SO_KEEPALIVE:
    case BM_SO_BROADCAST:
    case BM_SO_LINGER:
        return 0;
    default:
        return -BM_ENOPROTOOPT;
    }
}

// Under bm_local_lock. Linux calls a socket writable while a quarter of its room is taken at most.
static bool is_writable(const struct bm_local *local)
{
    if (local->state == LOCAL_LISTENING)
        return false;
    if (!local->peer)
        return true; // it fails at once, or goes to whom is addressed
    if (local->peer->closed || local->peer->shut_read)
        return true;
    return local->peer->bytes <= local->room / 4;
}

int bm_local_poll(struct bm_file *file)
{
    struct bm_local *local = bm_local_of(file);
    bm_spinlock_acquire(&bm_local_lock);
    int events = local->first || local->pending || local->shut_read || local->error ? BM_POLLIN : 0;
    if (is_writable(local))
        events |= BM_POLLOUT;
    if (local->error)
        events |= BM_POLLERR;
    if ((local->shut_read && local->shut_write) ||
        (bm_local_is_connected_kind(local) && local->state == LOCAL_FRESH))
        events |= BM_POLLHUP;
    if (local->shut_read)
        events |= BM_POLLRDHUP;
    bm_spinlock_release(&bm_local_lock);
    return events;
}

int bm_local_control(struct bm_file *file, unsigned long request, void *argument)
{
    enum { FIONREAD = 0x541b, SIOCOUTQ = 0x5411 };
    struct bm_local *local = bm_local_of(file);
    size_t bytes = 0;
    if (request != FIONREAD && request != SIOCOUTQ)
        return -BM_ENOTTY;
    if (request == FIONREAD && local->state == LOCAL_LISTENING)
        return -BM_EINVAL;
    bm_spinlock_acquire(&bm_local_lock);
    if (request == SIOCOUTQ) {
        bytes = local->peer ? local->peer->bytes : 0;
    } else {
        for (const struct bm_local_message *message = local->first; message; message = message->next) {
            bytes += message->size - message->done;
            if (local->type == BM_SOCK_DGRAM)
                break;
        }
    }
    bm_spinlock_release(&bm_local_lock);
    *(int *)argument = (int)bytes; // with no lock held: a bad address is the caller's fault alone
    return 0;
}
