// Connecting sockets.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/error.h"
#include "../lwip/socket_state.h"
#include "socket.h"
#include "wait/hooks.h"

#include <baremetal/error.h>
#include <baremetal/wait.h>

#include "lwip/sockets.h"

static int socket_disconnect(struct bm_socket *socket, const union bm_socket_address *address, uint32_t size)
{
    if (socket->type == BM_SOCK_STREAM)
        return -BM_EOPNOTSUPP;
    if (lwip_connect(socket->number, (const struct sockaddr *)address, size) != 0)
        return bm_socket_failure(socket);
    socket->connected = false;
    return 0;
}

// The error that lwIP keeps, as POSIX names the situation, negative, or 0; it is then gone.
static int error_take(struct bm_socket *socket)
{
    int error = 0;
    uint32_t size = sizeof error;
    if (lwip_getsockopt(socket->number, BM_SOL_SOCKET, BM_SO_ERROR, &error, &size) != 0)
        return -bm_net_error();
    return error ? -bm_socket_error(socket, error) : 0;
}

// A connection that could not be made has gone with its options and its port. Before the next attempt lwIP's
// socket gets a new one.
static int renew(struct bm_socket *socket)
{
    bm_net_lock();
    bool renewed = bm_net_socket_renew(socket->number, &socket->kept);
    bm_net_unlock();
    if (!renewed)
        return -BM_ENOBUFS;
    socket->broken_off = false;
    bm_socket_set_blocking(socket, false);
    if (!socket->own_port) // as Linux: another one
        socket->kept_address.ip4.port = 0;
    if (socket->bound && lwip_bind(socket->number, (const struct sockaddr *)&socket->kept_address,
                                   bm_socket_address_size(&socket->kept_address)) != 0)
        return bm_socket_failure(socket);
    return 0;
}

// Before a stream is connected: what came of an attempt before, and what the next one may need.
static int prepare(struct bm_socket *socket)
{
    bm_net_lock();
    bool alive = bm_net_socket_is_alive(socket->number);
    bm_net_unlock();
    if (!alive &&
        (socket->connecting ||
         socket->connecting_failed)) { // as Linux: its error, told once, is all that comes of this call
        int error = error_take(socket);
        socket->connecting = socket->connecting_failed = false;
        return error ? error : -BM_ECONNABORTED;
    }
    if (!alive) {
        int error = renew(socket);
        if (error)
            return error;
    }
    if (socket->connecting)
        return 0;
    uint32_t size = sizeof socket->kept_address;
    if (socket->bound)
        lwip_getsockname(socket->number, (struct sockaddr *)&socket->kept_address, &size);
    bm_net_lock();
    bm_net_socket_keep(socket->number, &socket->kept);
    bm_net_unlock();
    return 0;
}

// A stream's attempt goes on when the call ends without its result: by BM_SO_SNDTIMEO, or by a signal.
static bool goes_on(int result)
{
    return result == -BM_EINPROGRESS || result == -BM_EALREADY || result == -BM_ERESTART ||
           result == -BM_ERESTART_UNHANDLED;
}

static int connect_now(struct bm_socket *socket, const union bm_socket_address *address)
{
    if (lwip_connect(socket->number, (const struct sockaddr *)address, bm_socket_address_size(address)) == 0)
        return 0;
    int result = bm_socket_failure(socket);
    if (!goes_on(result))
        return result;
    int error = bm_socket_await(socket, BM_POLLOUT, bm_socket_deadline(socket, 0, socket->send_time));
    return !error ? error_take(socket) : error == -BM_EAGAIN ? result : error;
}

// As Linux: within the machine a connection is made, or refused, before the call ends. Whoever waits serves
// the loopback.
static void serve_loopback(const struct bm_socket *socket)
{
    enum { TURNS = 4, SETTLED = BM_NET_SOCKET_WRITABLE | BM_NET_SOCKET_FAILED };
    for (int i = 0; i < TURNS && !(bm_net_socket_state(socket->number) & SETTLED); i++) {
        bm_poll();     // takes what is there, and what comes of that
        bm_net_lock(); // another core may be at it
        bm_net_unlock();
    }
}

int bm_socket_connect(struct bm_socket *socket, const union bm_socket_address *address, uint32_t size)
{
    BM_SOCKET_ASSERT(socket);
    if (address && size >= sizeof address->family && address->family == BM_AF_UNSPEC)
        return socket_disconnect(socket, address, size);
    int error = bm_socket_address_check(socket, address, size);
    if (error)
        return error;
    if (socket->listening)
        return -BM_EOPNOTSUPP;
    union bm_socket_address there = bm_socket_destination(address);
    bm_socket_settle(&there);
    bool attempt = socket->type == BM_SOCK_STREAM && !socket->connected;
    if (attempt && (error = prepare(socket)))
        return error;
    bool begun = socket->connecting; // by an earlier call; nobody has asked since
    socket->connecting = attempt;
    int result = connect_now(socket, &there);
    if (result == -BM_EISCONN && begun)
        result =
            0; // the first call to hear of it, as Linux: the one before has not waited, or a signal ended it
    if (result == 0 || result == -BM_EISCONN) {
        socket->connecting = false;
        socket->connected = socket->bound = true;
    } else {
        socket->connecting = attempt && goes_on(result);
        if (socket->connecting && socket->nonblocking && bm_socket_is_local(&there))
            serve_loopback(socket);
        if (attempt && !socket->connecting)
            error_take(socket); // it has been told
    }
    return result;
}
