// Connections of sockets that are made again, bound to an interface, or looked into.
// SPDX-License-Identifier: MIT
#include "private.h"
#include "socket_state.h"

#include <baremetal/error.h>

#include "lwip/raw.h"
#include "lwip/udp.h"

static struct netconn *netconn_of(int number)
{
    return lwip_socket_dbg_get_socket(number)->conn;
}

bool bm_net_socket_is_alive(int number)
{
    return netconn_of(number)->pcb.tcp != NULL;
}

void bm_net_socket_keep(int number, struct bm_net_socket_options *options)
{
    const struct tcp_pcb *connection = netconn_of(number)->pcb.tcp;
    *options = (struct bm_net_socket_options){.keep_idle = connection->keep_idle,
                                              .keep_interval = connection->keep_intvl,
                                              .keep_count = connection->keep_cnt,
                                              .options = connection->so_options,
                                              .service = connection->tos,
                                              .hops = connection->ttl,
                                              .interface = connection->netif_idx,
                                              .no_delay = tcp_nagle_disabled(connection)};
}

// What the connection before has left: messages of its end, and events.
static void forget(struct lwip_sock *socket)
{
    struct netconn *conn = socket->conn;
    void *message;
    while (sys_mbox_valid(&conn->recvmbox) && sys_mbox_tryfetch(&conn->recvmbox, &message) != SYS_MBOX_EMPTY)
        ; // errors alone: it was never connected
    conn->flags &= (u8_t) ~(NETCONN_FLAG_MBOXCLOSED | NETCONN_FIN_RX_PENDING);
    conn->pending_err = ERR_OK;
    socket->rcvevent = 0;
    socket->sendevent = socket->errevent = 0;
}

bool bm_net_socket_renew(int number, const struct bm_net_socket_options *options)
{
    struct netconn *conn = netconn_of(number);
    struct api_msg message = {.conn = conn};
    lwip_netconn_do_newconn(&message);
    struct tcp_pcb *connection = conn->pcb.tcp;
    if (!connection)
        return false;
    forget(lwip_socket_dbg_get_socket(number));
    bm_net_socket_end_forget(number);
    connection->keep_idle = options->keep_idle;
    connection->keep_intvl = options->keep_interval;
    connection->keep_cnt = options->keep_count;
    connection->so_options = options->options;
    connection->tos = options->service;
    connection->ttl = options->hops;
    connection->netif_idx = options->interface;
    if (options->no_delay)
        tcp_nagle_disable(connection);
    return true;
}

int bm_net_socket_bind_interface(int number, const struct netif *netif)
{
    const struct netconn *conn = netconn_of(number);
    if (!conn->pcb.tcp)
        return -BM_EINVAL;
    switch (NETCONNTYPE_GROUP(conn->type)) {
    case NETCONN_TCP:
        tcp_bind_netif(conn->pcb.tcp, netif);
        return 0;
    case NETCONN_UDP:
        udp_bind_netif(conn->pcb.udp, netif);
        return 0;
    default:
        raw_bind_netif(conn->pcb.raw, netif);
        return 0;
    }
}

// A segment's bytes behind *skip, which becomes less by those that are passed over.
static size_t look_into(const struct pbuf *segment, size_t *skip, char *buffer, size_t size)
{
    if (*skip >= segment->tot_len) {
        *skip -= segment->tot_len;
        return 0;
    }
    u16_t from = (u16_t)*skip;
    *skip = 0;
    return pbuf_copy_partial(segment, buffer, (u16_t)LWIP_MIN(size, (size_t)(segment->tot_len - from)), from);
}

// lwIP keeps the segment that a receive has left in lastdata, and gives a look no more than that one.
size_t bm_net_socket_look(int number, size_t skip, char *buffer, size_t size)
{
    const struct lwip_sock *socket = lwip_socket_dbg_get_socket(number);
    size_t done = 0;
    if (socket->lastdata.pbuf)
        done = look_into(socket->lastdata.pbuf, &skip, buffer, size);
    void *message;
    err_t error;
    for (unsigned i = 0; done < size && sys_mbox_valid(&socket->conn->recvmbox) &&
                         bm_net_mailbox_look(socket->conn->recvmbox, i, &message);
         i++) {
        if (lwip_netconn_is_err_msg(message, &error))
            break;
        done += look_into(message, &skip, buffer + done, size - done);
    }
    return done;
}
