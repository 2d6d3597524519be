// DHCPv6's client: one address for each interface whose router says so, and name servers.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of RFC 8415. lwIP counts the lifetimes of the address; this file renews them.
#include "dhcp6.h"

#include "../device/interface.h"
#include "configuration.h"
#include "dns_servers.h"

#include <baremetal/log.h>
#include <string.h>

#include "lwip/ip.h"
#include "lwip/udp.h"

enum {
    CLIENT_PORT = 546,
    SERVER_PORT = 547,
    SECOND = 1000,
    ONCE_TIMEOUT = SECOND, // of SOLICIT, REQUEST and INFORMATION-REQUEST (section 7.6), and their first delay
    KEEP_TIMEOUT = 10 * SECOND, // of RENEW and REBIND
    REQUEST_MAX = 30 * SECOND,
    KEEP_MAX = 600 * SECOND,
    SOLICIT_MAX = 3600 * SECOND, // of INFORMATION-REQUEST, too
    LIMIT_MIN = 60,
    LIMIT_MAX = 86400, // what a server may make of it (sections 21.24 and 21.25)
    REFRESH_MIN = 600,
    REFRESH_DEFAULT = 86400, // section 21.23
    REQUESTS = 10,
    FAILURES_MAX = 6, // doublings of the wait behind a refusal: half a minute
    MESSAGE_MAX = 1452,
    PREFERENCE_MAX = 255
};

static struct udp_pcb *dhcp6_pcb;

static struct bm_net_dhcp6 *dhcp6_of(struct bm_net_interface *interface)
{
    return &bm_net_configuration_of(interface)->dhcp6;
}

static struct bm_dhcp6_client client_of(struct bm_net_interface *interface)
{
    const unsigned char *mac = interface->netif.hwaddr;
    uint32_t association;
    memcpy(&association, mac + 2, sizeof association);
    return (struct bm_dhcp6_client){.mac = bm_net_interfaces[0]->netif.hwaddr,
                                    .association = association ^ interface->vlan,
                                    .xid = dhcp6_of(interface)->xid};
}

static void message_send(struct bm_net_interface *interface, enum bm_dhcp6_type type)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    uint64_t elapsed = (bm_net_now() - dhcp6->started) / 10;
    bool names_server = type == BM_DHCP6_REQUEST || type == BM_DHCP6_RENEW;
    const struct bm_dhcp6_request request = {
        .type = type,
        .client = client_of(interface),
        .server = names_server ? &dhcp6->server : NULL,
        .address = names_server || type == BM_DHCP6_REBIND ? dhcp6->address : NULL,
        .elapsed = (uint16_t)(elapsed < UINT16_MAX ? elapsed : UINT16_MAX),
    };
    ip_addr_t servers = IPADDR6_INIT_HOST(0xff020000, 0, 0, 0x10002);
    ip6_addr_assign_zone(ip_2_ip6(&servers), IP6_MULTICAST, &interface->netif);
    struct pbuf *packet = pbuf_alloc(PBUF_TRANSPORT, BM_DHCP6_MESSAGE_MAX, PBUF_RAM);
    if (!packet)
        return;
    pbuf_realloc(packet, (u16_t)bm_dhcp6_build(packet->payload, &request));
    udp_sendto_if(dhcp6_pcb, packet, &servers, SERVER_PORT, &interface->netif);
    pbuf_free(packet);
}

static void exchange_begin(struct bm_net_interface *interface, enum bm_net_dhcp6_state state)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    dhcp6->state = (uint8_t)state;
    dhcp6->started = bm_net_now();
    dhcp6->xid = bm_net_random() & 0xffffff;
    dhcp6->timeout = dhcp6->tries = 0;
}

// Section 15: doubles, and is random within a tenth.
static uint64_t timeout_next(struct bm_net_dhcp6 *dhcp6, uint32_t first, uint32_t max)
{
    uint32_t base = dhcp6->timeout ? dhcp6->timeout * 2 : first;
    if (base > max)
        base = max;
    dhcp6->timeout = base - base / 10 + bm_net_random() % (base / 5 + 1);
    if (!dhcp6->tries++ && dhcp6->state == DHCP6_SOLICITING) // section 18.2.1: not less than the first
        dhcp6->timeout = base + bm_net_random() % (base / 10) + 1;
    return dhcp6->timeout;
}

