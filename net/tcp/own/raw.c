// lwIP's raw API over the engine: connections from their making to their end.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "arch/bm_assert.h"
#include "lwip/ip.h"
#include "lwip/ip6_zone.h"

void tcp_init(void)
{
}

struct tcp_pcb *tcp_new_ip_type(u8_t type)
{
    BM_NET_ASSERT_LOCKED();
    struct own_tcp *own = own_new(TCP_PRIO_NORMAL);
    if (!own)
        return NULL;
    IP_SET_TYPE_VAL(own->pcb.local_ip, type);
    IP_SET_TYPE_VAL(own->pcb.remote_ip, type);
    return &own->pcb;
}

struct tcp_pcb *tcp_new(void)
{
    return tcp_new_ip_type(IPADDR_TYPE_V4);
}

// Local address and zone of a connection by an interface.
static bool ends_choose(struct tcp_pcb *pcb, struct netif *netif)
{
    if (ip_addr_isany(&pcb->local_ip)) {
        const ip_addr_t *local = ip_netif_get_local_ip(netif, &pcb->remote_ip);
        if (!local)
            return false;
        ip_addr_copy(pcb->local_ip, *local);
    }
    if (IP_IS_V6(&pcb->remote_ip) && ip6_addr_lacks_zone(ip_2_ip6(&pcb->remote_ip), IP6_UNICAST))
        ip6_addr_assign_zone(ip_2_ip6(&pcb->remote_ip), IP6_UNICAST, netif);
    return true;
}

static err_t begin(struct own_tcp *own, const struct netif *netif)
{
    struct tcp_pcb *pcb = &own->pcb;
    struct bm_tcp_tuple tuple = {.local_port = pcb->local_port,
                                 .remote_port = pcb->remote_port,
                                 .zone = own_zone_of(&pcb->remote_ip, netif)};
    own_address_put(tuple.local, &pcb->local_ip);
    own_address_put(tuple.remote, &pcb->remote_ip);
    if (!bm_tcp_ends_free(own_shard, &tuple))
        return ERR_USE;
    own->connection = bm_tcp_connect(own_shard, &tuple, own_mss(netif, &pcb->remote_ip), &own_events, own);
    return own->connection ? ERR_OK : ERR_MEM;
}

err_t tcp_connect(struct tcp_pcb *pcb, const ip_addr_t *address, u16_t port, tcp_connected_fn connected)
{
    BM_NET_ASSERT_LOCKED();
    if (!pcb || !address)
        return ERR_ARG;
    if (pcb->state != CLOSED)
        return ERR_ISCONN;
    ip_addr_set(&pcb->remote_ip, address);
    pcb->remote_port = port;
    struct netif *netif = pcb->netif_idx != NETIF_NO_INDEX ? netif_get_by_index(pcb->netif_idx)
                                                           : ip_route(&pcb->local_ip, &pcb->remote_ip);
    if (!netif || !ends_choose(pcb, netif))
        return ERR_RTE;
    u16_t bound = pcb->local_port;
    if (!bound && !(pcb->local_port = own_port_new()))
        return ERR_BUF;
    pcb->connected = connected;
    err_t error = begin(own_of(pcb), netif);
    if (error != ERR_OK) {
        pcb->local_port = bound;
        return error;
    }
    own_list_remove(pcb);
    own_list_add(&tcp_active_pcbs, pcb);
    own_show(own_of(pcb));
    own_options_begin(own_of(pcb));
    own_options(own_of(pcb));
    own_done();
    return ERR_OK;
}

err_t tcp_recv_null(void *arg, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    (void)arg;
    if (buffer) {
        tcp_recved(pcb, buffer->tot_len);
        pbuf_free(buffer);
    } else if (error == ERR_OK) {
        return tcp_close(pcb);
    }
    return ERR_OK;
}

// Out of its list, and gone.
static void forget(struct own_tcp *own, void (*end)(struct bm_tcp_connection *connection))
{
    struct bm_tcp_connection *connection = own_part(own);
    if (connection)
        end(connection);
}

err_t tcp_close(struct tcp_pcb *pcb)
{
    BM_NET_ASSERT_LOCKED();
    if (pcb->state == LISTEN)
        return own_listener_close((struct own_listener *)pcb);
    struct own_tcp *own = own_of(pcb);
    tcp_set_flags(pcb, TF_RXCLOSED);
    forget(own, bm_tcp_close);
    own_free(own);
    own_done();
    return ERR_OK;
}

err_t tcp_shutdown(struct tcp_pcb *pcb, int receiving, int sending)
{
    BM_NET_ASSERT_LOCKED();
    struct own_tcp *own = own_of(pcb);
    if (pcb->state == LISTEN)
        return ERR_CONN;
    if (receiving && sending)
        return tcp_close(pcb);
    if (receiving) {
        tcp_set_flags(pcb, TF_RXCLOSED);
        own_refused_free(own);
    }
    if (!sending)
        return ERR_OK;
    if (!own->connection || (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT))
        return ERR_CONN;
    tcp_set_flags(pcb, TF_FIN);
    own->calls++; // its end may come within
    bm_tcp_shutdown(own->connection);
    own_show(own);
    own_leave(own);
    own_done();
    return ERR_OK;
}

void tcp_abandon(struct tcp_pcb *pcb, int reset)
{
    BM_NET_ASSERT_LOCKED();
    (void)reset;
    if (pcb->state == LISTEN) {
        own_listener_close((struct own_listener *)pcb);
        return;
    }
    err_t why = pcb->state == TIME_WAIT ? ERR_CLSD : ERR_ABRT;
    forget(own_of(pcb), bm_tcp_abort);
    own_fail(own_of(pcb), why);
}

void tcp_abort(struct tcp_pcb *pcb)
{
    tcp_abandon(pcb, 1);
}

static void abort_of(struct own_tcp *own, const void *address)
{
    if (ip_addr_eq(&own->pcb.local_ip, (const ip_addr_t *)address))
        tcp_abort(&own->pcb);
}

// RFC 1122 section 3.3.1.6: connections of an address that is gone end; listeners follow it.
void tcp_netif_ip_addr_changed(const ip_addr_t *from, const ip_addr_t *to)
{
    if (ip_addr_isany(from))
        return;
    own_each(tcp_active_pcbs, abort_of, from);
    own_each(tcp_bound_pcbs, abort_of, from);
    if (to && !ip_addr_isany(to))
        own_listeners_move(from, to);
}
