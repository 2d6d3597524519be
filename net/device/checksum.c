// Checksum offload: the device sums from the TCP header on; the pseudo header is added here.
// SPDX-License-Identifier: MIT
#include "checksum.h"

#include <stdbool.h>
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

static uint64_t add(uint64_t sum, uint64_t word)
{
    bool carry = __builtin_add_overflow(sum, word, &sum);
    return sum + carry;
}

// One's complement sum of bytes as they lie in memory; the result has the network's byte order when stored as
// it is.
static uint64_t sum_bytes(const unsigned char *bytes, unsigned length)
{
    uint64_t sum = 0, word;
    for (; length >= 8; bytes += 8, length -= 8) {
        memcpy(&word, bytes, 8);
        sum = add(sum, word);
    }
    if (length & 4) {
        uint32_t half;
        memcpy(&half, bytes, 4);
        sum = add(sum, half);
        bytes += 4;
    }
    if (length & 2) {
        uint16_t quarter;
        memcpy(&quarter, bytes, 2);
        sum = add(sum, quarter);
        bytes += 2;
    }
    return length & 1 ? add(sum, *bytes) : sum;
}

static uint16_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

uint16_t bm_net_checksum_sum(const void *data, int length)
{
    return fold(sum_bytes(data, (unsigned)length));
}

static void finish(unsigned char *frame, unsigned length, unsigned transport, unsigned transport_length,
                   uint64_t addresses, uint16_t *start, uint16_t *offset)
{
    if (length < transport + TCP_HEADER || transport_length < TCP_HEADER)
        return;
    uint64_t sum = add(addresses, (uint64_t)__builtin_bswap16((uint16_t)transport_length) +
                                      __builtin_bswap16(PROTOCOL_TCP));
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
            finish(frame, length, ETHERNET_HEADER + header, get16(ip + 2) - header, sum_bytes(ip + 12, 8),
                   start, offset);
    } else if (type == TYPE_IP6 && length >= ETHERNET_HEADER + IP6_HEADER && ip[6] == PROTOCOL_TCP) {
        finish(frame, length, ETHERNET_HEADER + IP6_HEADER, get16(ip + 4), sum_bytes(ip + 8, 32), start,
               offset);
    }
}
