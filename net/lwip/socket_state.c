// What lwIP keeps of a socket and does not tell.
// SPDX-License-Identifier: MIT
#include "socket_state.h"

#include "hooks.h"
#include "private.h"

#include "lwip/api.h"

// lwIP counts events per socket (event_callback in its sockets.c); reading the counters needs no lock.
unsigned bm_net_socket_state(int number)
{
    const struct lwip_sock *socket = lwip_socket_dbg_get_socket(number);
    return (socket->rcvevent > 0 || socket->lastdata.pbuf ? BM_NET_SOCKET_READABLE : 0u) |
           (socket->sendevent ? BM_NET_SOCKET_WRITABLE : 0u) | (socket->errevent ? BM_NET_SOCKET_FAILED : 0u);
}

bool bm_net_socket_is_unlingering(int number)
{
    return lwip_socket_dbg_get_socket(number)->conn->linger == 0;
}

void bm_net_socket_reset(int number)
{
    struct tcp_pcb *connection = lwip_socket_dbg_get_socket(number)->conn->pcb.tcp;
    if (connection && connection->state != LISTEN)
        tcp_abort(connection);
}

// Calls may be under way on other cores, so nothing is closed. Who frees a socket's netconn takes it out of
// the socket under the short lock, and its control block away under the core lock.
void bm_net_socket_end_all(void)
{
    for (int number = 0; number < MEMP_NUM_NETCONN; number++) {
        struct tcp_pcb *connection = NULL;
        bm_net_short_acquire();
        const struct netconn *conn = lwip_socket_dbg_get_socket(number)->conn;
        if (conn && NETCONNTYPE_GROUP(conn->type) == NETCONN_TCP)
            connection = conn->pcb.tcp;
        bm_net_short_release();
        if (connection && (connection->state == ESTABLISHED || connection->state == CLOSE_WAIT))
            tcp_shutdown(connection, 0, 1);
    }
}
