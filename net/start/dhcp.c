// DHCP's client: one lease for each interface, by one clock.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of RFC 2131. Intervals between requests double and are random within a second
// (section 4.1), but start with one second: today's networks answer in milliseconds.
#include "dhcp.h"

#include "../device/interface.h"
#include "configuration.h"
#include "dhcp_message.h"
#include "dns_servers.h"

#include "../device/route.h"

#include <baremetal/log.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/ip.h"
#include "lwip/udp.h"

enum {
    SERVER_PORT = 67,
    CLIENT_PORT = 68,
    SECOND = 1000,
    BACKOFF_MAX = 6,   // doublings: 64 s
    REQUESTS_MAX = 4,  // of an offer, before another is asked for
    REBOOTS_MAX = 2,   // requests for the address that was there before the link went
    BOOTP_TRIES = 2,   // DHCP servers had the first one
    RENEW_MIN = 60,    // seconds between requests for a lease …
    RENEW_PART = 16,   // … or that part of the lease
    MESSAGE_MAX = 1472 // bytes of an answer that are looked at
};

static struct udp_pcb *dhcp_pcb;

static struct bm_net_dhcp *dhcp_of(struct bm_net_interface *interface)
{
    return &bm_net_configuration_of(interface)->dhcp;
}

static void again(struct bm_net_interface *interface, uint64_t due)
{
    uint64_t now = bm_net_now();
    bm_net_timer_start(&dhcp_of(interface)->timer, due > now ? due - now : 0);
}

static void again_later(struct bm_net_interface *interface, unsigned tries)
{
    unsigned base = (unsigned)SECOND << (tries < BACKOFF_MAX ? tries : BACKOFF_MAX);
    unsigned range = base < 2 * SECOND ? base : 2 * SECOND;
    bm_net_timer_start(&dhcp_of(interface)->timer, base - range / 2 + bm_net_random() % (range + 1));
}

// To a server, or to all when `server` is 0. A request that cannot be sent is one that was lost.
static void request_send(struct bm_net_interface *interface, enum bm_dhcp_type type, uint32_t client,
                         uint32_t server)
{
    struct bm_net_dhcp *dhcp = dhcp_of(interface);
    uint64_t seconds = (bm_net_now() - dhcp->started) / SECOND;
    const struct bm_dhcp_request request = {
        .type = type,
        .xid = dhcp->xid,
        .mac = interface->netif.hwaddr,
        .client = client,
        .requested = type == BM_DHCP_REQUEST && !client ? dhcp->address : 0,
        .server = dhcp->state == DHCP_REQUESTING ? dhcp->server : 0,
        .seconds = (uint16_t)(seconds < UINT16_MAX ? seconds : UINT16_MAX),
        .size_max = interface->netif.mtu,
        .hostname = netif_get_hostname(&interface->netif),
    };
    struct pbuf *packet = pbuf_alloc(PBUF_TRANSPORT, BM_DHCP_MESSAGE_MAX, PBUF_RAM);
    if (!packet)
        return;
    ip_addr_t source = IPADDR4_INIT(client), target = IPADDR4_INIT(server ? server : IPADDR_BROADCAST);
    pbuf_realloc(packet, (u16_t)bm_dhcp_build(packet->payload, &request));
    udp_sendto_if_src(dhcp_pcb, packet, &target, SERVER_PORT, &interface->netif, &source);
    pbuf_free(packet);
}

static void exchange_begin(struct bm_net_interface *interface, enum bm_net_dhcp_state state)
{
    dhcp_of(interface)->state = (uint8_t)state;
    dhcp_of(interface)->tries = 0;
    dhcp_of(interface)->started = bm_net_now();
    dhcp_of(interface)->xid = bm_net_random();
}

static void dhcp_step(void *arg);

// Asks for an address anew. After refusals it waits, so that a server that offers and refuses is not asked
// without end.
static void discover(struct bm_net_interface *interface)
{
    exchange_begin(interface, DHCP_SELECTING);
    if (!netif_is_link_up(&interface->netif))
        bm_net_timer_stop(&dhcp_of(interface)->timer);
    else if (dhcp_of(interface)->failures)
        again_later(interface, dhcp_of(interface)->failures);
    else
        dhcp_step(interface);
}

