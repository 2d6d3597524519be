// Making, naming, connecting and ending sockets.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/error.h"
#include "../start/wait.h"
#include "socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "lwip/netif.h"
#include "lwip/sockets.h"

static int protocol_check(int type, int protocol)
{
    if (type == SOCK_RAW)
        return protocol >= 0 && protocol <= 255 ? 0 : EPROTONOSUPPORT;
    if (type == SOCK_STREAM)
        return protocol == 0 || protocol == IPPROTO_TCP ? 0 : EPROTONOSUPPORT;
    if (type == SOCK_DGRAM)
        return protocol == 0 || protocol == IPPROTO_UDP ? 0 : EPROTONOSUPPORT;
    return EPROTOTYPE;
}

// What exit does with sockets has to be in every image that makes one.
static void (*const finish)(void) __attribute__((used)) = bm_net_finish;

int socket(int domain, int type, int protocol)
{
    int flags = type & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    int error = domain == AF_INET || domain == AF_INET6 ? protocol_check(type, protocol) : EAFNOSUPPORT;
    if (error)
        return (int)bm_socket_result(-error);
    int number = lwip_socket(domain, type, protocol);
    if (number < 0)
        return (int)bm_socket_result(-bm_net_error());
    if (type == SOCK_STREAM)
        protocol = IPPROTO_TCP;
    else if (type == SOCK_DGRAM)
        protocol = IPPROTO_UDP;
    return bm_socket_install(number, domain, type, protocol, (flags & SOCK_NONBLOCK) != 0);
}

int socketpair(int domain, int type, int protocol, int descriptors[2])
{
    (void)domain, (void)type, (void)protocol, (void)descriptors;
    errno = ENOSYS;
    return -1;
}

static int address_check(const struct bm_socket *socket, const struct sockaddr *address, socklen_t length)
{
    if (!address || length < sizeof(sa_family_t))
        return EINVAL;
    if (address->sa_family != socket->family)
        return EAFNOSUPPORT;
    return length < (socket->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6))
               ? EINVAL
               : 0;
}

// The length that lwIP wants to see exactly; callers may pass a sockaddr_storage's.
static socklen_t address_size(const struct sockaddr *address)
{
    return address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static bool is_local4(const struct in_addr *address)
{
    bool local = address->s_addr == INADDR_ANY || (ntohl(address->s_addr) >> 24) == 127 ||
                 IN_MULTICAST(ntohl(address->s_addr)) || address->s_addr == INADDR_BROADCAST;
    bm_net_lock();
    for (struct netif *netif = netif_list; netif && !local; netif = netif->next)
        local = ip4_addr_get_u32(netif_ip4_addr(netif)) == address->s_addr;
    bm_net_unlock();
    return local;
}

static bool is_local6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_MULTICAST(address))
        return true;
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        struct in_addr mapped = {address->s6_addr32[3]};
        return is_local4(&mapped);
    }
    bool local = false;
    bm_net_lock();
    for (struct netif *netif = netif_list; netif && !local; netif = netif->next)
        for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
            local = local || (!ip6_addr_isinvalid(netif_ip6_addr_state(netif, i)) &&
                              memcmp(netif_ip6_addr(netif, i)->addr, address, sizeof *address) == 0);
    bm_net_unlock();
    return local;
}

static bool is_local(const struct sockaddr *address)
{
    return address->sa_family == AF_INET
               ? is_local4(&((const struct sockaddr_in *)(const void *)address)->sin_addr)
               : is_local6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

void bm_socket_settle(const struct sockaddr *address)
{
    if (!bm_net_settled() && !is_local(address))
        bm_net_settle();
}

static int socket_bind(struct bm_socket *socket, const struct sockaddr *address, socklen_t length)
{
    int error = address_check(socket, address, length);
    if (error)
        return -error;
    if (socket->bound)
        return -EINVAL;
    if (!is_local(address))
        return -EADDRNOTAVAIL;
    if (lwip_bind(socket->number, address, address_size(address)) != 0)
        return -bm_socket_error(socket, bm_net_error());
    socket->bound = true;
    return 0;
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    int result = socket_bind(socket, address, length);
    bm_socket_release(socket);
    return (int)bm_socket_result(result);
}

static int socket_listen(struct bm_socket *socket, int backlog)
{
    if (socket->type != SOCK_STREAM)
        return -EOPNOTSUPP;
    if (socket->connected || socket->connecting)
        return -EINVAL;
    if (!socket->bound) { // POSIX: any address, a free port
        struct sockaddr_storage any;
        memset(&any, 0, sizeof any);
        any.ss_family = (sa_family_t)socket->family;
        int result = socket_bind(socket, (struct sockaddr *)&any, sizeof any);
        if (result < 0)
            return result;
    }
    if (lwip_listen(socket->number, backlog > 0 ? backlog : 1) != 0)
        return -bm_socket_error(socket, bm_net_error());
    socket->listening = true;
    return 0;
}

int listen(int descriptor, int backlog)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    int result = socket_listen(socket, backlog);
    bm_socket_release(socket);
    return (int)bm_socket_result(result);
}

