// Rules of net.h, socket.h and libBareMetal.h: who may call lwIP, and from where the network may be called.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/net.h>
#include <baremetal/netdev.h>
#include <baremetal/socket.h>
#include <libBareMetal.h>
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

// A network device that has a frame when the next one comes: as if another core had sent it.
static char exokernel_frame[64];

// @misuse exokernel_sends_again b_net_tx: two cores must not send by one interface at once
MISUSE(exokernel_sends_again)
{
    b_net_tx(exokernel_frame, sizeof exokernel_frame, 0);
}

static int exokernel_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    (void)queue;
    (void)frame;
    exokernel_sends_again();
    return 0;
}

static void exokernel_flush(struct bm_netqueue *queue)
{
    (void)queue;
}

static bool exokernel_poll(void *arg)
{
    (void)arg;
    return false;
}

static int exokernel_start(struct bm_netdev *device, unsigned count)
{
    static struct bm_netqueue queue = {.poller = {.name = "misuse", .poll = exokernel_poll}};
    (void)count;
    queue.pool = bm_packet_pool_create(8, 8);
    bm_netqueue_add(device, &queue);
    return 0;
}

static const struct bm_netdev_ops exokernel_ops = {
    .send = exokernel_send, .flush = exokernel_flush, .start = exokernel_start};

MISUSE(exokernel_sends)
{
    static struct bm_netdev device = {.driver = "misuse", .mtu = 1500, .ops = &exokernel_ops};
    bm_netdev_add(&device);
    exokernel_sends_again();
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
                                    {"exokernel_sends_again", exokernel_sends},
                                    MISUSE_END};