static void lease_lose(struct bm_net_interface *interface, const char *why)
{
    bm_log_warn("net", "%s: %s", interface->name, why);
    bm_net_routes_set(&interface->netif, NULL, 0);
    netif_set_addr(&interface->netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
    discover(interface);
}

// Sections 4.4.5: what the time says of the lease. Between requests half of what is left goes by, but not
// less than a minute (of short leases: a sixteenth, or a second).
static void lease_step(struct bm_net_interface *interface)
{
    struct bm_net_dhcp *dhcp = dhcp_of(interface);
    uint64_t now = bm_net_now();
    if (now >= dhcp->end) {
        lease_lose(interface, "the DHCP server did not prolong the lease of the address, which is given up");
        return;
    }
    if (now < dhcp->t1) {
        again(interface, dhcp->t1);
        return;
    }
    bool rebinds = now >= dhcp->t2;
    uint64_t next = rebinds ? dhcp->end : dhcp->t2, left = (next - now) / 2;
    uint64_t min = (dhcp->end - dhcp->t1) * 2 / RENEW_PART;
    if (min > RENEW_MIN * SECOND)
        min = RENEW_MIN * SECOND;
    if (min < SECOND)
        min = SECOND;
    if (left < min)
        left = min;
    if (!dhcp->tries)
        exchange_begin(interface, DHCP_BOUND);
    dhcp->tries = 1;
    request_send(interface, BM_DHCP_REQUEST, dhcp->address, rebinds ? 0 : dhcp->server);
    again(interface, now + left < next ? now + left : next);
}

static void dhcp_step(void *arg)
{
    struct bm_net_interface *interface = arg;
    struct bm_net_dhcp *dhcp = dhcp_of(interface);
    if (dhcp->state == DHCP_REQUESTING && dhcp->tries == REQUESTS_MAX) {
        discover(interface);
        return;
    }
    if (dhcp->state == DHCP_REBOOTING && dhcp->tries == REBOOTS_MAX) { // section 3.2: nobody says no
        exchange_begin(interface, DHCP_BOUND);
    }
    if (dhcp->state == DHCP_BOUND) {
        lease_step(interface);
        return;
    }
    request_send(interface, dhcp->state == DHCP_SELECTING ? BM_DHCP_DISCOVER : BM_DHCP_REQUEST, 0, 0);
    again_later(interface, dhcp->tries);
    if (dhcp->tries < UINT8_MAX)
        dhcp->tries++;
}

static uint64_t time_after(uint64_t milliseconds, const struct bm_dhcp_message *message)
{
    return message->lease == BM_DHCP_FOREVER ? UINT64_MAX : bm_net_now() + milliseconds;
}

// The lease, new or prolonged. What has not changed is not touched: connections stand.
static void bind(struct bm_net_interface *interface, const struct bm_dhcp_message *message)
{
    struct bm_net_dhcp *dhcp = dhcp_of(interface);
    struct netif *netif = &interface->netif;
    ip4_addr_t address = {message->address}, netmask = {message->netmask}, gateway = {message->gateway};
    dhcp->t1 = time_after(message->t1, message);
    dhcp->t2 = time_after(message->t2, message);
    dhcp->end = time_after(message->lease * 1000ull, message);
    dhcp->address = message->address;
    dhcp->server = message->server;
    dhcp->failures = 0;
    exchange_begin(interface, DHCP_BOUND);
    bm_net_interface_mtu(interface, message->mtu);
    for (unsigned i = 0; i < message->dns_count; i++) {
        const ip_addr_t server = IPADDR4_INIT(message->dns[i]);
        bm_net_dns_learn((u8_t)i, &server);
    }
    bm_net_routes_set(netif, message->routes, message->route_count);
    if (!ip4_addr_eq(&address, netif_ip4_addr(netif)) || !ip4_addr_eq(&netmask, netif_ip4_netmask(netif)) ||
        !ip4_addr_eq(&gateway, netif_ip4_gw(netif)))
        netif_set_addr(netif, &address, &netmask, &gateway);
    if (dhcp->end == UINT64_MAX)
        bm_net_timer_stop(&dhcp->timer);
    else
        again(interface, dhcp->t1);
}

// A BOOTP server's answer is a lease for ever (RFC 1534 section 2), if no DHCP server answers.
static void answer_take(struct bm_net_interface *interface, struct bm_dhcp_message *message)
{
    struct bm_net_dhcp *dhcp = dhcp_of(interface);
    bool selecting = dhcp->state == DHCP_SELECTING;
    if (message->type == BM_DHCP_OFFER && selecting && dhcp->tries) {
        dhcp->address = message->address;
        dhcp->server = message->server;
        dhcp->state = DHCP_REQUESTING;
        dhcp->tries = 0;
        dhcp_step(interface);
    } else if (message->type == BM_DHCP_BOOTP && selecting && dhcp->tries >= BOOTP_TRIES) {
        message->lease = BM_DHCP_FOREVER;
        bind(interface, message);
    } else if (selecting || (dhcp->state == DHCP_BOUND && !dhcp->tries) || !dhcp->state) {
        return; // nothing was asked
    } else if (message->type == BM_DHCP_ACK) {
        bind(interface, message);
    } else if (message->type == BM_DHCP_NAK) {
        dhcp->failures += dhcp->failures < BACKOFF_MAX;
        lease_lose(interface, "the DHCP server refuses the address; another one is asked for");
    }
}

static void received(void *arg, struct udp_pcb *pcb, struct pbuf *packet, const ip_addr_t *source, u16_t port)
{
    static unsigned char data[MESSAGE_MAX];
    struct bm_dhcp_message message;
    (void)arg, (void)pcb, (void)port;
    size_t size = pbuf_copy_partial(packet, data, sizeof data, 0);
    pbuf_free(packet);
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        if (&interface->netif != ip_current_input_netif() ||
            !bm_dhcp_parse(data, size, dhcp_of(interface)->xid, interface->netif.hwaddr, &message))
            continue;
        if (!message.server)
            message.server = ip4_addr_get_u32(ip_2_ip4(source));
        answer_take(interface, &message);
        return;
    }
}

bool bm_net_dhcp_start(struct bm_net_interface *interface)
{
    BM_NET_ASSERT_LOCKED();
    if (!dhcp_pcb && (dhcp_pcb = udp_new())) {
        udp_bind(dhcp_pcb, IP4_ADDR_ANY, CLIENT_PORT);
        udp_recv(dhcp_pcb, received, NULL);
    }
    if (!dhcp_pcb)
        return false;
    dhcp_of(interface)->timer.handler = dhcp_step;
    dhcp_of(interface)->timer.arg = interface;
    discover(interface);
    return true;
}

// Section 3.2: the machine may have come to another network.
void bm_net_dhcp_link_up(struct bm_net_interface *interface)
{
    BM_NET_ASSERT_LOCKED();
    if (dhcp_of(interface)->state == DHCP_OFF)
        return;
    if (dhcp_of(interface)->state < DHCP_REBOOTING) {
        dhcp_of(interface)->failures = 0;
        discover(interface);
        return;
    }
    exchange_begin(interface, DHCP_REBOOTING);
    dhcp_step(interface);
}