// Solicits or informs itself anew; the first message waits for a random time (sections 18.2.1 and 18.2.6),
// and longer behind each refusal, so that a server that advertises and refuses is not asked without end.
static void ask(struct bm_net_interface *interface, enum bm_net_dhcp6_state state)
{
    exchange_begin(interface, state);
    dhcp6_of(interface)->server.length = 0;
    unsigned failures = dhcp6_of(interface)->failures;
    uint64_t wait = failures ? (uint64_t)ONCE_TIMEOUT << (failures - 1) : 0;
    bm_net_timer_start(&dhcp6_of(interface)->timer, wait + bm_net_random() % ONCE_TIMEOUT);
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

// Renews from T1 on, asks any server from T2 on, and starts anew when the address is gone.
static void keep(struct bm_net_interface *interface)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    uint64_t now = bm_net_now(), wait;
    if (now >= dhcp6->end) {
        ask(interface, DHCP6_SOLICITING);
        return;
    }
    if (now < dhcp6->t1) {
        wait = dhcp6->t1 - now;
    } else {
        bool rebinds = now >= dhcp6->t2;
        uint64_t limit = rebinds ? dhcp6->end : dhcp6->t2;
        if (!dhcp6->renews || (rebinds && dhcp6->started < dhcp6->t2))
            exchange_begin(interface, DHCP6_BOUND);
        dhcp6->renews = true;
        message_send(interface, rebinds ? BM_DHCP6_REBIND : BM_DHCP6_RENEW);
        wait = earlier(timeout_next(dhcp6, KEEP_TIMEOUT, KEEP_MAX), limit - now);
    }
    bm_net_timer_start(&dhcp6->timer, wait);
}

static void request(struct bm_net_interface *interface)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    if (dhcp6->tries == REQUESTS) {
        ask(interface, DHCP6_SOLICITING);
        return;
    }
    message_send(interface, BM_DHCP6_REQUEST);
    bm_net_timer_start(&dhcp6->timer, timeout_next(dhcp6, ONCE_TIMEOUT, REQUEST_MAX));
}

static void step(void *arg)
{
    struct bm_net_interface *interface = arg;
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    bool solicits = dhcp6->state == DHCP6_SOLICITING;
    if (!ip6_addr_isvalid(netif_ip6_addr_state(&interface->netif, 0))) { // nothing to send from yet
        bm_net_timer_start(&dhcp6->timer, ONCE_TIMEOUT / 4);
        return;
    }
    if (solicits && dhcp6->server.length) // the best of those that have answered until now
        exchange_begin(interface, DHCP6_REQUESTING);
    if (dhcp6->state == DHCP6_BOUND) {
        keep(interface);
    } else if (dhcp6->state == DHCP6_REQUESTING) {
        request(interface);
    } else {
        if (dhcp6->state == DHCP6_INFORMED)
            exchange_begin(interface, DHCP6_INFORMING);
        if (!dhcp6->tries)
            dhcp6->started = bm_net_now();
        message_send(interface, solicits ? BM_DHCP6_SOLICIT : BM_DHCP6_INFORMATION);
        bm_net_timer_start(
            &dhcp6->timer,
            timeout_next(dhcp6, ONCE_TIMEOUT, solicits ? dhcp6->solicit_max : dhcp6->information_max));
    }
}

static uint64_t time_after(uint32_t seconds)
{
    return seconds == BM_DHCP6_FOREVER ? UINT64_MAX : bm_net_now() + (uint64_t)seconds * SECOND;
}

// Gives the interface the address, or new lifetimes to the one that it has. Times that the server leaves to
// the client are half and four fifths of the preferred lifetime (section 14.2); none is less than a second or
// beyond the address's end.
static void address_use(struct bm_net_interface *interface, struct bm_dhcp6_message *message)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    struct netif *netif = &interface->netif;
    ip6_addr_t address = {0};
    s8_t index;
    memcpy(address.addr, message->address, sizeof message->address);
    if (netif_add_ip6_address(netif, &address, &index) != ERR_OK) {
        bm_log_error("net", "%s: no room for the address of the DHCPv6 server", interface->name);
        index = 0;
    }
    if (index && !(netif_ip6_addr_isstatic(netif, index) &&
                   !ip6_addr_istentative(netif_ip6_addr_state(netif, index)))) {
        netif_ip6_addr_set_valid_life(netif, index, message->valid);
        netif_ip6_addr_set_pref_life(netif, index, message->preferred);
        if (message->preferred && ip6_addr_isdeprecated(netif_ip6_addr_state(netif, index)))
            netif_ip6_addr_set_state(netif, index, IP6_ADDR_PREFERRED);
    }
    uint32_t life = message->preferred ? message->preferred : message->valid;
    if (!message->has_times || message->t1 >= message->valid) {
        message->t1 = life == BM_DHCP6_FOREVER ? life : life / 2;
        message->t2 = life == BM_DHCP6_FOREVER ? life : (uint32_t)(life * 4ull / 5);
    }
    dhcp6->t1 = time_after(message->t1 ? message->t1 : 1);
    dhcp6->end = time_after(message->valid);
    dhcp6->t2 = earlier(time_after(message->t2 < message->t1 ? message->t1 : message->t2), dhcp6->end);
    memcpy(dhcp6->address, message->address, sizeof dhcp6->address);
    dhcp6->server = message->server;
    dhcp6->renews = false;
    dhcp6->failures = 0;
    exchange_begin(interface, DHCP6_BOUND);
    if (dhcp6->t1 == UINT64_MAX)
        bm_net_timer_stop(&dhcp6->timer);
    else
        keep(interface);
}

