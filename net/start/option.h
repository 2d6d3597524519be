// The network's words on the command line, as parsed.
// SPDX-License-Identifier: MIT
//
// The parser knows nothing of lwIP or the kernel: tests run it on the host. Addresses are in network byte
// order.
#pragma once

#include "dhcp_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BM_NET_DNS_MAX = 4, BM_NET_HOSTNAME_MAX = 63, BM_NET_VLAN_MAX = 4094, BM_NET_MTU_MIN = 576 };

struct bm_net_address {
    bool is_ip6;
    uint8_t bytes[16]; // IPv4: the first four
};

struct bm_net_dns {
    unsigned count;
    struct bm_net_address servers[BM_NET_DNS_MAX];
};

// Which interface a word means.
struct bm_net_which {
    bool is_mac;
    char name[12]; // "eth1", "eth1.5"; "": the first one
    unsigned char mac[6];
};

enum bm_net_mode { BM_NET_DHCP, BM_NET_STATIC, BM_NET_OFF };

struct bm_net_ip {
    enum bm_net_mode mode;              // of IPv4; BM_NET_OFF: the interface is not used at all
    bool has_ip6, is_named;             // is_named: a word named it
    uint32_t address, netmask, gateway; // gateway 0: none
    uint8_t address6[16], gateway6[16]; // of a network of 64 bits; gateway6 zero: none
};

// Takes the interface's name and the colon behind it off the front of a value; returns the rest.
const char *bm_net_option_which(const char *text, struct bm_net_which *which);

// Each takes a value, without the interface's name, and returns NULL, or a sentence saying what is wrong;
// then nothing is changed.
const char *bm_net_option_ip(const char *text, struct bm_net_ip *ip); // dhcp, off, ADDRESS/PREFIX[,GATEWAY]
const char *bm_net_option_dns(const char *text, struct bm_net_dns *dns);       // ADDRESS[,ADDRESS]…
const char *bm_net_option_route(const char *text, struct bm_net_route *route); // NETWORK/PREFIX,GATEWAY
const char *bm_net_option_vlan(const char *text, unsigned *vlan);
const char *bm_net_option_mtu(const char *text, unsigned max, unsigned *mtu);
const char *bm_net_option_hostname(const char *text);

// Text of an address, whole, into its bytes.
bool bm_net_parse_ip4(const char *text, size_t length, uint8_t bytes[4]);
bool bm_net_parse_ip6(const char *text, size_t length, uint8_t bytes[16]);
