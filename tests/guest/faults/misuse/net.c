// Rules of net.h and socket.h: who may call lwIP, and from where sockets may be called.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/net.h>
#include <baremetal/socket.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>

static struct tcp_pcb *connection_make(void)
{
    LOCK_TCPIP_CORE();
    struct tcp_pcb *connection = tcp_new();
    UNLOCK_TCPIP_CORE();
    return connection;
}

// @misuse lwip_without_lock tcp_bind: lwIP must be called with its lock held (LOCK_TCPIP_CORE)
MISUSE(lwip_without_lock)
{
    tcp_bind(connection_make(), NULL, 80);
}

// @misuse write_without_lock tcp_write: the network's lock must be held
MISUSE(write_without_lock)
{
    tcp_write(connection_make(), "text", 4, 0);
}

// @misuse close_without_lock tcp_close: the network's lock must be held
MISUSE(close_without_lock)
{
    tcp_close(connection_make());
}

// @misuse unlock_without_lock bm_net_unlock: the network's lock must be released by the core that holds it
MISUSE(unlock_without_lock)
{
    UNLOCK_TCPIP_CORE();
}

// @misuse handler_locks_network bm_net_lock: it must not be called in an interrupt handler
MISUSE(handler_locks_network)
{
    LOCK_TCPIP_CORE();
}

MISUSE(network_in_handler)
{
    misuse_in_handler(handler_locks_network);
}

// @misuse wait_with_network_locked bm_net_wait: it must not be called with a spinlock held
MISUSE(wait_with_network_locked)
{
    LOCK_TCPIP_CORE();
    bm_net_wait(1000);
}

static struct bm_socket *socket_make(void)
{
    struct bm_socket *socket = NULL;
    bm_socket_open(BM_AF_INET, BM_SOCK_DGRAM, 0, &socket);
    return socket;
}

// @misuse send_on_closed bm_socket_send: the socket must be open
MISUSE(send_on_closed)
{
    struct bm_socket *socket = socket_make();
    bm_socket_close(socket);
    bm_socket_send(socket, "text", 4, 0, NULL, 0);
}

// @misuse close_nothing bm_socket_close: the socket must be open
MISUSE(close_nothing)
{
    bm_socket_close(NULL);
}

// @misuse poll_with_network_locked bm_socket_poll: it must not be called with a spinlock held
MISUSE(poll_with_network_locked)
{
    struct bm_socket *socket = socket_make();
    LOCK_TCPIP_CORE();
    bm_socket_poll(socket, BM_POLLIN, 0);
}

// @misuse open_in_handler bm_socket_open: it must not be called in an interrupt handler
MISUSE(open_in_handler)
{
    struct bm_socket *socket;
    bm_socket_open(BM_AF_INET, BM_SOCK_DGRAM, 0, &socket);
}

MISUSE(socket_in_handler)
{
    misuse_in_handler(open_in_handler);
}

const struct misuse misuse_net[] = {MISUSE_CASE(lwip_without_lock),
                                    MISUSE_CASE(write_without_lock),
                                    MISUSE_CASE(close_without_lock),
                                    MISUSE_CASE(unlock_without_lock),
                                    {"handler_locks_network", network_in_handler},
                                    MISUSE_CASE(wait_with_network_locked),
                                    MISUSE_CASE(send_on_closed),
                                    MISUSE_CASE(close_nothing),
                                    MISUSE_CASE(poll_with_network_locked),
                                    {"open_in_handler", socket_in_handler},
                                    MISUSE_END};
