// Checksum offload: lwIP leaves TCP's checksum to the device, which sums from the TCP header on; the pseudo
// header is added here. SPDX-License-Identifier: MIT
#include "checksum.h"

#include <string.h>

enum {
    ETHERNET_HEADER = 14,
    TYPE_IP4 = 0x0800,
    TYPE_IP6 = 0x86dd,
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    PROTOCOL_TCP = 6,
    TCP_HEADER = 20,
    TCP_CHECKSUM = 16
};

static unsigned get16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

// One's complement sum of 32-bit words as they lie in memory; the result has the network's byte order when
// stored as it is.
static uint64_t sum_words(const unsigned char *bytes, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, bytes + 4 * i, 4);
        sum += word;
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

static void finish(unsigned char *frame, unsigned length, unsigned transport, unsigned transport_length,
                   uint64_t addresses, uint16_t *start, uint16_t *offset)
{
    if (length < transport + TCP_HEADER || transport_length < TCP_HEADER)
        return;
    uint64_t sum =
        addresses + __builtin_bswap16((uint16_t)transport_length) + __builtin_bswap16(PROTOCOL_TCP);
    uint16_t folded = fold(sum);
    memcpy(frame + transport + TCP_CHECKSUM, &folded, 2);
    *start = (uint16_t)transport;
    *offset = TCP_CHECKSUM;
}

void bm_net_checksum_prepare(unsigned char *frame, unsigned length, uint16_t *start, uint16_t *offset)
{
    if (length < ETHERNET_HEADER + IP4_HEADER)
        return;
    const unsigned char *ip = frame + ETHERNET_HEADER;
    unsigned type = get16(frame + 12);
    if (type == TYPE_IP4 && ip[9] == PROTOCOL_TCP && (get16(ip + 6) & 0x3fff) == 0) {
        unsigned header = (ip[0] & 15u) * 4;
        if (header >= IP4_HEADER && get16(ip + 2) > header)
            finish(frame, length, ETHERNET_HEADER + header, get16(ip + 2) - header, sum_words(ip + 12, 2),
                   start, offset);
    } else if (type == TYPE_IP6 && length >= ETHERNET_HEADER + IP6_HEADER && ip[6] == PROTOCOL_TCP) {
        finish(frame, length, ETHERNET_HEADER + IP6_HEADER, get16(ip + 4), sum_words(ip + 8, 8), start,
               offset);
    }
}
