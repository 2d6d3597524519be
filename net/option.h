// The network's words on the command line, as parsed.
// SPDX-License-Identifier: MIT
//
// The parser knows nothing of lwIP or the kernel: tests run it on the host. Addresses are in network byte
// order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BM_NET_DNS_MAX = 4, BM_NET_HOSTNAME_MAX = 63 };

enum bm_net_mode { BM_NET_DHCP, BM_NET_STATIC, BM_NET_OFF };

struct bm_net_address {
    bool is_ip6;
    uint8_t bytes[16]; // IPv4: the first four
};

struct bm_net_options {
    enum bm_net_mode mode;
    uint32_t address, netmask, gateway; // gateway 0: none
    unsigned dns_count;
    struct bm_net_address dns[BM_NET_DNS_MAX];
};

// Each returns NULL, or a sentence saying what is wrong; then *options is unchanged.
const char *bm_net_option_ip(const char *text,
                             struct bm_net_options *options); // dhcp, off, ADDRESS/PREFIX[,GATEWAY]
const char *bm_net_option_dns(const char *text, struct bm_net_options *options); // ADDRESS[,ADDRESS]…
const char *bm_net_option_hostname(const char *text);

// Text of an address, whole, into its bytes.
bool bm_net_parse_ip4(const char *text, size_t length, uint8_t bytes[4]);
bool bm_net_parse_ip6(const char *text, size_t length, uint8_t bytes[16]);
