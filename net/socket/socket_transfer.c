// Sending and receiving on sockets.
// SPDX-License-Identifier: MIT

#include "../lwip/error.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lwip/sockets.h"

enum { VECTORS_MAX = 64 };

static bool is_nonblocking(const struct bm_socket *socket, int flags)
{
    return (flags & MSG_DONTWAIT) || (socket->file.flags & O_NONBLOCK);
}

static long receive_failed(struct bm_socket *socket)
{
    int error = bm_socket_error(socket, bm_net_error());
    if (socket->type == SOCK_STREAM && socket->connected) {
        if (error == ECONNRESET)
            socket->ended = true; // said once; from now on it is the end
        else if (error == ENOTCONN)
            return 0;
    }
    return -error;
}

// One read of a stream; keeps in mind that the peer has ended it, which lwIP tells once.
static long receive_stream(struct bm_socket *socket, void *buffer, size_t size, int flags)
{
    if (!socket->connected && !socket->connecting)
        return -ENOTCONN;
    if (size == 0 || socket->ended)
        return 0;
    long got = lwip_recv(socket->number, buffer, size, flags & (MSG_PEEK | MSG_DONTWAIT));
    if (got > 0)
        socket->connected = true;
    else if (got == 0)
        socket->ended = true;
    return got >= 0 ? got : receive_failed(socket);
}

static long receive_all(struct bm_socket *socket, void *buffer, size_t size, int flags)
{
    size_t done = 0;
    while (done < size) {
        long got = receive_stream(socket, (char *)buffer + done, size - done, flags);
        if (got <= 0)
            return done ? (long)done : got;
        done += (size_t)got;
    }
    return (long)done;
}

static long receive_datagram(struct bm_socket *socket, struct msghdr *message, size_t room, int flags)
{
    long got = lwip_recvmsg(socket->number, message, flags & (MSG_PEEK | MSG_DONTWAIT));
    if (got < 0)
        return receive_failed(socket);
    return (size_t)got > room && !(flags & MSG_TRUNC) ? (long)room : got;
}

static void peer_name(struct bm_socket *socket, struct sockaddr *address, socklen_t *length)
{
    if (address && length)
        lwip_getpeername(socket->number, address, length);
}

long bm_socket_receive(struct bm_socket *socket, void *buffer, size_t size, int flags,
                       struct sockaddr *address, socklen_t *length)
{
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (socket->type == SOCK_STREAM) {
        bool all = (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && !is_nonblocking(socket, flags);
        long got =
            all ? receive_all(socket, buffer, size, flags) : receive_stream(socket, buffer, size, flags);
        if (got >= 0)
            peer_name(socket, address, length);
        return got;
    }
    char nothing;
    struct iovec vector = {size ? buffer : &nothing, size ? size : 1};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_name = address,
                             .msg_namelen = address && length ? *length : 0};
    long got = receive_datagram(socket, &message, size, flags);
    if (got >= 0 && address && length)
        *length = message.msg_namelen;
    return got;
}

static long send_failed(struct bm_socket *socket)
{
    int error = bm_socket_error(socket, bm_net_error());
    if (socket->type == SOCK_STREAM && error == ENOTCONN && (socket->connected || socket->shut_write))
        error = EPIPE;
    if (error == ECONNRESET && socket->ended)
        error = EPIPE; // after its end, or told by recv already
    return -error;
}

static socklen_t address_size(const struct sockaddr *address)
{
    return address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static bool address_is_whole(const struct sockaddr *address, socklen_t length)
{
    return length >= sizeof(sa_family_t) &&
           (address->sa_family == AF_INET || address->sa_family == AF_INET6) &&
           length >= address_size(address);
}

long bm_socket_send(struct bm_socket *socket, const void *data, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length)
{
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (socket->type == SOCK_STREAM && socket->shut_write)
        return -EPIPE;
    if (socket->type != SOCK_STREAM && !address && !socket->connected)
        return -EDESTADDRREQ;
    if (address && !address_is_whole(address, length))
        return -EINVAL;
    if (address)
        bm_socket_settle(address);
    if (socket->type != SOCK_STREAM)
        socket->bound = true;
    flags &= MSG_DONTWAIT | MSG_MORE;
    long sent = lwip_sendto(socket->number, data, size, flags, address, address ? address_size(address) : 0);
    if (sent < 0)
        return send_failed(socket);
    if (socket->type == SOCK_STREAM)
        socket->connected = true;
    return sent;
}

ssize_t recvfrom(int descriptor, void *restrict buffer, size_t size, int flags,
                 struct sockaddr *restrict address, socklen_t *restrict length)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    long result = bm_socket_receive(socket, buffer, size, flags, address, length);
    bm_socket_release(socket);
    return bm_socket_result(result);
}

