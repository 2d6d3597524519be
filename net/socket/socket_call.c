// Making, naming, connecting and ending sockets.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/error.h"
#include "../lwip/memory.h"
#include "../lwip/socket_state.h"
#include "socket.h"

#include <baremetal/error.h>
#include <string.h>

#include "lwip/sockets.h"

bool bm_socket_is_open(const struct bm_socket *socket)
{
    return socket && (unsigned)socket->number < MEMP_NUM_NETCONN;
}

static int protocol_check(int type, int protocol)
{
    if (type == BM_SOCK_RAW)
        return protocol >= 0 && protocol <= 255 ? 0 : -BM_EPROTONOSUPPORT;
    if (type == BM_SOCK_STREAM)
        return protocol == 0 || protocol == BM_IPPROTO_TCP ? 0 : -BM_EPROTONOSUPPORT;
    if (type == BM_SOCK_DGRAM)
        return protocol == 0 || protocol == BM_IPPROTO_UDP ? 0 : -BM_EPROTONOSUPPORT;
    return -BM_EPROTOTYPE;
}

// What exit does with sockets has to be in every image that makes one.
static void (*const finish)(void) __attribute__((used)) = bm_net_finish;

static void watchers_set(int number, struct bm_file_watchers *list)
{
    bm_net_lock();
    bm_net_socket_watchers_set(number, list);
    bm_net_unlock();
}

void bm_socket_set_blocking(const struct bm_socket *socket, bool blocks)
{
    lwip_ioctl(socket->number, FIONBIO, &(int){!blocks});
}

// lwIP's socket as one of ours, or NULL: it is closed then.
static struct bm_socket *socket_make(int number, int family, int type, int protocol, int flags)
{
    struct bm_socket *socket = bm_net_allocate_zeroed(1, sizeof *socket);
    if (!socket) {
        lwip_close(number);
        return NULL;
    }
    socket->number = number;
    socket->family = family;
    socket->type = type;
    socket->protocol = protocol;
    watchers_set(number, &socket->watchers);
    bm_socket_set_blocking(socket, false); // who waits does so in bm_socket_await
    socket->nonblocking = flags & BM_SOCK_NONBLOCK;
    return socket;
}

int bm_socket_open(int family, int type, int protocol, struct bm_socket **socket)
{
    BM_ASSERT_MAY_WAIT();
    int flags = type & (BM_SOCK_NONBLOCK | BM_SOCK_CLOEXEC);
    type &= ~flags;
    if (family != BM_AF_INET && family != BM_AF_INET6)
        return -BM_EAFNOSUPPORT;
    int error = protocol_check(type, protocol);
    if (error)
        return error;
    int number = lwip_socket(family, type, protocol);
    if (number < 0)
        return -bm_net_error();
    if (type == BM_SOCK_STREAM)
        protocol = BM_IPPROTO_TCP;
    else if (type == BM_SOCK_DGRAM)
        protocol = BM_IPPROTO_UDP;
    *socket = socket_make(number, family, type, protocol, flags);
    return *socket ? 0 : -BM_ENOMEM;
}

int bm_socket_close(struct bm_socket *socket)
{
    BM_SOCKET_ASSERT(socket);
    watchers_set(socket->number, NULL);
    bm_file_gone(&socket->watchers);
    // A linger of 0 means a reset, in Linux and the BSDs; lwIP does it only when something is unsent.
    if (socket->type == BM_SOCK_STREAM && !socket->listening &&
        bm_net_socket_is_unlingering(socket->number)) {
        bm_net_lock();
        bm_net_socket_reset(socket->number);
        bm_net_unlock();
    }
    if (socket->nonblocking) // lwIP would refuse to close, since it could not wait: what was sent goes out
        lwip_setsockopt(socket->number, BM_SOL_SOCKET, BM_SO_LINGER, &(struct linger){0},
                        sizeof(struct linger));
    else
        bm_socket_set_blocking(socket, true);
    bool closed = lwip_close(socket->number) == 0;
    BM_ASSERT(closed, "lwIP must close a socket that nobody uses");
    int result = closed ? 0 : -bm_net_error();
    BM_CHECK(socket->number = -1);
    bm_net_free(socket);
    return result;
}

