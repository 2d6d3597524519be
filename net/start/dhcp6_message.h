// DHCPv6 messages (RFC 8415) as bytes: made from their fields, and taken apart.
// SPDX-License-Identifier: MIT
//
// It knows nothing of lwIP or the kernel: tests run it on the host.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bm_dhcp6_type {
    BM_DHCP6_SOLICIT = 1,
    BM_DHCP6_ADVERTISE = 2,
    BM_DHCP6_REQUEST = 3,
    BM_DHCP6_RENEW = 5,
    BM_DHCP6_REBIND = 6,
    BM_DHCP6_REPLY = 7,
    BM_DHCP6_INFORMATION = 11
};

enum {
    BM_DHCP6_MESSAGE_MAX = 256, // bytes that bm_dhcp6_build makes at most
    BM_DHCP6_SERVER_MAX = 130,  // bytes of a server's identifier (section 11.1)
    BM_DHCP6_DNS_MAX = 4
};
#define BM_DHCP6_FOREVER UINT32_MAX // a lifetime's seconds

// Who asks, and what was asked.
struct bm_dhcp6_client {
    const unsigned char *mac; // makes the client's identifier (DUID-LL)
    uint32_t association;     // IAID
    uint32_t xid;             // 24 bits
};

struct bm_dhcp6_server {
    uint8_t length;
    uint8_t bytes[BM_DHCP6_SERVER_MAX];
};

// What a server says. What it does not say, or says wrong, is 0.
struct bm_dhcp6_message {
    uint8_t type, preference;
    bool refused;                // a status that is no success, of the message or of the addresses
    bool has_address, has_times; // has_times: t1 and t2 are the server's
    struct bm_dhcp6_server server;
    uint8_t address[16];
    uint32_t preferred, valid; // seconds, as all below; valid 0: the address is not to be used any more
    uint32_t t1, t2;
    uint32_t refresh, solicit_max, information_max;
    unsigned dns_count;
    uint8_t dns[BM_DHCP6_DNS_MAX][16];
};

// What the client says.
struct bm_dhcp6_request {
    enum bm_dhcp6_type type;
    struct bm_dhcp6_client client;
    const struct bm_dhcp6_server *server; // NULL: not said
    const uint8_t *address;               // NULL: not said
    uint16_t elapsed;                     // hundredths of a second
};

// Takes an answer apart. Returns false when it is none, none to that client, or when it is to be passed over.
bool bm_dhcp6_parse(const unsigned char *data, size_t size, const struct bm_dhcp6_client *client,
                    struct bm_dhcp6_message *message);

// Writes a message into data[BM_DHCP6_MESSAGE_MAX]; returns its length.
size_t bm_dhcp6_build(unsigned char *data, const struct bm_dhcp6_request *request);
