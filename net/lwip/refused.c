// Datagrams that nobody at their destination takes: an ICMP error that says so (RFC 792, RFC 4443: port
// unreachable) is an error of the socket that is connected to there, as RFC 1122, 4.1.3.3 wants it.
// SPDX-License-Identifier: MIT
//
// lwIP's UDP hears nothing of ICMP. What it is shown here has not been looked at yet: lengths and sums are
// checked, and the datagram that the error quotes must be one that a socket may have sent.
#include "refused.h"
#include "private.h"

#include "hooks.h"

#include "arch/bm_hooks.h"
#include "lwip/api.h"
#include "lwip/icmp6.h"
#include "lwip/inet_chksum.h"
#include "lwip/netif.h"
#include "lwip/prot/icmp.h"
#include "lwip/prot/icmp6.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/udp.h"
#include "lwip/tcpip.h"
#include "lwip/udp.h"

const char bm_net_refused_linked = 1;

enum { ICMP_HEADER = 8 };

// Where a datagram came from and went to.
struct sent {
    ip_addr_t from, to;
    const struct udp_hdr *ports;
};

// The socket's control block, if it may have sent that.
static bool has_sent(const struct netconn *conn, const struct sent *what)
{
    if (!conn || NETCONNTYPE_GROUP(conn->type) != NETCONN_UDP)
        return false;
    const struct udp_pcb *block = conn->pcb.udp;
    return block && block->flags & UDP_FLAGS_CONNECTED && block->local_port == lwip_ntohs(what->ports->src) &&
           block->remote_port == lwip_ntohs(what->ports->dest) && ip_addr_eq(&block->remote_ip, &what->to) &&
           (ip_addr_isany(&block->local_ip) || ip_addr_eq(&block->local_ip, &what->from));
}

// Who frees a socket's netconn takes it out of the socket under the short lock, and its control block away
// under the core lock.
static void tell(const struct sent *what)
{
    for (int number = 0; number < MEMP_NUM_NETCONN; number++) {
        bm_net_short_acquire();
        struct netconn *conn = lwip_socket_dbg_get_socket(number)->conn;
        bool sent = has_sent(conn, what);
        if (sent)
            conn->pending_err = ERR_RST; // which sockets of datagrams have for no other reason
        bm_net_short_release();
        if (sent)
            API_EVENT(conn, NETCONN_EVT_ERROR, 0);
    }
}

void bm_net_refused_told(int number)
{
    LOCK_TCPIP_CORE();
    struct lwip_sock *socket = lwip_socket_dbg_get_socket(number);
    if (socket->conn->pending_err == ERR_OK)
        socket->errevent = 0;
    UNLOCK_TCPIP_CORE();
}

// The sum over all behind a header; the packet stays as it is.
static bool is_sum_right(struct pbuf *packet, uint16_t header, const ip6_addr_t *from, const ip6_addr_t *to)
{
    pbuf_remove_header(packet, header);
    uint16_t sum = from ? ip6_chksum_pseudo(packet, IP6_NEXTH_ICMP6, packet->tot_len, from, to)
                        : inet_chksum_pbuf(packet);
    pbuf_add_header_force(packet, header);
    return sum == 0;
}

static void look4(struct pbuf *packet, struct netif *netif)
{
    const uint8_t *bytes = packet->payload;
    const struct ip_hdr *ip = packet->payload;
    uint16_t header = IPH_HL_BYTES(ip);
    if (packet->len < header + ICMP_HEADER + IP_HLEN + UDP_HLEN || header < IP_HLEN ||
        IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK | IP_MF) || packet->len != packet->tot_len ||
        lwip_ntohs(IPH_LEN(ip)) != packet->tot_len || bytes[header] != ICMP_DUR ||
        bytes[header + 1] != ICMP_DUR_PORT)
        return;
    const struct ip_hdr *quoted = (const void *)(bytes + header + ICMP_HEADER);
    uint16_t options = IPH_HL_BYTES(quoted);
    if (IPH_V(quoted) != 4 || IPH_PROTO(quoted) != IP_PROTO_UDP || options < IP_HLEN ||
        packet->len < header + ICMP_HEADER + options + UDP_HLEN)
        return;
    IF__NETIF_CHECKSUM_ENABLED(netif, NETIF_CHECKSUM_CHECK_ICMP)
    {
        if (!is_sum_right(packet, header, NULL, NULL))
            return;
    }
    struct sent what = {.ports = (const void *)((const uint8_t *)quoted + options)};
    ip_addr_copy_from_ip4(what.from, quoted->src);
    ip_addr_copy_from_ip4(what.to, quoted->dest);
    tell(&what);
}

static void look6(struct pbuf *packet, struct netif *netif)
{
    enum { QUOTED = IP6_HLEN + ICMP_HEADER, UDP = QUOTED + IP6_HLEN };
    const uint8_t *bytes = packet->payload;
    const struct ip6_hdr *ip = packet->payload;
    const struct ip6_hdr *quoted = (const void *)(bytes + QUOTED);
    if (packet->len < UDP + UDP_HLEN || packet->len != packet->tot_len ||
        IP6H_PLEN(ip) + IP6_HLEN != packet->tot_len || bytes[IP6_HLEN] != ICMP6_TYPE_DUR ||
        bytes[IP6_HLEN + 1] != ICMP6_DUR_PORT || IP6H_V(quoted) != 6 || IP6H_NEXTH(quoted) != IP6_NEXTH_UDP)
        return;
    ip6_addr_t from, to;
    ip6_addr_copy_from_packed(from, ip->src);
    ip6_addr_copy_from_packed(to, ip->dest);
    IF__NETIF_CHECKSUM_ENABLED(netif, NETIF_CHECKSUM_CHECK_ICMP6)
    {
        if (!is_sum_right(packet, IP6_HLEN, &from, &to))
            return;
    }
    struct sent what = {.ports = (const void *)(bytes + UDP)};
    ip_addr_copy_from_ip6_packed(what.from, quoted->src);
    ip_addr_copy_from_ip6_packed(what.to, quoted->dest);
    tell(&what);
}

// In place of ip_input.c's.
int bm_net_ip4_input(struct pbuf *packet, struct netif *netif)
{
    const struct ip_hdr *ip = packet->payload;
    if (packet->len >= IP_HLEN && IPH_PROTO(ip) == IP_PROTO_ICMP)
        look4(packet, netif);
    bm_net_ip4_look(packet);
    return 0;
}

int bm_net_ip6_input(struct pbuf *packet, struct netif *netif)
{
    const struct ip6_hdr *ip = packet->payload;
    if (packet->len >= IP6_HLEN && IP6H_NEXTH(ip) == IP6_NEXTH_ICMP6)
        look6(packet, netif);
    bm_net_ip6_look(packet);
    return 0;
}
