// Sending and receiving on sockets.
// SPDX-License-Identifier: MIT
#include "../lwip/socket_state.h"
#include "socket.h"

#include <baremetal/error.h>
#include <limits.h>

#include "lwip/sockets.h"

enum { PIECES_MAX = 64, MESSAGE_PIECES_MAX = 1024 };
_Static_assert(sizeof(struct bm_file_piece) == sizeof(struct iovec) &&
                   offsetof(struct bm_file_piece, size) == offsetof(struct iovec, iov_len),
               "lwIP takes pieces as they are");

static long receive_end(struct bm_socket *socket, long result)
{
    bm_socket_turn_give(&socket->receiving);
    return result;
}

// Waits for the turn to receive. Returns 0 or -BM_EAGAIN.
static int receive_begin(struct bm_socket *socket, int flags)
{
    uint64_t deadline = bm_socket_deadline(socket, flags, socket->receive_time);
    return bm_socket_turn_take(&socket->receiving, deadline) ? 0 : -BM_EAGAIN;
}

static long receive_failed(struct bm_socket *socket)
{
    int error = bm_socket_failure(socket);
    if (socket->type == BM_SOCK_STREAM && socket->connected) {
        if (error == -BM_ECONNRESET || error == -BM_ETIMEDOUT)
            socket->ended = true; // said once; from now on it is the end
        else if (error == -BM_ENOTCONN)
            return 0;
    }
    return error;
}

// When the receiving side has been shut down, what has arrived is still given, and nothing is waited for. Who
// waits already is woken by a failure (bm_net_socket_end_waiting), and looks again without waiting.
static bool is_shut(const struct bm_socket *socket)
{
    return __atomic_load_n(&socket->shut_read, __ATOMIC_SEQ_CST);
}

// Whether a receive that gave `got` is to be tried again; `shut`: whether it did not wait for that reason.
static bool is_woken(const struct bm_socket *socket, long got, bool shut)
{
    return got == -BM_EAGAIN && is_shut(socket) &&
           (!shut || bm_net_socket_state(socket->number) & BM_NET_SOCKET_READABLE);
}

static long receive_bytes(struct bm_socket *socket, void *buffer, size_t size, int flags)
{
    bool shut;
    long got;
    do {
        shut = is_shut(socket);
        got = lwip_recv(socket->number, buffer, size, shut ? flags | BM_MSG_DONTWAIT : flags);
        if (got < 0)
            got = receive_failed(socket);
    } while (is_woken(socket, got, shut));
    return shut && got == -BM_EAGAIN ? 0 : got;
}

// One read of a stream; keeps in mind that the peer has ended it, which lwIP tells once.
static long receive_stream(struct bm_socket *socket, void *buffer, size_t size, int flags)
{
    if (!socket->connected && !socket->connecting)
        return -BM_ENOTCONN;
    if (size == 0)
        return 0;
    if (socket->ended) {
        long error = socket->late_error;
        socket->late_error = 0;
        return error;
    }
    long got = receive_bytes(socket, buffer, size, flags & (BM_MSG_PEEK | BM_MSG_DONTWAIT));
    if (got > 0 && flags & BM_MSG_PEEK && (size_t)got < size) // lwIP looks at the first segment alone
        got = (long)bm_net_socket_look(socket->number, 0, buffer, size);
    if (got > 0)
        bm_socket_set_connected(socket);
    else if (got == 0)
        socket->ended = true;
    return got;
}

// What several receives have given, of which the last one has failed or met the end. An error that is told
// once must not be lost behind data: the next receive says it.
static long received(struct bm_socket *socket, long done, long last)
{
    if (done == 0)
        return last;
    if (last < 0 && socket->ended)
        socket->late_error = (int)last;
    return done;
}

static long receive_all(struct bm_socket *socket, void *buffer, size_t size, int flags)
{
    long done = 0;
    while ((size_t)done < size) {
        long got = receive_stream(socket, (char *)buffer + done, size - (size_t)done, flags);
        if (got <= 0)
            return received(socket, done, got);
        done += got;
    }
    return done;
}

static long receive_datagram(struct bm_socket *socket, struct msghdr *message, size_t room, int flags)
{
    const int waiting = flags & (BM_MSG_PEEK | BM_MSG_DONTWAIT);
    bool shut;
    long got;
    do {
        shut = is_shut(socket);
        got = lwip_recvmsg(socket->number, message, shut ? waiting | BM_MSG_DONTWAIT : waiting);
        if (got < 0)
            got = receive_failed(socket);
    } while (is_woken(socket, got, shut));
    if (got < 0) // Linux: 0 where it would have waited
        return shut && got == -BM_EAGAIN && !bm_socket_is_nonblocking(socket, flags) ? 0 : got;
    return (size_t)got > room && !(flags & BM_MSG_TRUNC) ? (long)room : got;
}

