// What lwIP keeps of a socket and does not tell.
// SPDX-License-Identifier: MIT
#include "socket_state.h"

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
