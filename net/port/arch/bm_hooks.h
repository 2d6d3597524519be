// Where lwIP calls back into the port: initial sequence numbers, segments before their connection is known.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

#include "lwip/ip_addr.h"
#include "lwip/pbuf.h"

struct netif;

// Initial sequence number of a connection (tcp_isn.c).
u32_t bm_net_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port);
#define LWIP_HOOK_TCP_ISN bm_net_tcp_isn

// The largest segment of any interface (device/interface.c).
extern u16_t bm_net_mss;
#define LWIP_HOOK_TCP_MSS() bm_net_mss

// A raw socket was opened, which wants to see each packet (tcp/express_input.c).
extern bool bm_net_raw_used;
#define LWIP_HOOK_RAW_NEW()  ((void)(bm_net_raw_used = true))
#define LWIP_HOOK_RAW_USED() bm_net_raw_used

// Before an IP packet is processed (ip_input.c). Always 0: go on.
int bm_net_ip4_input(struct pbuf *packet, struct netif *netif);
int bm_net_ip6_input(struct pbuf *packet, struct netif *netif);
#define LWIP_HOOK_IP4_INPUT bm_net_ip4_input
#define LWIP_HOOK_IP6_INPUT bm_net_ip6_input

// Identification of an IPv4 packet (express_output.c).
u16_t bm_net_ip4_identification(void);

// Which interface a packet with that source address leaves by (route.c); NULL: as lwIP finds by the
// destination.
extern unsigned bm_net_interface_count;
struct netif *bm_net_ip4_route(const ip4_addr_t *source, const ip4_addr_t *destination);

// Whom a packet goes to that an interface's network does not reach (route.c); NULL: the gateway.
const ip4_addr_t *bm_net_ip4_gateway(const struct netif *netif, const ip4_addr_t *destination);
#define LWIP_HOOK_ETHARP_GET_GW bm_net_ip4_gateway
const ip6_addr_t *bm_net_ip6_gateway(const struct netif *netif);            // words.c
void bm_net_dhcp6_advice(struct netif *netif, bool addresses, bool others); // start/part_dhcp6.c
#define LWIP_HOOK_ND6_DHCP6                      bm_net_dhcp6_advice
#define LWIP_HOOK_ND6_GET_GW(netif, destination) bm_net_ip6_gateway(netif)

// A name server that DHCP or, for some seconds, a router offers; a second has gone by (dns_servers.c). Only
// the files that learn of one include this header.
void bm_net_dns_learn(u8_t number, const ip_addr_t *server);
void bm_net_dns_router(const ip_addr_t *server, u32_t lifetime);
void bm_net_dns_age(void);
#define LWIP_HOOK_ND6_RDNSS(server, lifetime) bm_net_dns_router(server, lifetime)
#define LWIP_HOOK_ND6_TICK()                  bm_net_dns_age()

// Rates of what strangers make this machine send, and say (limit.c): an ICMP error, an echo's answer (the
// source's IPv4 address, or its IPv6 prefix folded); another host that claims our address.
bool bm_net_icmp_error_allowed(u32_t source);
bool bm_net_icmp_echo_allowed(u32_t source);
void bm_net_address_conflict(const struct netif *netif, const u8_t *mac); // mac may be NULL: unknown
#define LWIP_HOOK_ICMP_ERROR(source)           bm_net_icmp_error_allowed(source)
#define LWIP_HOOK_ICMP_ECHO(source)            bm_net_icmp_echo_allowed(source)
#define LWIP_HOOK_ADDRESS_CONFLICT(netif, mac) bm_net_address_conflict(netif, mac)

// Whether lwIP may look at a segment for that control block (tcp_acceptable.c); its numbers are in the host's
// order.
struct tcp_pcb;
struct tcp_hdr;
err_t bm_net_tcp_acceptable(struct tcp_pcb *connection, const struct tcp_hdr *header,
                            const struct pbuf *packet);
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, options, options1, options2, packet)                         \
    bm_net_tcp_acceptable(pcb, header, packet)

// The connection that a segment belongs to, in any state (tcp_lookup.c); that in TIME-WAIT, if the segment
// does not begin a new one (time_wait.c).
struct tcp_pcb *bm_net_tcp_connection(const struct tcp_hdr *header);
struct tcp_pcb *bm_net_tcp_reuse(struct tcp_pcb *old, const struct tcp_hdr *header);

// What a socket has to say may have changed, other than by a call of the program's (socket_state.c). Under
// the core lock; `event` is one of enum netconn_evt, `bytes` those received: 0 is a connection's end.
void bm_net_socket_event(int socket, int event, unsigned bytes);
#define LWIP_HOOK_SOCKET_EVENT(socket, event, bytes) bm_net_socket_event(socket, event, bytes)
