// The engine's one shard: its clock, memory, random numbers, bounds and timers.
// SPDX-License-Identifier: MIT
#include "own.h"

#include "../../lwip/memory.h"
#include "../../lwip/timer.h"
#include "../tcp.h"

#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/random.h>
#include <baremetal/time.h>

#include "arch/bm_assert.h"
#include "lwip/ip.h"
#include "lwip/tcp.h"

enum {
    MEMORY_PART = 2,      // of the memory that the machine has: one of so many parts, at most
    HALF_OPEN_PART = 16,  // … for handshakes
    HALF_OPEN_COST = 128, // bytes each
    HALF_OPEN_MIN = 512,
    HALF_OPEN_MAX = 16384,
    ORPHAN_COST = 1 << 20, // bytes of memory for which there is one connection that its program has closed
    ORPHANS_MIN = 64,
    SPARES = 32,
    MICROSECOND = 1000, // in nanoseconds
    MILLISECOND = 1000  // in microseconds
};

struct bm_tcp_shard *own_shard;

static uint64_t now(void *context)
{
    (void)context;
    return bm_time_monotonic() / MICROSECOND;
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    return bm_net_allocate(size);
}

static void release(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    bm_net_free(memory);
}

static void packet_hold(void *context, void *owner)
{
    (void)context;
    pbuf_ref(owner);
}

static void packet_release(void *context, void *owner)
{
    (void)context;
    pbuf_free(owner);
}

static uint32_t draw(void *context)
{
    (void)context;
    return (uint32_t)bm_random_u64();
}

static uint16_t way_mss(void *context, const struct bm_tcp_tuple *tuple)
{
    (void)context;
    ip_addr_t local, remote;
    own_address_get(&local, tuple->local, tuple->zone);
    own_address_get(&remote, tuple->remote, tuple->zone);
    return own_mss(ip_route(&local, &remote), &remote);
}

static void timer_run(void *arg);

static struct bm_net_timer timer = {.handler = timer_run};
bool own_timer_runs;
uint32_t own_timer_at;

void own_timer_set(void)
{
    uint64_t due = bm_tcp_timers_due(own_shard) / MILLISECOND, present = bm_net_now();
    own_timer_runs = true;
    own_timer_at = own_shard->wheel.soonest;
    bm_net_timer_start(&timer, due > present ? due - present : 0);
}

static void timer_run(void *arg)
{
    (void)arg;
    own_timer_runs = false;
    bm_tcp_timers_run(own_shard);
    own_done();
}

// The engine draws its keys when it starts.
void bm_net_tcp_isn_start(void)
{
}

void bm_net_tcp_lookup_start(void)
{
    static const struct bm_tcp_operations operations = {.now = now,
                                                        .allocate = allocate,
                                                        .release = release,
                                                        .output = own_output,
                                                        .packet_hold = packet_hold,
                                                        .packet_release = packet_release,
                                                        .random = draw,
                                                        .mss = way_mss};
    uint64_t total = bm_memory_statistics_get().total, half_open = total / HALF_OPEN_PART / HALF_OPEN_COST;
    const struct bm_tcp_limits limits = {
        .memory = total / MEMORY_PART,
        .send_first = TCP_SND_BUF,
        .receive_first = TCP_WND,
        .half_open_max = (uint32_t)LWIP_MAX(HALF_OPEN_MIN, LWIP_MIN(half_open, HALF_OPEN_MAX)),
        .spares = SPARES,
        .orphans_max = (uint32_t)LWIP_MAX(ORPHANS_MIN, total / ORPHAN_COST)};
    own_shard = bm_net_allocate((bm_tcp_shard_size() + 63) & ~(size_t)63);
    if (!own_shard || !bm_tcp_shard_start(own_shard, &operations, NULL, &limits))
        bm_panic("net: no memory for TCP");
}

unsigned bm_net_tcp_unfinished(void)
{
    BM_NET_ASSERT_LOCKED();
    return bm_tcp_shard_unfinished(own_shard);
}
