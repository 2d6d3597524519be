// Sockets over the virtio socket device: names, options, events, ioctl.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_vsock.h"

// As Linux does, a value that is longer than the room is cut off.
static int put(const void *bytes, uint32_t true_size, void *value, uint32_t *size)
{
    uint32_t part = *size < true_size ? *size : true_size;
    __builtin_memcpy(value, bytes, part);
    *size = part;
    return 0;
}

static int address_put(uint32_t cid, uint32_t port, void *address, uint32_t *size)
{
    const struct bm_vsock_address made = {.family = BM_AF_VSOCK, .port = port, .cid = cid};
    uint32_t room = *size;
    put(&made, sizeof made, address, &room);
    *size = sizeof made; // the true one
    return 0;
}

int bm_vsock_name(struct bm_file *file, void *address, uint32_t *size)
{
    const struct vsock *socket = bm_vsock_of(file);
    bool connected = socket->state == VSOCK_CONNECTED || socket->state == VSOCK_CONNECTING;
    uint32_t cid = connected ? atomic_load(&bm_vsock.cid) : socket->cid;
    uint32_t port = socket->named || connected ? socket->port : BM_VSOCK_ANY;
    return address ? address_put(cid, port, address, size) : -BM_EFAULT;
}

int bm_vsock_peer(struct bm_file *file, void *address, uint32_t *size)
{
    const struct vsock *socket = bm_vsock_of(file);
    if (socket->state != VSOCK_CONNECTED && socket->state != VSOCK_ENDED)
        return -BM_ENOTCONN;
    return address ? address_put(socket->peer_cid, socket->peer_port, address, size) : -BM_EFAULT;
}

static int error_take(struct vsock *socket)
{
    bm_vsock_lock();
    int error = socket->error;
    socket->error = 0;
    bm_vsock_unlock();
    return error;
}

static int time_get(uint64_t time, void *value, uint32_t *size)
{
    const struct bm_socket_time parts = {(int64_t)(time / 1000000000), (int64_t)(time % 1000000000 / 1000)};
    return put(&parts, sizeof parts, value, size);
}

static int time_set(uint64_t *time, const void *value, uint32_t size)
{
    struct bm_socket_time parts;
    if (size < sizeof parts)
        return -BM_EINVAL;
    __builtin_memcpy(&parts, value, sizeof parts);
    if (parts.microseconds < 0 || parts.microseconds >= 1000000)
        return -BM_EDOM;
    int64_t seconds = parts.seconds < 0 ? 0 : parts.seconds;
    *time = seconds > INT64_MAX / 4000000000
                ? 0 // for ever
                : (uint64_t)seconds * 1000000000 + (uint64_t)parts.microseconds * 1000;
    return 0;
}

// --- The level of vsock itself ---

static int own_get(const struct vsock *socket, int option, void *value, uint32_t *size)
{
    uint64_t number;
    switch (option) {
    case BM_SO_VSOCK_BUFFER_SIZE:
        number = socket->room_wanted;
        break;
    case BM_SO_VSOCK_BUFFER_MIN:
        number = socket->room_min;
        break;
    case BM_SO_VSOCK_BUFFER_MAX:
        number = socket->room_max;
        break;
    case BM_SO_VSOCK_CONNECT_TIMEOUT_OLD:
    case BM_SO_VSOCK_CONNECT_TIMEOUT:
        return time_get(socket->connect_time, value, size);
    default:
        return -BM_ENOPROTOOPT;
    }
    return *size < sizeof number ? -BM_EINVAL : put(&number, sizeof number, value, size);
}

// The size is kept within its limits, whichever of the three is set.
static void room_set(struct vsock *socket, uint64_t *which, uint64_t number)
{
    bm_vsock_lock();
    *which = number < 1 ? 1 : number > VSOCK_ROOM_MAX ? VSOCK_ROOM_MAX : number;
    if (socket->room_wanted > socket->room_max)
        socket->room_wanted = socket->room_max;
    if (socket->room_wanted < socket->room_min)
        socket->room_wanted = socket->room_min;
    bm_vsock_unlock();
}

static int own_set(struct vsock *socket, int option, const void *value, uint32_t size)
{
    uint64_t number, *which = option == BM_SO_VSOCK_BUFFER_SIZE  ? &socket->room_wanted
                              : option == BM_SO_VSOCK_BUFFER_MIN ? &socket->room_min
                              : option == BM_SO_VSOCK_BUFFER_MAX ? &socket->room_max
                                                                 : NULL;
    if (option == BM_SO_VSOCK_CONNECT_TIMEOUT_OLD || option == BM_SO_VSOCK_CONNECT_TIMEOUT) {
        uint64_t time;
        int error = time_set(&time, value, size);
        if (!error)
            socket->connect_time = time ? time : 2000000000; // ns: Linux' default
        return error;
    }
    if (!which)
        return -BM_ENOPROTOOPT;
    if (size < sizeof number)
        return -BM_EINVAL;
    __builtin_memcpy(&number, value, sizeof number);
    room_set(socket, which, number);
    return 0;
}

