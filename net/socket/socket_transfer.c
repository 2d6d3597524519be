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

// When the receiving side has been shut down, what has arrived is still given, and nothing is waited for.
static bool is_shut(const struct bm_socket *socket)
{
    return __atomic_load_n(&socket->shut_read, __ATOMIC_SEQ_CST);
}

static long receive_bytes(struct bm_socket *socket, void *buffer, size_t size, int flags, uint64_t deadline)
{
    for (;;) {
        bool shut = is_shut(socket);
        long got = lwip_recv(socket->number, buffer, size, flags);
        if (got >= 0)
            return got;
        got = receive_failed(socket);
        if (got == -BM_EAGAIN && shut)
            return 0;
        if (got == -BM_EAGAIN)
            got = bm_socket_await(socket, BM_POLLIN, deadline);
        if (got < 0)
            return got;
    }
}

// One read of a stream; keeps in mind that the peer has ended it, which lwIP tells once.
static long receive_stream(struct bm_socket *socket, void *buffer, size_t size, int flags, uint64_t deadline)
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
    long got = receive_bytes(socket, buffer, size, flags & BM_MSG_PEEK, deadline);
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

static long receive_all(struct bm_socket *socket, void *buffer, size_t size, int flags, uint64_t deadline)
{
    long done = 0;
    while ((size_t)done < size) {
        long got = receive_stream(socket, (char *)buffer + done, size - (size_t)done, flags, deadline);
        if (got <= 0)
            return received(socket, done, got);
        done += got;
    }
    return done;
}

static long receive_datagram(struct bm_socket *socket, struct msghdr *message, size_t room, int flags,
                             uint64_t deadline)
{
    for (;;) {
        bool shut = is_shut(socket);
        long got = lwip_recvmsg(socket->number, message, flags & BM_MSG_PEEK);
        if (got >= 0)
            return (size_t)got > room && !(flags & BM_MSG_TRUNC) ? (long)room : got;
        got = receive_failed(socket);
        if (got == -BM_EAGAIN && shut && deadline) // Linux: 0 where it would have waited
            return 0;
        if (got == -BM_EAGAIN)
            got = bm_socket_await(socket, BM_POLLIN, deadline);
        if (got < 0)
            return got;
    }
}

static void peer_name(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size)
{
    if (address && size && lwip_getpeername(socket->number, (struct sockaddr *)address, size) != 0)
        *size = 0; // it has gone
}