static void peer_name(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size)
{
    if (address && size && lwip_getpeername(socket->number, (struct sockaddr *)address, size) != 0)
        *size = 0; // it has gone
}

// In the caller's turn.
static long receive(struct bm_socket *socket, void *buffer, size_t size, int flags,
                    union bm_socket_address *address, uint32_t *address_size)
{
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (socket->type == BM_SOCK_STREAM) {
        bool all =
            (flags & BM_MSG_WAITALL) && !(flags & BM_MSG_PEEK) && !bm_socket_is_nonblocking(socket, flags);
        long got =
            all ? receive_all(socket, buffer, size, flags) : receive_stream(socket, buffer, size, flags);
        if (got >= 0)
            peer_name(socket, address, address_size);
        return got;
    }
    char nothing;
    struct iovec vector = {size ? buffer : &nothing, size ? size : 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_name = address,
                             .msg_namelen = address && address_size ? *address_size : 0};
    long got = receive_datagram(socket, &message, size, flags);
    if (got >= 0 && address && address_size)
        *address_size = message.msg_namelen;
    return got;
}

long bm_socket_receive(struct bm_socket *socket, void *buffer, size_t size, int flags,
                       union bm_socket_address *address, uint32_t *address_size)
{
    BM_SOCKET_ASSERT(socket);
    int error = receive_begin(socket, flags);
    return error ? error : receive_end(socket, receive(socket, buffer, size, flags, address, address_size));
}

static long send_failed(struct bm_socket *socket, int flags)
{
    int error = bm_socket_failure(socket);
    if (error == -BM_EINPROGRESS && bm_socket_is_nonblocking(socket, flags))
        return -BM_EAGAIN; // it still connects, or another thread sends
    if (socket->type == BM_SOCK_STREAM && error == -BM_ENOTCONN && (socket->connected || socket->shut_write))
        error = -BM_EPIPE;
    if ((error == -BM_ECONNRESET || error == -BM_ETIMEDOUT) && socket->ended)
        error = -BM_EPIPE; // after its end, or told by a receive already
    return error;
}

static bool address_is_whole(const union bm_socket_address *address, uint32_t size)
{
    return size >= sizeof address->family &&
           (address->family == BM_AF_INET || address->family == BM_AF_INET6) &&
           size >= bm_socket_address_size(address);
}

// Of a stream: waits for the turn to send, since lwIP knows one sender that waits. Returns 0 or a negative
// error.
static int send_begin(struct bm_socket *socket, int flags)
{
    if (socket->shut_write)
        return -BM_EPIPE;
    if (socket->type != BM_SOCK_STREAM)
        return 0;
    uint64_t deadline = bm_socket_deadline(socket, flags, socket->send_time);
    if (!bm_socket_turn_take(&socket->sending, deadline))
        return -BM_EAGAIN;
    if (!socket->shut_write)
        return 0;
    bm_socket_turn_give(&socket->sending);
    return -BM_EPIPE;
}

static long send_end(struct bm_socket *socket, long sent, int flags)
{
    if (sent < 0)
        sent = send_failed(socket, flags); // before anything waits
    if (socket->type == BM_SOCK_STREAM) {
        if (sent >= 0)
            bm_socket_set_connected(socket);
        bm_socket_turn_give(&socket->sending);
    }
    return sent;
}

long bm_socket_send(struct bm_socket *socket, const void *data, size_t size, int flags,
                    const union bm_socket_address *address, uint32_t address_size)
{
    BM_SOCKET_ASSERT(socket);
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (socket->type != BM_SOCK_STREAM && !address && !socket->connected)
        return -BM_EDESTADDRREQ;
    if (address && !address_is_whole(address, address_size))
        return -BM_EINVAL;
    union bm_socket_address there;
    if (address) {
        there = bm_socket_destination(address);
        address = &there;
        bm_socket_settle(address);
    }
    if (socket->type != BM_SOCK_STREAM)
        socket->bound = true;
    flags &= BM_MSG_DONTWAIT | BM_MSG_MORE;
    int error = send_begin(socket, flags);
    if (error)
        return error;
    return send_end(socket,
                    lwip_sendto(socket->number, data, size, flags, (const struct sockaddr *)address,
                                address ? bm_socket_address_size(address) : 0),
                    flags);
}

