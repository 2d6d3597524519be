// What lwIP keeps of a socket and does not tell.
// SPDX-License-Identifier: MIT
#include "socket_state.h"

#include "hooks.h"
#include "private.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/file_watch.h>

#include "arch/bm_assert.h"
#include "arch/bm_hooks.h"
#include "lwip/api.h"

// What lwIP's events say of each socket, and to whom. Written under the core lock.
static struct {
    struct bm_file_watchers *watchers;
    bool ended; // the peer sends no more
} told[MEMP_NUM_NETCONN];

static struct netconn *stream_of(int number)
{
    struct netconn *conn = lwip_socket_dbg_get_socket(number)->conn;
    return conn && NETCONNTYPE_GROUP(conn->type) == NETCONN_TCP ? conn : NULL;
}

// Of a connection that was accepted, whose end may have come before that.
static bool has_ended(int number)
{
    const struct netconn *conn = stream_of(number);
    if (!conn)
        return false;
    const struct tcp_pcb *connection = conn->pcb.tcp;
    return !connection || connection->state >= CLOSE_WAIT;
}

void bm_net_socket_watchers_set(int number, struct bm_file_watchers *list)
{
    BM_ASSERT(bm_net_locked_here(), "who is told changes under the core lock, as events come");
    told[number].watchers = list;
    told[number].ended = list && has_ended(number);
}

void bm_net_socket_end_forget(int number)
{
    BM_ASSERT(bm_net_locked_here(), "what is told changes under the core lock, as events come");
    told[number].ended = false;
}

void bm_net_socket_event(int socket, int event, unsigned bytes)
{
    BM_ASSERT(bm_net_locked_here(), "lwIP's events come under the core lock");
    struct bm_file_watchers *list = told[socket].watchers;
    int events = 0;
    if (event == NETCONN_EVT_RCVPLUS) {
        const struct netconn *conn = bytes ? NULL : stream_of(socket);
        if (conn && !(conn->pcb.tcp && conn->pcb.tcp->state == LISTEN))
            told[socket].ended = true;
        events = BM_POLLIN | (told[socket].ended ? BM_POLLRDHUP | BM_POLLHUP : 0);
    } else if (event == NETCONN_EVT_SENDPLUS) {
        events = BM_POLLOUT;
    }
    if (list)
        bm_file_changed(list, events);
}

// lwIP counts events per socket (event_callback in its sockets.c); reading the counters needs no lock.
unsigned bm_net_socket_state(int number)
{
    const struct lwip_sock *socket = lwip_socket_dbg_get_socket(number);
    return (socket->rcvevent > 0 || socket->lastdata.pbuf ? BM_NET_SOCKET_READABLE : 0u) |
           (socket->sendevent ? BM_NET_SOCKET_WRITABLE : 0u) |
           (socket->errevent ? BM_NET_SOCKET_FAILED : 0u) | (told[number].ended ? BM_NET_SOCKET_ENDED : 0u);
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

int bm_net_socket_end_sending(int number)
{
    struct netconn *conn = lwip_socket_dbg_get_socket(number)->conn;
    struct tcp_pcb *connection = conn->pcb.tcp;
    if (!connection)
        return -BM_ENOTCONN;
    switch (connection->state) {
    case SYN_RCVD:
    case ESTABLISHED:
    case CLOSE_WAIT:
        tcp_shutdown(connection, 0, 1); // without memory for it now, lwIP tries again
        API_EVENT(conn, NETCONN_EVT_SENDPLUS, 0);
        return 0;
    case FIN_WAIT_1:
    case FIN_WAIT_2:
    case CLOSING:
    case LAST_ACK:
        return 0;
    default:
        return -BM_ENOTCONN;
    }
}

static struct tcp_pcb *connection_of(int number)
{
    const struct netconn *conn = stream_of(number);
    return conn && conn->pcb.tcp && conn->pcb.tcp->state != LISTEN ? conn->pcb.tcp : NULL;
}

struct tcp_pcb *bm_net_socket_block(int number)
{
    BM_NET_ASSERT_LOCKED();
    const struct netconn *conn = stream_of(number);
    return conn ? conn->pcb.tcp : NULL;
}

bool bm_net_socket_is_corked(int number)
{
    BM_NET_ASSERT_LOCKED();
    const struct tcp_pcb *connection = connection_of(number);
    return connection && connection->flags & TF_CORKED;
}

void bm_net_socket_cork(int number, bool corked)
{
    BM_NET_ASSERT_LOCKED();
    struct tcp_pcb *connection = connection_of(number);
    if (!connection)
        return;
    if (corked) {
        tcp_set_flags(connection, TF_CORKED);
        return;
    }
    tcp_clear_flags(connection, TF_CORKED);
    tcp_output(connection); // what it says is said by the next call, too
}

void bm_net_socket_end_connecting(int number)
{
    const struct netconn *conn = lwip_socket_dbg_get_socket(number)->conn;
    if (conn->state == NETCONN_CONNECT && conn->pcb.tcp)
        tcp_abort(conn->pcb.tcp);
}

// The mailbox stays until the socket is closed, when nobody waits in it.
void bm_net_socket_end_listening(int number)
{
    struct netconn *listener = lwip_socket_dbg_get_socket(number)->conn;
    struct tcp_pcb *connection = listener->pcb.tcp;
    if (!connection)
        return;
    tcp_arg(connection, NULL);
    tcp_accept(connection, NULL);
    tcp_close(connection); // of one that listens it does not fail
    listener->pcb.tcp = NULL;
    listener->state = NETCONN_NONE;
}

struct netconn *bm_net_socket_refuse(int number)
{
    struct netconn *listener = lwip_socket_dbg_get_socket(number)->conn;
    void *message = NULL;
    err_t error;
    while (sys_mbox_valid(&listener->acceptmbox) &&
           sys_mbox_tryfetch(&listener->acceptmbox, &message) != SYS_MBOX_EMPTY) {
        API_EVENT(listener, NETCONN_EVT_RCVMINUS, 0);
        if (lwip_netconn_is_err_msg(message, &error))
            continue;
        struct netconn *conn = message;
        if (conn->pcb.tcp)
            tcp_abort(conn->pcb.tcp);
        return conn;
    }
    return NULL;
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