// In the caller's turn.
static long receive(struct bm_socket *socket, void *buffer, size_t size, int flags,
                    union bm_socket_address *address, uint32_t *address_size, uint64_t deadline)
{
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (socket->type == BM_SOCK_STREAM) {
        bool all = (flags & BM_MSG_WAITALL) && !(flags & BM_MSG_PEEK) && deadline;
        long got = all ? receive_all(socket, buffer, size, flags, deadline)
                       : receive_stream(socket, buffer, size, flags, deadline);
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
    long got = receive_datagram(socket, &message, size, flags, deadline);
    if (got >= 0 && address && address_size)
        *address_size = message.msg_namelen;
    return got;
}

long bm_socket_receive(struct bm_socket *socket, void *buffer, size_t size, int flags,
                       union bm_socket_address *address, uint32_t *address_size)
{
    BM_SOCKET_ASSERT(socket);
    uint64_t deadline = bm_socket_deadline(socket, flags, socket->receive_time);
    long result = bm_socket_turn_take(&socket->receiving, deadline);
    if (result)
        return result;
    result = receive(socket, buffer, size, flags, address, address_size, deadline);
    bm_socket_turn_give(&socket->receiving);
    return result;
}

static long send_failed(struct bm_socket *socket)
{
    int error = bm_socket_failure(socket);
    if (error == -BM_EINPROGRESS)
        return -BM_EAGAIN; // it still connects
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

// Moves on in pieces behind the first `done` bytes; returns how many pieces are left.
static int pieces_pass(struct bm_file_piece **pieces, int count, size_t done)
{
    for (; count && done >= (*pieces)->size; count--)
        done -= (*pieces)++->size;
    if (count) {
        (*pieces)->data = (char *)(*pieces)->data + done;
        (*pieces)->size -= done;
    }
    return count;
}

// In the turn to send: all of a stream's pieces, which are changed, or what went before an error.
static long send_pieces(struct bm_socket *socket, struct bm_file_piece *pieces, int count, int flags,
                        uint64_t deadline)
{
    long done = 0;
    while (count) {
        struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
        long part = socket->shut_write ? -BM_EPIPE : lwip_sendmsg(socket->number, &message, flags);
        if (part == -1)
            part = send_failed(socket);
        if (part == -BM_EAGAIN) {
            part = bm_socket_await(socket, BM_POLLOUT, deadline);
        } else if (part >= 0) {
            bm_socket_set_connected(socket);
            count = pieces_pass(&pieces, count, (size_t)part);
            done += part;
        }
        if (part < 0)
            return done ? done : part;
    }
    return done;
}

// One sender at a time, so that what a call sends stays together.
static long send_stream(struct bm_socket *socket, struct bm_file_piece *pieces, int count, int flags)
{
    uint64_t deadline = bm_socket_deadline(socket, flags, socket->send_time);
    if (socket->shut_write)
        return -BM_EPIPE;
    long result = bm_socket_turn_take(&socket->sending, deadline);
    if (result)
        return result;
    result = send_pieces(socket, pieces, count, flags & BM_MSG_MORE, deadline);
    bm_socket_turn_give(&socket->sending);
    return result;
}

// lwIP takes a datagram whole, and waits for nothing.
static long send_datagram(struct bm_socket *socket, struct bm_file_piece *pieces, int count,
                          const union bm_socket_address *address, uint32_t size)
{
    union bm_socket_address there;
    if (!address && !socket->connected)
        return -BM_EDESTADDRREQ;
    if (address) {
        if (!address_is_whole(address, size))
            return -BM_EINVAL;
        there = bm_socket_destination(address);
        address = &there;
        bm_socket_settle(&there);
    }
    socket->bound = true;
    if (socket->shut_write)
        return -BM_EPIPE;
    size = address ? bm_socket_address_size(&there) : 0;
    struct msghdr message = {.msg_name = address ? &there : NULL,
                             .msg_namelen = size,
                             .msg_iov = (struct iovec *)pieces,
                             .msg_iovlen = (size_t)count};
    long sent = count > 1 ? lwip_sendmsg(socket->number, &message, 0)
                          : lwip_sendto(socket->number, pieces->data, pieces->size, 0,
                                        (const struct sockaddr *)address, size);
    return sent < 0 ? send_failed(socket) : sent;
}

long bm_socket_send(struct bm_socket *socket, const void *data, size_t size, int flags,
                    const union bm_socket_address *address, uint32_t address_size)
{
    BM_SOCKET_ASSERT(socket);
    struct bm_file_piece piece = {(void *)(uintptr_t)data, size};
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (socket->type != BM_SOCK_STREAM)
        return send_datagram(socket, &piece, 1, address, address_size);
    if (address && !address_is_whole(address, address_size))
        return -BM_EINVAL;
    return send_stream(socket, &piece, size != 0, flags);
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
    if (flags & BM_MSG_OOB)
        return -BM_EOPNOTSUPP;
    if (socket->type == BM_SOCK_STREAM)
        return send_stream(socket, pieces, count, flags);
    if (count == 0)
        pieces[0] = (struct bm_file_piece){NULL, 0};
    return send_datagram(socket, pieces, count, message->address, message->address_size);
}

// Of a stream. Behind the first piece nothing is waited for.
static long receive_pieces(struct bm_socket *socket, const struct bm_file_piece *pieces, int count, int flags,
                           uint64_t deadline)
{
    long done = 0;
    for (int i = 0; i < count; i++) {
        long got = receive(socket, pieces[i].data, pieces[i].size, flags, NULL, NULL, deadline);
        if (got <= 0)
            return received(socket, done, got);
        done += got;
        if ((size_t)got < pieces[i].size)
            break;
        while (flags & BM_MSG_PEEK && ++i < count)
            done += (long)bm_net_socket_look(socket->number, (size_t)done, pieces[i].data, pieces[i].size);
        if (!(flags & BM_MSG_WAITALL))
            deadline = 0;
    }
    return done;
}

// Of datagrams; `bytes`: of all pieces.
static long receive_message(struct bm_socket *socket, struct bm_socket_message *message,
                            struct bm_file_piece *pieces, int count, size_t bytes, int flags,
                            uint64_t deadline)
{
    char nothing;
    if (count == 0)
        pieces[count++] = (struct bm_file_piece){&nothing, 1};
    struct msghdr copy = {.msg_iov = (struct iovec *)pieces,
                          .msg_iovlen = (size_t)count,
                          .msg_name = message->address,
                          .msg_namelen = message->address ? message->address_size : 0};
    long got = receive_datagram(socket, &copy, bytes, flags | BM_MSG_TRUNC, deadline);
    if (got < 0)
        return got;
    message->address_size = copy.msg_namelen;
    if ((size_t)got <= bytes)
        return got;
    message->flags = BM_MSG_TRUNC;
    return flags & BM_MSG_TRUNC ? got : (long)bytes;
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
    uint64_t deadline = bm_socket_deadline(socket, flags, socket->receive_time);
    if (socket->type == BM_SOCK_STREAM)
        message->address_size = 0;
    long got = bm_socket_turn_take(&socket->receiving, deadline);
    if (got)
        return got;
    if (socket->type == BM_SOCK_STREAM)
        got = receive_pieces(socket, pieces, count, flags, deadline);
    else
        got = receive_message(socket, message, pieces, count, bytes, flags, deadline);
    bm_socket_turn_give(&socket->receiving);
    return got;
}