int bm_socket_address_check(const struct bm_socket *socket, const union bm_socket_address *address,
                            uint32_t size)
{
    if (!address || size < sizeof address->family)
        return -BM_EINVAL;
    if (address->family != socket->family)
        return -BM_EAFNOSUPPORT;
    return size < bm_socket_address_size(address) ? -BM_EINVAL : 0;
}

int bm_socket_bind(struct bm_socket *socket, const union bm_socket_address *address, uint32_t size)
{
    BM_SOCKET_ASSERT(socket);
    int error = bm_socket_address_check(socket, address, size);
    if (error)
        return error;
    if (socket->bound)
        return -BM_EINVAL;
    if (!bm_socket_is_local(address))
        return -BM_EADDRNOTAVAIL;
    if (lwip_bind(socket->number, (const struct sockaddr *)address, bm_socket_address_size(address)) != 0)
        return bm_socket_failure(socket);
    socket->bound = true;
    socket->own_port = address->ip4.port != 0; // the same place in both families
    return 0;
}

int bm_socket_listen(struct bm_socket *socket, int backlog)
{
    BM_SOCKET_ASSERT(socket);
    if (socket->type != BM_SOCK_STREAM)
        return -BM_EOPNOTSUPP;
    if (socket->connected || socket->connecting)
        return -BM_EINVAL;
    if (!socket->bound) { // POSIX: any address, a free port
        union bm_socket_address any;
        memset(&any, 0, sizeof any);
        any.family = (uint16_t)socket->family;
        int result = bm_socket_bind(socket, &any, sizeof any);
        if (result < 0)
            return result;
    }
    int no_delay = 0; // lwIP's listeners are too small for it, and those that they accept begin without
    lwip_getsockopt(socket->number, BM_IPPROTO_TCP, BM_TCP_NODELAY, &no_delay, &(uint32_t){sizeof no_delay});
    if (lwip_listen(socket->number, backlog > 0 ? backlog : 1) != 0)
        return bm_socket_failure(socket);
    if (!socket->listening)
        socket->no_delay = no_delay != 0;
    socket->listening = true;
    return 0;
}

static void accepted_set_up(struct bm_socket *socket, const struct bm_socket *listener,
                            union bm_socket_address *address, uint32_t *size)
{
    socket->bound = socket->connected = true;
    if (listener->no_delay)
        lwip_setsockopt(socket->number, BM_IPPROTO_TCP, BM_TCP_NODELAY, &(int){1}, sizeof(int));
    if (address && size && lwip_getpeername(socket->number, (struct sockaddr *)address, size) != 0) {
        memset(address, 0, *size); // it has gone already; the next receive says so
        if (*size >= sizeof address->family)
            address->family = (uint16_t)socket->family;
    }
}

// In the turn to accept: lwIP's number of a connection, or a negative error.
static int accept_number(struct bm_socket *socket, uint64_t deadline)
{
    int number, error;
    do {
        if ((number = lwip_accept(socket->number, NULL, NULL)) >= 0)
            return number;
        error = -bm_net_error();
        if (__atomic_load_n(&socket->shut_read, __ATOMIC_SEQ_CST))
            return -BM_EINVAL;
        if (error == -BM_EAGAIN)
            error = bm_socket_await(socket, BM_POLLIN, deadline);
    } while (error == 0);
    return error;
}

int bm_socket_accept(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size, int flags,
                     struct bm_socket **accepted)
{
    BM_SOCKET_ASSERT(socket);
    if (flags & ~(BM_SOCK_NONBLOCK | BM_SOCK_CLOEXEC))
        return -BM_EINVAL;
    if (socket->type != BM_SOCK_STREAM)
        return -BM_EOPNOTSUPP;
    if (!socket->listening)
        return -BM_EINVAL;
    uint64_t deadline = bm_socket_deadline(socket, 0, socket->receive_time);
    int number = bm_socket_turn_take(&socket->receiving, deadline);
    if (number)
        return number;
    number = accept_number(socket, deadline);
    bm_socket_turn_give(&socket->receiving);
    if (number < 0)
        return number;
    *accepted = socket_make(number, socket->family, BM_SOCK_STREAM, BM_IPPROTO_TCP, flags);
    if (!*accepted)
        return -BM_ENOMEM;
    accepted_set_up(*accepted, socket, address, size);
    return 0;
}
