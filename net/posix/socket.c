// The calls of <sys/socket.h>: the service (baremetal/socket.h) on the socket of a descriptor, and errno.
// SPDX-License-Identifier: MIT
#include "../socket/file.h"

#include <baremetal/socket.h>
#include <errno.h>
#include <sys/socket.h>

// -1 with errno set from a negative result, else the result.
static long result_of(long result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

// NULL with errno EBADF or ENOTSOCK.
static struct bm_socket *acquire(int descriptor)
{
    struct bm_socket *socket;
    return result_of(bm_socket_acquire(descriptor, &socket)) == 0 ? socket : NULL;
}

static long finish(struct bm_socket *socket, long result)
{
    bm_socket_release(socket);
    return result_of(result);
}

int socket(int domain, int type, int protocol)
{
    struct bm_socket *made;
    int result = bm_socket_open(domain, type, protocol, &made);
    return (int)result_of(result == 0 ? bm_socket_install(made) : result);
}

int socketpair(int domain, int type, int protocol, int descriptors[2])
{
    (void)type, (void)protocol, (void)descriptors;
    errno = domain == AF_INET || domain == AF_INET6 ? EOPNOTSUPP : EAFNOSUPPORT;
    return -1;
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_bind(socket, (const void *)address, length)) : -1;
}

int listen(int descriptor, int backlog)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_listen(socket, backlog)) : -1;
}

int accept4(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    struct bm_socket *socket = acquire(descriptor), *accepted;
    if (!socket)
        return -1;
    int made = bm_file_reserve(); // without one no connection is taken
    if (made < 0)
        return (int)finish(socket, made);
    int error = bm_socket_accept(socket, (void *)address, length, flags, &accepted);
    if (error == 0)
        bm_file_fill(made, bm_socket_file(accepted));
    else
        bm_file_fill(made, NULL);
    return (int)finish(socket, error ? error : made);
}

int accept(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return accept4(descriptor, address, length, 0);
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_connect(socket, (const void *)address, length)) : -1;
}

ssize_t sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? finish(socket, bm_socket_send(socket, data, size, flags, (const void *)address, length))
                  : -1;
}

ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
    return sendto(descriptor, data, size, flags, NULL, 0);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? finish(socket, bm_socket_send_message(socket, (const void *)message, flags)) : -1;
}

ssize_t recvfrom(int descriptor, void *restrict buffer, size_t size, int flags,
                 struct sockaddr *restrict address, socklen_t *restrict length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? finish(socket, bm_socket_receive(socket, buffer, size, flags, (void *)address, length))
                  : -1;
}

ssize_t recv(int descriptor, void *buffer, size_t size, int flags)
{
    return recvfrom(descriptor, buffer, size, flags, NULL, NULL);
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? finish(socket, bm_socket_receive_message(socket, (void *)message, flags)) : -1;
}

int shutdown(int descriptor, int how)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_shutdown(socket, how)) : -1;
}

int getsockname(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_name(socket, (void *)address, length)) : -1;
}

int getpeername(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_peer(socket, (void *)address, length)) : -1;
}

int getsockopt(int descriptor, int level, int option, void *restrict value, socklen_t *restrict length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_option_get(socket, level, option, value, length)) : -1;
}

int setsockopt(int descriptor, int level, int option, const void *value, socklen_t length)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, bm_socket_option_set(socket, level, option, value, length)) : -1;
}

int sockatmark(int descriptor)
{
    struct bm_socket *socket = acquire(descriptor);
    return socket ? (int)finish(socket, 0) : -1;
}