// The pieces that are not empty; a stream takes as many as fit, a datagram must be whole. Returns how many,
// or a negative error.
static int pieces_collect(const struct bm_socket *socket, const struct bm_socket_message *message,
                          struct bm_file_piece *pieces, size_t *bytes)
{
    int count = 0;
    *bytes = 0;
    if (message->count > MESSAGE_PIECES_MAX)
        return -BM_EMSGSIZE;
    if (message->count && !message->pieces)
        return -BM_EINVAL;
    for (size_t i = 0; i < message->count; i++) {
        if (message->pieces[i].size == 0)
            continue;
        if (count == PIECES_MAX)
            return socket->type == BM_SOCK_STREAM ? count : -BM_EMSGSIZE;
        if (message->pieces[i].size > LONG_MAX - *bytes)
            return -BM_EINVAL;
        *bytes += message->pieces[i].size;
        pieces[count++] = message->pieces[i];
    }
    return count;
}

long bm_socket_send_message(struct bm_socket *socket, const struct bm_socket_message *message, int flags)
{
    BM_SOCKET_ASSERT(socket);
    struct bm_file_piece pieces[PIECES_MAX];
    size_t bytes;
    int count = pieces_collect(socket, message, pieces, &bytes);
    if (count < 0)
        return count;
    bool stream = socket->type == BM_SOCK_STREAM;
    if (count <= 1 || (flags & BM_MSG_OOB))
        return bm_socket_send(socket, count ? pieces[0].data : NULL, bytes, flags,
                              stream ? NULL : message->address, message->address_size);
    struct msghdr copy = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
    union bm_socket_address there;
    if (!stream && message->address) {
        if (!address_is_whole(message->address, message->address_size))
            return -BM_EINVAL;
        there = bm_socket_destination(message->address);
        copy.msg_name = &there;
        copy.msg_namelen = bm_socket_address_size(&there);
        bm_socket_settle(&there);
    } else if (!stream && !socket->connected) {
        return -BM_EDESTADDRREQ;
    }
    int error = send_begin(socket, flags);
    if (error)
        return error;
    return send_end(socket, lwip_sendmsg(socket->number, &copy, flags & (BM_MSG_DONTWAIT | BM_MSG_MORE)),
                    flags);
}

static long receive_pieces(struct bm_socket *socket, const struct bm_file_piece *pieces, int count, int flags)
{
    long done = 0;
    for (int i = 0; i < count; i++) {
        long got = receive(socket, pieces[i].data, pieces[i].size, flags, NULL, NULL);
        if (got <= 0)
            return received(socket, done, got);
        done += got;
        if ((size_t)got < pieces[i].size)
            break;
        while (flags & BM_MSG_PEEK && ++i < count)
            done += (long)bm_net_socket_look(socket->number, (size_t)done, pieces[i].data, pieces[i].size);
        if (!(flags & BM_MSG_WAITALL))
            flags |= BM_MSG_DONTWAIT;
    }
    return done;
}

long bm_socket_receive_message(struct bm_socket *socket, struct bm_socket_message *message, int flags)
{
    BM_SOCKET_ASSERT(socket);
    struct bm_file_piece pieces[PIECES_MAX];
    size_t bytes;
    int count = pieces_collect(socket, message, pieces, &bytes);
    if (count < 0)
        return count;
    message->control_size = 0;
    message->flags = 0;
    if (socket->type == BM_SOCK_STREAM) {
        message->address_size = 0;
        int error = receive_begin(socket, flags);
        return error ? error : receive_end(socket, receive_pieces(socket, pieces, count, flags));
    }
    char nothing;
    if (count == 0)
        pieces[count++] = (struct bm_file_piece){&nothing, 1};
    struct msghdr copy = {.msg_iov = (struct iovec *)pieces,
                          .msg_iovlen = (size_t)count,
                          .msg_name = message->address,
                          .msg_namelen = message->address ? message->address_size : 0};
    long got = receive_begin(socket, flags);
    if (got == 0)
        got = receive_end(socket, receive_datagram(socket, &copy, bytes, flags | BM_MSG_TRUNC));
    if (got < 0)
        return got;
    message->address_size = copy.msg_namelen;
    if ((size_t)got <= bytes)
        return got;
    message->flags = BM_MSG_TRUNC;
    return flags & BM_MSG_TRUNC ? got : (long)bytes;
}