static void accepted_set_up(int descriptor, const struct bm_socket *listener, struct sockaddr *address,
                            socklen_t *length)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return;
    socket->bound = socket->connected = true;
    if (listener->no_delay)
        lwip_setsockopt(socket->number, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (address && length && lwip_getpeername(socket->number, address, length) != 0) {
        memset(address, 0, *length); // it has gone already; the next recv says so
        if (*length >= sizeof(sa_family_t))
            address->sa_family = (sa_family_t)socket->family;
    }
    bm_socket_release(socket);
}

int accept4(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    struct bm_socket *listener = bm_socket_acquire(descriptor);
    if (!listener)
        return -1;
    int result = -1;
    if (listener->type != SOCK_STREAM) {
        errno = EOPNOTSUPP;
    } else if (!listener->listening) {
        errno = EINVAL;
    } else {
        int number = lwip_accept(listener->number, NULL, NULL);
        if (number >= 0)
            result = bm_socket_install(number, listener->family, SOCK_STREAM, IPPROTO_TCP,
                                       (flags & SOCK_NONBLOCK) != 0);
        else
            errno = bm_net_error();
        if (result >= 0)
            accepted_set_up(result, listener, address, length);
    }
    bm_socket_release(listener);
    return result;
}

int accept(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return accept4(descriptor, address, length, 0);
}

static int socket_disconnect(struct bm_socket *socket, const struct sockaddr *address, socklen_t length)
{
    if (socket->type == SOCK_STREAM)
        return -EOPNOTSUPP;
    if (lwip_connect(socket->number, address, length) != 0)
        return -bm_socket_error(socket, bm_net_error());
    socket->connected = false;
    return 0;
}

static int socket_connect(struct bm_socket *socket, const struct sockaddr *address, socklen_t length)
{
    if (address && length >= sizeof(sa_family_t) && address->sa_family == AF_UNSPEC)
        return socket_disconnect(socket, address, length);
    int error = address_check(socket, address, length);
    if (error)
        return -error;
    if (socket->listening)
        return -EOPNOTSUPP;
    bm_socket_settle(address);
    bool stream = socket->type == SOCK_STREAM;
    socket->connecting = stream && !socket->connected;
    if (lwip_connect(socket->number, address, address_size(address)) != 0) {
        int result = -bm_socket_error(socket, bm_net_error());
        socket->connecting = socket->connecting && (result == -EINPROGRESS || result == -EALREADY);
        return result;
    }
    socket->connecting = false;
    socket->connected = socket->bound = true;
    return 0;
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    int result = socket_connect(socket, address, length);
    bm_socket_release(socket);
    return (int)bm_socket_result(result);
}

static int socket_shutdown(struct bm_socket *socket, int how)
{
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return -EINVAL;
    if (socket->type != SOCK_STREAM)
        return -EOPNOTSUPP;
    if (!socket->connected && !socket->connecting)
        return -ENOTCONN;
    if (lwip_shutdown(socket->number, how) != 0)
        return -bm_socket_error(socket, bm_net_error());
    if (how != SHUT_RD)
        socket->shut_write = true;
    if (how != SHUT_WR)
        socket->ended = true;
    return 0;
}

int shutdown(int descriptor, int how)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    int result = socket_shutdown(socket, how);
    bm_socket_release(socket);
    return (int)bm_socket_result(result);
}

static int socket_name(int descriptor, struct sockaddr *address, socklen_t *length,
                       int (*get)(int number, struct sockaddr *name, socklen_t *size))
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    int result = !address || !length                         ? -EINVAL
                 : get(socket->number, address, length) == 0 ? 0
                                                             : -bm_socket_error(socket, bm_net_error());
    bm_socket_release(socket);
    return (int)bm_socket_result(result);
}

int getsockname(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return socket_name(descriptor, address, length, lwip_getsockname);
}

int getpeername(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return socket_name(descriptor, address, length, lwip_getpeername);
}

int sockatmark(int descriptor)
{
    struct bm_socket *socket = bm_socket_acquire(descriptor);
    if (!socket)
        return -1;
    bm_socket_release(socket);
    return 0;
}
