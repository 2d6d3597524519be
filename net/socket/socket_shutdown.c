// Shutting sockets down, also while other contexts wait in their calls.
// SPDX-License-Identifier: MIT
//
// lwIP's own shutdown frees the mailboxes that others may wait in, so it is not used: the connection's
// sending side is ended beneath it, and the rest is a note in the socket, as Linux has it, which those that
// wait find when they are told of a change.
#include "../device/device.h"
#include "../lwip/socket_state.h"
#include "socket.h"

#include <baremetal/error.h>

#include "lwip/api.h"

static int end_listening(struct bm_socket *socket)
{
    __atomic_store_n(&socket->shut_read, true, __ATOMIC_SEQ_CST);
    socket->listening = false;
    bm_net_lock();
    bm_net_socket_end_listening(socket->number);
    struct netconn *waiting;
    while ((waiting = bm_net_socket_refuse(socket->number))) {
        bm_net_unlock();
        netconn_delete(waiting);
        bm_net_lock();
    }
    bm_net_unlock();
    return 0;
}

// Linux breaks off what only begins.
static int end_connecting(struct bm_socket *socket)
{
    socket->broken_off = true;
    bm_net_lock();
    bm_net_socket_end_connecting(socket->number);
    bm_net_unlock();
    return 0;
}

static int end_sending(struct bm_socket *socket)
{
    __atomic_store_n(&socket->shut_write, true, __ATOMIC_SEQ_CST);
    bm_net_lock();
    int error = bm_net_socket_end_sending(socket->number);
    bm_net_unlock();
    return error;
}

static void end_receiving(struct bm_socket *socket)
{
    __atomic_store_n(&socket->shut_read, true, __ATOMIC_SEQ_CST);
}

// Linux does it without a peer, too, and then says that there is none.
static int end_datagrams(struct bm_socket *socket, int how)
{
    if (how != BM_SHUT_RD)
        __atomic_store_n(&socket->shut_write, true, __ATOMIC_SEQ_CST);
    if (how != BM_SHUT_WR)
        end_receiving(socket);
    return socket->connected ? 0 : -BM_ENOTCONN;
}

static int shut_down(struct bm_socket *socket, int how)
{
    if (socket->type != BM_SOCK_STREAM)
        return end_datagrams(socket, how);
    if (socket->listening)
        return how == BM_SHUT_WR ? 0 : end_listening(socket);
    if (!socket->connected && socket->connecting &&
        !(bm_net_socket_state(socket->number) & BM_NET_SOCKET_WRITABLE))
        return end_connecting(socket);
    if (!socket->connected && !socket->connecting)
        return -BM_ENOTCONN;
    int error = how == BM_SHUT_RD ? 0 : end_sending(socket);
    if (!error && how != BM_SHUT_WR)
        end_receiving(socket);
    return error;
}

int bm_socket_shutdown(struct bm_socket *socket, int how)
{
    BM_SOCKET_ASSERT(socket);
    if (how != BM_SHUT_RD && how != BM_SHUT_WR && how != BM_SHUT_RDWR)
        return -BM_EINVAL;
    int error = shut_down(socket, how);
    bm_file_changed(&socket->watchers, 0);
    return error;
}
