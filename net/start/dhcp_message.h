// DHCP messages (RFC 2131, RFC 2132) as bytes: made from their fields, and taken apart.
// SPDX-License-Identifier: MIT
//
// It knows nothing of lwIP or the kernel: tests run it on the host. Addresses are in network byte order.
#pragma once

#include "../device/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bm_dhcp_type {
    BM_DHCP_BOOTP,
    BM_DHCP_DISCOVER,
    BM_DHCP_OFFER,
    BM_DHCP_REQUEST,
    BM_DHCP_ACK = 5,
    BM_DHCP_NAK
};

enum {
    BM_DHCP_MESSAGE_MAX = 400, // bytes that bm_dhcp_build makes at most
    BM_DHCP_DNS_MAX = 4,
    BM_DHCP_ROUTES_MAX = 8
};
#define BM_DHCP_FOREVER UINT32_MAX // a lease's seconds

// Whether a host may have that IPv4 address: RFC 1122 section 3.2.1.3. Of a network of two, both are hosts
// (RFC 3021).
static inline bool bm_net_ip4_is_host(uint32_t address)
{
    unsigned first = address & 255;
    return first != 0 && first != 127 && first < 224;
}

static inline bool bm_net_ip4_is_host_of(uint32_t address, uint32_t netmask)
{
    uint32_t host = ~__builtin_bswap32(netmask), number = __builtin_bswap32(address) & host;
    return bm_net_ip4_is_host(address) && (host < 3 || (number != 0 && number != host));
}

// What a server says. What it does not say, or says wrong, is 0.
struct bm_dhcp_message {
    enum bm_dhcp_type type; // BM_DHCP_BOOTP: it does not say
    uint32_t address, server, netmask, gateway;
    uint32_t lease;  // seconds; for ever if the server does not say
    uint64_t t1, t2; // milliseconds
    uint16_t mtu;
    unsigned dns_count, route_count;
    uint32_t dns[BM_DHCP_DNS_MAX];
    struct bm_net_route
        routes[BM_DHCP_ROUTES_MAX]; // RFC 3442, without the default route: that is the gateway
};

// What the client says.
struct bm_dhcp_request {
    enum bm_dhcp_type type;
    uint32_t xid;
    const unsigned char *mac;
    uint32_t client;            // its address, if it has one
    uint32_t requested, server; // 0: not said
    uint16_t seconds, size_max; // of the answer
    const char *hostname;       // at most 63 bytes
};

// Takes a reply apart. Returns false when it is none, none to that client, or when it makes no sense.
bool bm_dhcp_parse(const unsigned char *data, size_t size, uint32_t xid, const unsigned char mac[6],
                   struct bm_dhcp_message *message);

// Writes a request into data[BM_DHCP_MESSAGE_MAX]; returns its length.
size_t bm_dhcp_build(unsigned char *data, const struct bm_dhcp_request *request);
