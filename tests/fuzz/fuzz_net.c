// Fuzzer of what the network reads from the command line, from programs, and from frames before lwIP does.
// SPDX-License-Identifier: MIT
// @sources net/start/option.c net/start/address.c net/device/checksum.c net/start/dhcp_message.c
// @sources net/start/dhcp6_message.c
// @max_len 256
#include "../../net/device/checksum.h"
#include "../../net/start/dhcp6_message.h"
#include "../../net/start/dhcp_message.h"
#include "../../net/start/option.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The host's C library and ours agree on every text.
static void addresses(const char *text)
{
    uint8_t mine[16] = {0}, theirs[16] = {0};
    if (bm_net_parse_ip4(text, strlen(text), mine) != (inet_pton(AF_INET, text, theirs) == 1) ||
        memcmp(mine, theirs, 16) != 0)
        abort();
    if (bm_net_parse_ip6(text, strlen(text), mine) != (inet_pton(AF_INET6, text, theirs) == 1) ||
        memcmp(mine, theirs, 16) != 0)
        abort();
}

static void options(const char *text)
{
    struct bm_net_ip parsed = {0};
    struct bm_net_dns dns = {0};
    struct bm_net_which which;
    struct bm_net_route route;
    unsigned number;
    const char *rest = bm_net_option_which(text, &which);
    if (rest < text || rest > text + strlen(text) || strlen(which.name) >= sizeof which.name)
        abort();
    if (!bm_net_option_ip(rest, &parsed) && parsed.mode == BM_NET_STATIC &&
        (!parsed.address || !parsed.netmask))
        abort();
    if (!bm_net_option_dns(text, &dns) && (dns.count == 0 || dns.count > BM_NET_DNS_MAX))
        abort();
    if (!bm_net_option_route(text, &route) && route.destination & ~route.netmask)
        abort();
    if (!bm_net_option_vlan(rest, &number) && (number == 0 || number > BM_NET_VLAN_MAX))
        abort();
    if (!bm_net_option_mtu(rest, 9000, &number) && (number < BM_NET_MTU_MIN || number > 9000))
        abort();
    bm_net_option_hostname(text);
}

static void frame(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size);
    uint16_t start = 0, offset = 0;
    memcpy(copy, data, size);
    bm_net_checksum_prepare(copy, (unsigned)size, &start, &offset);
    if (start && (size_t)start + 20 > size)
        abort();
    free(copy);
}

// The bytes as the options of a reply that is the client's otherwise: a lease that is taken makes sense.
static void dhcp(const uint8_t *data, size_t size)
{
    enum { OPTIONS = 240 };
    static const unsigned char mac[6] = {2};
    uint8_t *reply = calloc(1, OPTIONS + size);
    struct bm_dhcp_message message;
    reply[0] = 2;
    reply[16] = 10;
    reply[28] = mac[0];
    memcpy(reply + 236, "\x63\x82\x53\x63", 4);
    memcpy(reply + OPTIONS, data, size);
    memcpy(reply + 108, data, size < 128 ? size : 128);
    if (bm_dhcp_parse(reply, OPTIONS + size, 0, mac, &message) && message.type != BM_DHCP_NAK &&
        (!message.lease || message.t1 >= message.t2 || message.t2 > message.lease * 1000ull ||
         !message.netmask || message.route_count > BM_DHCP_ROUTES_MAX || message.dns_count > BM_DHCP_DNS_MAX))
        abort();
    free(reply);
}

// The bytes as the options of an answer, behind the identifiers that it must have.
static void dhcp6(const uint8_t *data, size_t size)
{
    static const unsigned char mac[6] = {2}, front[] = "\7\0\0\0\0\1\0\12\0\3\0\1\2\0\0\0\0\0\0\2\0\1s";
    enum { FRONT = sizeof front - 1 };
    uint8_t *reply = malloc(FRONT + size);
    struct bm_dhcp6_message message;
    memcpy(reply, front, FRONT);
    memcpy(reply + FRONT, data, size);
    if (bm_dhcp6_parse(reply, FRONT + size, &(struct bm_dhcp6_client){.mac = mac}, &message) &&
        (message.dns_count > BM_DHCP6_DNS_MAX || !message.server.length ||
         message.server.length > BM_DHCP6_SERVER_MAX ||
         (message.has_address && (message.preferred > message.valid || message.address[0] >= 0xfe))))
        abort();
    free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    addresses(text);
    options(text);
    free(text);
    if (size)
        frame(data, size);
    dhcp(data, size);
    dhcp6(data, size);
    return 0;
}
