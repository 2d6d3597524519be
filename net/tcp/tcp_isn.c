// Initial sequence numbers of TCP after RFC 6528: a clock plus a keyed hash of addresses and ports.
// SPDX-License-Identifier: MIT
#include "siphash.h"
#include "tcp.h"

#include <baremetal/random.h>
#include <baremetal/time.h>
#include <string.h>

#include "arch/bm_hooks.h"
#include "lwip/ip_addr.h"

enum { CLOCK_TICK = 4000, TRIM_EVERY = 16 }; // RFC 6528 section 3: a tick each 4 microseconds

static uint64_t isn_key[2];

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
