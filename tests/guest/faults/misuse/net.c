// Rules of net.h: who may call lwIP, and from where sockets may be called.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/net.h>
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

const struct misuse misuse_net[] = {MISUSE_CASE(lwip_without_lock),
                                    MISUSE_CASE(write_without_lock),
                                    MISUSE_CASE(close_without_lock),
                                    MISUSE_CASE(unlock_without_lock),
                                    {"handler_locks_network", network_in_handler},
                                    MISUSE_CASE(wait_with_network_locked),
                                    MISUSE_END};