static void dns_take(const struct bm_dhcp6_message *message)
{
    for (unsigned i = 0; i < message->dns_count; i++) {
        ip_addr_t server = IPADDR6_INIT(0, 0, 0, 0);
        memcpy(ip_2_ip6(&server)->addr, message->dns[i], sizeof message->dns[i]);
        bm_net_dns_learn((u8_t)i, &server);
    }
}

// Section 18.2.9: the best one until the first time-out is over, then the first.
static void advertise_take(struct bm_net_interface *interface, const struct bm_dhcp6_message *message)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    if (message->refused || !message->has_address || !message->valid ||
        (dhcp6->server.length && message->preference <= dhcp6->preference))
        return;
    dhcp6->server = message->server;
    dhcp6->preference = message->preference;
    memcpy(dhcp6->address, message->address, sizeof dhcp6->address);
    if (message->preference == PREFERENCE_MAX || dhcp6->tries > 1)
        step(interface);
}

static void limit_take(uint32_t *limit, uint32_t said)
{
    if (said >= LIMIT_MIN && said <= LIMIT_MAX)
        *limit = said * SECOND;
}

// Section 18.2.10. A refusal of what a server has advertised or given leads to another search.
static void reply_take(struct bm_net_interface *interface, struct bm_dhcp6_message *message)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    bool asked = dhcp6->state == DHCP6_REQUESTING || (dhcp6->state == DHCP6_BOUND && dhcp6->renews);
    if (dhcp6->state == DHCP6_INFORMING) {
        uint32_t refresh = message->refresh ? message->refresh : REFRESH_DEFAULT;
        dns_take(message);
        dhcp6->state = DHCP6_INFORMED;
        bm_net_timer_start(&dhcp6->timer, (uint64_t)(refresh < REFRESH_MIN ? REFRESH_MIN : refresh) * SECOND);
    } else if (asked && message->refused) {
        bm_log_warn("net", "%s: the DHCPv6 server refuses the address", interface->name);
        dhcp6->failures += dhcp6->failures < FAILURES_MAX;
        ask(interface, DHCP6_SOLICITING);
    } else if (asked && message->has_address && message->valid) {
        dns_take(message);
        address_use(interface, message);
    }
}

static void received(void *arg, struct udp_pcb *pcb, struct pbuf *packet, const ip_addr_t *source, u16_t port)
{
    static unsigned char data[MESSAGE_MAX];
    struct bm_dhcp6_message message;
    (void)arg, (void)pcb, (void)source, (void)port;
    size_t size = pbuf_copy_partial(packet, data, sizeof data, 0);
    pbuf_free(packet);
    for (unsigned i = 0; i < bm_net_interface_count; i++) {
        struct bm_net_interface *interface = bm_net_interfaces[i];
        struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
        const struct bm_dhcp6_client client = client_of(interface);
        if (&interface->netif != ip_current_input_netif() || !dhcp6->tries ||
            !bm_dhcp6_parse(data, size, &client, &message))
            continue;
        limit_take(&dhcp6->solicit_max, message.solicit_max);
        limit_take(&dhcp6->information_max, message.information_max);
        if (message.type == BM_DHCP6_ADVERTISE && dhcp6->state == DHCP6_SOLICITING)
            advertise_take(interface, &message);
        else if (message.type == BM_DHCP6_REPLY)
            reply_take(interface, &message);
    }
}

static bool start(void)
{
    if (!dhcp6_pcb && (dhcp6_pcb = udp_new_ip_type(IPADDR_TYPE_V6))) {
        udp_bind(dhcp6_pcb, IP6_ADDR_ANY, CLIENT_PORT);
        udp_recv(dhcp6_pcb, received, NULL);
    }
    return dhcp6_pcb != NULL;
}

// A router advertisement's flags (RFC 4861 section 4.2). A lease that there is stays when a router no longer
// speaks of it.
static void advice(struct bm_net_interface *interface, bool addresses, bool others)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    bool more = addresses && dhcp6->state < DHCP6_SOLICITING;
    if ((!more && (!others || dhcp6->state)) || !start())
        return;
    if (!dhcp6->state) {
        dhcp6->timer.handler = step;
        dhcp6->timer.arg = interface;
        dhcp6->solicit_max = dhcp6->information_max = SOLICIT_MAX;
    }
    ask(interface, more ? DHCP6_SOLICITING : DHCP6_INFORMING);
}

// Section 18.2.12: the network may be another. Any server may say whether the address still fits.
static void link_up(struct bm_net_interface *interface)
{
    struct bm_net_dhcp6 *dhcp6 = dhcp6_of(interface);
    if (dhcp6->state == DHCP6_BOUND) {
        dhcp6->renews = false;
        dhcp6->t1 = dhcp6->t2 = bm_net_now();
        keep(interface);
    } else if (dhcp6->state) {
        dhcp6->failures = 0;
        ask(interface, dhcp6->state < DHCP6_SOLICITING ? DHCP6_INFORMING : DHCP6_SOLICITING);
    }
}

const struct bm_net_part_dhcp6 bm_net_part_dhcp6 = {advice, link_up};
