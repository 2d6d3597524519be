// ip=, dns= and hostname= of the kernel command line.
// SPDX-License-Identifier: MIT
#include "option.h"

#include <string.h>

static uint32_t load32(const uint8_t bytes[4])
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static bool is_prefix(const char *text, size_t length, unsigned *prefix)
{
    if (length == 0 || length > 2)
        return false;
    *prefix = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *prefix = *prefix * 10 + (unsigned)(text[i] - '0');
    }
    return *prefix >= 1 && *prefix <= 32;
}

static const char *parse_static(const char *text, struct bm_net_options *options)
{
    const char *comma = strchr(text, ','), *slash = strchr(text, '/');
    const char *end = comma ? comma : text + strlen(text);
    uint8_t address[4], gateway[4] = {0};
    unsigned prefix;
    if (!slash || slash > end)
        return "the prefix length is missing";
    if (!bm_net_parse_ip4(text, (size_t)(slash - text), address) || address[0] == 0 || address[0] >= 224)
        return "the address is no IPv4 address of a host";
    if (!is_prefix(slash + 1, (size_t)(end - slash - 1), &prefix))
        return "the prefix length is no number from 1 to 32";
    if (comma &&
        (!bm_net_parse_ip4(comma + 1, strlen(comma + 1), gateway) || gateway[0] == 0 || gateway[0] >= 224))
        return "the gateway is no IPv4 address of a host";
    uint32_t netmask = __builtin_bswap32(0xffffffffu << (32 - prefix));
    if (comma && ((load32(address) ^ load32(gateway)) & netmask) != 0)
        return "the gateway is not in the address's network";
    options->mode = BM_NET_STATIC;
    options->address = load32(address);
    options->netmask = netmask;
    options->gateway = load32(gateway);
    return NULL;
}

const char *bm_net_option_ip(const char *text, struct bm_net_options *options)
{
    if (strcmp(text, "dhcp") == 0) {
        options->mode = BM_NET_DHCP;
        return NULL;
    }
    if (strcmp(text, "off") == 0) {
        options->mode = BM_NET_OFF;
        return NULL;
    }
    return parse_static(text, options);
}

const char *bm_net_option_dns(const char *text, struct bm_net_options *options)
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
    memcpy(options->dns, servers, count * sizeof *servers);
    options->dns_count = count;
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
