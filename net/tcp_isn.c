// Initial sequence numbers of TCP after RFC 6528: a clock plus a keyed hash of addresses and ports.
// SPDX-License-Identifier: MIT
#include "net.h"

#include <baremetal/random.h>
#include <baremetal/time.h>
#include <string.h>

#include "arch/bm_hooks.h"
#include "lwip/ip_addr.h"

enum { CLOCK_TICK = 4000, TRIM_EVERY = 16 }; // RFC 6528 section 3: a tick each 4 microseconds

static uint64_t isn_key[2];

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void siphash_rounds(uint64_t v[4], unsigned count)
{
    while (count--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

// SipHash-2-4 (Aumasson and Bernstein, 2012).
uint64_t bm_net_siphash(const uint64_t key[2], const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573};
    uint64_t last = (uint64_t)size << 56;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        v[3] ^= word;
        siphash_rounds(v, 2);
        v[0] ^= word;
    }
    for (size_t i = 0; i < size; i++)
        last |= (uint64_t)bytes[i] << (8 * i);
    v[3] ^= last;
    siphash_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    siphash_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void bm_net_tcp_isn_start(void)
{
    bm_random_fill(isn_key, sizeof isn_key);
}

u32_t bm_net_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port)
{
    struct {
        u32_t local[4], remote[4];
        u16_t ports[2];
        u32_t version;
    } tuple;
    memset(&tuple, 0, sizeof tuple);
    if (IP_IS_V6(local)) {
        memcpy(tuple.local, ip_2_ip6(local)->addr, sizeof tuple.local);
        memcpy(tuple.remote, ip_2_ip6(remote)->addr, sizeof tuple.remote);
        tuple.version = 6;
    } else {
        tuple.local[0] = ip4_addr_get_u32(ip_2_ip4(local));
        tuple.remote[0] = ip4_addr_get_u32(ip_2_ip4(remote));
        tuple.version = 4;
    }
    tuple.ports[0] = local_port;
    tuple.ports[1] = remote_port;

    static unsigned connections;
    if (++connections % TRIM_EVERY == 0)
        bm_net_time_wait_trim();
    return (u32_t)bm_net_siphash(isn_key, &tuple, sizeof tuple) + (u32_t)(bm_time_monotonic() / CLOCK_TICK);
}
