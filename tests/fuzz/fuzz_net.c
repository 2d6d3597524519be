// Fuzzer of what the network reads from the command line, from programs, and from frames before lwIP does.
// SPDX-License-Identifier: MIT
// @sources net/option.c net/address.c net/checksum.c
// @max_len 256
#include "../../net/checksum.h"
#include "../../net/option.h"

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
    struct bm_net_options parsed = {0};
    if (!bm_net_option_ip(text, &parsed) && parsed.mode == BM_NET_STATIC &&
        (!parsed.address || !parsed.netmask))
        abort();
    if (!bm_net_option_dns(text, &parsed) && (parsed.dns_count == 0 || parsed.dns_count > BM_NET_DNS_MAX))
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
    return 0;
}
