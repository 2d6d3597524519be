// The network's words of the kernel command line.
// SPDX-License-Identifier: MIT
#include "option.h"

#include <string.h>

static uint32_t load32(const uint8_t bytes[4])
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

// A decimal number without leading zeros, whole.
static bool is_number(const char *text, size_t length, unsigned min, unsigned max, unsigned *number)
{
    unsigned value = 0;
    if (length == 0 || length > 5 || (length > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *number = value;
    return value >= min && value <= max;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_mac(const char *text, unsigned char mac[6])
{
    for (unsigned i = 0; i < 6; i++, text += 3) {
        int high = hex_value(text[0]), low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0 || text[2] != ':')
            return false;
        mac[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

const char *bm_net_option_which(const char *text, struct bm_net_which *which)
{
    enum { MAC_LENGTH = 18 };
    *which = (struct bm_net_which){0};
    const char *colon = strchr(text, ':');
    if (is_mac(text, which->mac)) {
        which->is_mac = true;
        return text + MAC_LENGTH;
    }
    if (strncmp(text, "eth", 3) != 0 || !colon || (size_t)(colon - text) >= sizeof which->name)
        return text;
    memcpy(which->name, text, (size_t)(colon - text));
    return colon + 1;
}

// An address of a host in front of the comma, if there is one, and one behind; both are there or neither.
static const char *parse_static(const char *text, struct bm_net_ip *ip)
{
    const char *comma = strchr(text, ','), *slash = strchr(text, '/');
    const char *end = comma ? comma : text + strlen(text);
    uint8_t address[4], gateway[4] = {0};
    unsigned prefix;
    if (!comma && !slash)
        return "it is neither dhcp, off nor ADDRESS/PREFIX";
    if (!slash || slash > end)
        return "the prefix length is missing";
    if (!bm_net_parse_ip4(text, (size_t)(slash - text), address) || !bm_net_ip4_is_host(load32(address)))
        return "the address is no IPv4 address of a host";
    if (!is_number(slash + 1, (size_t)(end - slash - 1), 1, 32, &prefix))
        return "the prefix length is no number from 1 to 32";
    if (comma &&
        (!bm_net_parse_ip4(comma + 1, strlen(comma + 1), gateway) || !bm_net_ip4_is_host(load32(gateway))))
        return "the gateway is no IPv4 address of a host";
    uint32_t netmask = __builtin_bswap32(0xffffffffu << (32 - prefix));
    if (comma && ((load32(address) ^ load32(gateway)) & netmask) != 0)
        return "the gateway is not in the address's network";
    if (load32(address) == load32(gateway))
        return "the gateway is the machine itself";
    if (!bm_net_ip4_is_host_of(load32(address), netmask))
        return "the address is that of the network itself, or of all its hosts";
    ip->mode = BM_NET_STATIC;
    ip->address = load32(address);
    ip->netmask = netmask;
    ip->gateway = load32(gateway);
    return NULL;
}

static const char *parse_static6(const char *text, struct bm_net_ip *ip)
{
    const char *comma = strchr(text, ','), *slash = strchr(text, '/');
    const char *end = comma ? comma : text + strlen(text);
    uint8_t address[16], gateway[16] = {0};
    if (!slash || slash > end || end - slash != 3 || slash[1] != '6' || slash[2] != '4')
        return "an IPv6 address has /64 behind it";
    if (!bm_net_parse_ip6(text, (size_t)(slash - text), address) || address[0] == 0 || address[0] >= 0xfe)
        return "the address is no global IPv6 address of a host";
    if (comma &&
        (!bm_net_parse_ip6(comma + 1, strlen(comma + 1), gateway) || gateway[0] == 0 || gateway[0] == 0xff))
        return "the gateway is no IPv6 address of a host";
    memcpy(ip->address6, address, sizeof address);
    memcpy(ip->gateway6, gateway, sizeof gateway);
    ip->has_ip6 = true;
    return NULL;
}

const char *bm_net_option_ip(const char *text, struct bm_net_ip *ip)
{
    bool off = strcmp(text, "off") == 0;
    if (off || strcmp(text, "dhcp") == 0) {
        ip->mode = off ? BM_NET_OFF : BM_NET_DHCP;
        return NULL;
    }
    return strchr(text, ':') ? parse_static6(text, ip) : parse_static(text, ip);
}

const char *bm_net_option_route(const char *text, struct bm_net_route *route)
{
    const char *comma = strchr(text, ','), *slash = strchr(text, '/');
    uint8_t destination[4], gateway[4];
    unsigned prefix;
    if (!comma || !slash || slash > comma)
        return "a route is NETWORK/PREFIX,GATEWAY";
    if (!bm_net_parse_ip4(text, (size_t)(slash - text), destination))
        return "the network is no IPv4 address";
    if (!is_number(slash + 1, (size_t)(comma - slash - 1), 0, 32, &prefix))
        return "the prefix length is no number from 0 to 32";
    if (!bm_net_parse_ip4(comma + 1, strlen(comma + 1), gateway) || !bm_net_ip4_is_host(load32(gateway)))
        return "the gateway is no IPv4 address of a host";
    uint32_t netmask = prefix ? __builtin_bswap32(0xffffffffu << (32 - prefix)) : 0;
    if (load32(destination) & ~netmask)
        return "the network has bits behind its prefix";
    *route = (struct bm_net_route){load32(destination), netmask, load32(gateway)};
    return NULL;
}

const char *bm_net_option_vlan(const char *text, unsigned *vlan)
{
    unsigned number;
    if (!is_number(text, strlen(text), 1, BM_NET_VLAN_MAX, &number))
        return "a VLAN is a number from 1 to 4094";
    *vlan = number;
    return NULL;
}

const char *bm_net_option_mtu(const char *text, unsigned max, unsigned *mtu)
{
    unsigned number;
    if (!is_number(text, strlen(text), BM_NET_MTU_MIN, UINT16_MAX, &number))
        return "an MTU is a number from 576 to 65535";
    if (number > max)
        return "the device does not carry so much";
    *mtu = number;
    return NULL;
}

const char *bm_net_option_dns(const char *text, struct bm_net_dns *dns)
{
    struct bm_net_address servers[BM_NET_DNS_MAX];
    unsigned count = 0;
    for (;;) {
        const char *comma = strchr(text, ',');
        size_t length = comma ? (size_t)(comma - text) : strlen(text);
        if (count == BM_NET_DNS_MAX)
            return "there are more than four servers";
        struct bm_net_address *server = &servers[count++];
        memset(server, 0, sizeof *server);
        server->is_ip6 = !bm_net_parse_ip4(text, length, server->bytes);
        if (server->is_ip6 && !bm_net_parse_ip6(text, length, server->bytes))
            return "a server is no IPv4 or IPv6 address";
        if (!comma)
            break;
        text = comma + 1;
    }
    memcpy(dns->servers, servers, count * sizeof *servers);
    dns->count = count;
    return NULL;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

const char *bm_net_option_hostname(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > BM_NET_HOSTNAME_MAX)
        return "a host name has 1 to 63 characters";
    for (size_t i = 0; i < length; i++)
        if (!is_letter_or_digit(text[i]) && text[i] != '-' && text[i] != '.')
            return "a host name has letters, digits, - and . only";
    if (!is_letter_or_digit(text[0]) || !is_letter_or_digit(text[length - 1]))
        return "a host name starts and ends with a letter or digit";
    return NULL;
}