// --- The level of all sockets ---

int bm_vsock_option_get(struct bm_file *file, int level, int option, void *value, uint32_t *size)
{
    struct vsock *socket = bm_vsock_of(file);
    int number = 0;
    if (!value || !size)
        return -BM_EFAULT;
    if (level == BM_AF_VSOCK)
        return own_get(socket, option, value, size);
    if (level != BM_SOL_SOCKET)
        return -BM_ENOPROTOOPT;
    switch (option) {
    case BM_SO_TYPE:
        number = BM_SOCK_STREAM;
        break;
    case BM_SO_ERROR:
        number = error_take(socket);
        break;
    case BM_SO_DOMAIN:
        number = BM_AF_VSOCK;
        break;
    case BM_SO_ACCEPTCONN:
        number = socket->state == VSOCK_LISTENING;
        break;
    case BM_SO_SNDBUF:
    case BM_SO_RCVBUF:
        number = (int)socket->room_wanted;
        break;
    case BM_SO_RCVLOWAT:
    case BM_SO_SNDLOWAT:
        number = 1;
        break;
    case BM_SO_PROTOCOL:
    case BM_SO_REUSEADDR:
    case BM_SO_REUSEPORT:
    case BM_SO_KEEPALIVE:
        break;
    case BM_SO_LINGER:
        return put(&(struct bm_socket_linger){0}, sizeof(struct bm_socket_linger), value, size);
    case BM_SO_RCVTIMEO:
        return time_get(socket->receive_time, value, size);
    case BM_SO_SNDTIMEO:
        return time_get(socket->send_time, value, size);
    default:
        return -BM_ENOPROTOOPT;
    }
    return put(&number, sizeof number, value, size);
}

int bm_vsock_option_set(struct bm_file *file, int level, int option, const void *value, uint32_t size)
{
    struct vsock *socket = bm_vsock_of(file);
    if (!value)
        return -BM_EFAULT;
    if (level == BM_AF_VSOCK)
        return own_set(socket, option, value, size);
    if (level != BM_SOL_SOCKET)
        return -BM_ENOPROTOOPT;
    if (size < sizeof(int))
        return -BM_EINVAL;
    switch (option) {
    case BM_SO_RCVTIMEO:
        return time_set(&socket->receive_time, value, size);
    case BM_SO_SNDTIMEO:
        return time_set(&socket->send_time, value, size);
    case BM_SO_SNDBUF: // without a meaning here, as for Linux
    case BM_SO_RCVBUF:
    case BM_SO_REUSEADDR:
    case BM_SO_REUSEPORT:
    case BM_SO_KEEPALIVE:
    case BM_SO_LINGER:
        return 0;
    default:
        return -BM_ENOPROTOOPT;
    }
}

// --- Events ---

int bm_vsock_poll(struct bm_file *file)
{
    struct vsock *socket = bm_vsock_of(file);
    int events = 0;
    bm_vsock_lock();
    bool over = socket->state == VSOCK_ENDED;
    bool ends = over || socket->shut & VSOCK_SHUT_RECEIVE || socket->peer_shut & VSOCK_SHUT_SEND;
    if (socket->received != socket->taken || socket->pending || ends)
        events |= BM_POLLIN;
    if ((socket->state == VSOCK_CONNECTED && bm_vsock_writable(socket)) || over)
        events |= BM_POLLOUT;
    if (ends)
        events |= BM_POLLRDHUP;
    if (over || (socket->shut == VSOCK_SHUT_BOTH && socket->peer_shut & VSOCK_SHUT_SEND))
        events |= BM_POLLHUP;
    if (socket->error)
        events |= BM_POLLERR | BM_POLLIN | BM_POLLOUT;
    bm_vsock_unlock();
    return events;
}

int bm_vsock_control(struct bm_file *file, unsigned long request, void *argument)
{
    enum { FIONREAD = 0x541b, SIOCOUTQ = 0x5411 };
    struct vsock *socket = bm_vsock_of(file);
    if (request != FIONREAD && request != SIOCOUTQ)
        return -BM_ENOTTY;
    if (socket->state == VSOCK_LISTENING)
        return -BM_EINVAL;
    bm_vsock_lock();
    uint32_t bytes =
        request == FIONREAD ? socket->received - socket->taken : socket->sent - socket->peer_taken;
    bm_vsock_unlock();
    *(int *)argument = (int)bytes; // with no lock held: a bad address is the caller's fault alone
    return 0;
}