ssize_t recv(int descriptor, void *buffer, size_t size, int flags)
{
    return recvfrom(descriptor, buffer, size, flags, NULL, NULL);
}

ssize_t sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t length)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    long result = bm_socket_send(socket, data, size, flags, address, length);
    bm_socket_release(socket);
    return bm_socket_result(result);
}

ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
    return sendto(descriptor, data, size, flags, NULL, 0);
}

// The vectors that are not empty; a stream takes as many as fit, a datagram must be whole. Returns how many,
// or a negative errno.
static int vectors_collect(const struct bm_socket *socket, const struct msghdr *message,
                           struct iovec *vectors, size_t *bytes)
{
    int count = 0;
    *bytes = 0;
    if (message->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    if (message->msg_iovlen && !message->msg_iov)
        return -EINVAL;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        if (message->msg_iov[i].iov_len == 0)
            continue;
        if (count == VECTORS_MAX)
            return socket->type == SOCK_STREAM ? count : -EMSGSIZE;
        if (message->msg_iov[i].iov_len > SSIZE_MAX - *bytes)
            return -EINVAL;
        *bytes += message->msg_iov[i].iov_len;
        vectors[count++] = message->msg_iov[i];
    }
    return count;
}

long bm_socket_send_message(struct bm_socket *socket, const struct msghdr *message, int flags)
{
    struct iovec vectors[VECTORS_MAX];
    size_t bytes;
    int count = vectors_collect(socket, message, vectors, &bytes);
    if (count < 0)
        return count;
    if (count <= 1 || (flags & MSG_OOB) || (socket->type == SOCK_STREAM && socket->shut_write))
        return bm_socket_send(socket, count ? vectors[0].iov_base : NULL, bytes, flags,
                              socket->type == SOCK_STREAM ? NULL : message->msg_name, message->msg_namelen);
    struct msghdr copy = {.msg_iov = vectors, .msg_iovlen = (size_t)count};
    if (socket->type != SOCK_STREAM && message->msg_name) {
        if (!address_is_whole(message->msg_name, message->msg_namelen))
            return -EINVAL;
        copy.msg_name = message->msg_name;
        copy.msg_namelen = address_size(message->msg_name);
        bm_socket_settle(message->msg_name);
    } else if (socket->type != SOCK_STREAM && !socket->connected) {
        return -EDESTADDRREQ;
    }
    long sent = lwip_sendmsg(socket->number, &copy, flags & (MSG_DONTWAIT | MSG_MORE));
    return sent >= 0 ? sent : send_failed(socket);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    long result = bm_socket_send_message(socket, message, flags);
    bm_socket_release(socket);
    return bm_socket_result(result);
}

static long receive_vectors(struct bm_socket *socket, const struct iovec *vectors, int count, int flags)
{
    long done = 0;
    for (int i = 0; i < count; i++) {
        long got = bm_socket_receive(socket, vectors[i].iov_base, vectors[i].iov_len, flags, NULL, NULL);
        if (got <= 0)
            return done ? done : got;
        done += got;
        if ((size_t)got < vectors[i].iov_len || (flags & MSG_PEEK))
            break;
        if (!(flags & MSG_WAITALL))
            flags |= MSG_DONTWAIT;
    }
    return done;
}

long bm_socket_receive_message(struct bm_socket *socket, struct msghdr *message, int flags)
{
    struct iovec vectors[VECTORS_MAX];
    size_t bytes;
    int count = vectors_collect(socket, message, vectors, &bytes);
    if (count < 0)
        return count;
    message->msg_controllen = 0;
    message->msg_flags = 0;
    if (socket->type == SOCK_STREAM) {
        message->msg_namelen = 0;
        return receive_vectors(socket, vectors, count, flags);
    }
    char nothing;
    if (count == 0)
        vectors[count++] = (struct iovec){&nothing, 1};
    struct msghdr copy = {.msg_iov = vectors,
                          .msg_iovlen = (size_t)count,
                          .msg_name = message->msg_name,
                          .msg_namelen = message->msg_name ? message->msg_namelen : 0};
    long got = receive_datagram(socket, &copy, bytes, flags | MSG_TRUNC);
    if (got < 0)
        return got;
    message->msg_namelen = copy.msg_namelen;
    if ((size_t)got <= bytes)
        return got;
    message->msg_flags = MSG_TRUNC;
    return flags & MSG_TRUNC ? got : (long)bytes;
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    long result = bm_socket_receive_message(socket, message, flags);
    bm_socket_release(socket);
    return bm_socket_result(result);
}
