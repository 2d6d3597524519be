// A core's share of TCP: its table of connections, its memory, its secrets.
// SPDX-License-Identifier: MIT
#include "table.h"

#include "../siphash.h"

#include <string.h>

size_t bm_tcp_shard_size(void)
{
    return sizeof(struct bm_tcp_shard);
}

const struct bm_tcp_counters *bm_tcp_shard_counters(const struct bm_tcp_shard *shard)
{
    return &shard->counters;
}

size_t bm_tcp_shard_memory(const struct bm_tcp_shard *shard)
{
    return shard->memory;
}

unsigned bm_tcp_shard_connections(const struct bm_tcp_shard *shard)
{
    return shard->connections + shard->waiting;
}

static bool is_unfinished(const struct bm_tcp_node *node)
{
    const struct bm_tcp_connection *c = (const struct bm_tcp_connection *)node;
    return node->kind == BM_TCP_KIND_CONNECTION && c->state >= BM_TCP_ESTABLISHED &&
           (tcp_before(c->una, c->data_end) || (c->fin_queued && c->state != BM_TCP_FIN_WAIT_2));
}

unsigned bm_tcp_shard_unfinished(const struct bm_tcp_shard *shard)
{
    unsigned count = 0;
    for (size_t i = 0; i < shard->bucket_count; i++)
        for (const struct bm_tcp_node *node = shard->buckets[i]; node; node = node->next)
            count += is_unfinished(node);
    return count;
}

bool bm_tcp_ends_free(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    return !bm_tcp_find(shard, tuple);
}

bool bm_tcp_port_used(const struct bm_tcp_shard *shard, const uint8_t local[16], uint16_t port, bool waiting)
{
    static const uint8_t any[16];
    bool anywhere = memcmp(local, any, sizeof any) == 0;
    for (size_t i = 0; i < shard->bucket_count; i++)
        for (const struct bm_tcp_node *node = shard->buckets[i]; node; node = node->next)
            if (node->tuple.local_port == port && (waiting || node->kind != BM_TCP_KIND_WAIT) &&
                (anywhere || memcmp(node->tuple.local, local, sizeof any) == 0))
                return true;
    return false;
}

void bm_tcp_enter(struct bm_tcp_shard *shard)
{
    tcp_enter(shard);
}

void *bm_tcp_allocate(struct bm_tcp_shard *shard, size_t size)
{
    if (shard->memory + size > shard->limits.memory)
        return NULL;
    shard->memory += size;
    if (size == sizeof(struct bm_tcp_sent) && shard->spare)
        return tcp_spare_take(shard);
    void *memory = shard->operations->allocate(shard->context, size);
    if (!memory)
        shard->memory -= size;
    return memory;
}

void bm_tcp_free(struct bm_tcp_shard *shard, void *memory, size_t size)
{
    if (!memory)
        return;
    shard->memory -= size;
    if (size == sizeof(struct bm_tcp_sent) && tcp_spare_give(shard, memory))
        return;
    shard->operations->release(shard->context, memory, size);
}

bool bm_tcp_memory_ample(const struct bm_tcp_shard *shard)
{
    return shard->memory < shard->limits.memory / 4 * 3;
}

static struct bm_tcp_node **bucket_of(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    return tcp_bucket(shard, tuple);
}

struct bm_tcp_node *bm_tcp_find(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    return tcp_find(shard, tuple);
}

// Twice the buckets when there is one connection each. Without memory the lists grow longer instead.
static void grow(struct bm_tcp_shard *shard)
{
    size_t old_count = shard->bucket_count, size = 2 * old_count * sizeof(struct bm_tcp_node *);
    struct bm_tcp_node **old = shard->buckets, **buckets = bm_tcp_allocate(shard, size);
    if (!buckets)
        return;
    memset(buckets, 0, size);
    shard->buckets = buckets;
    shard->bucket_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++)
        for (struct bm_tcp_node *node = old[i], *next; node; node = next) {
            next = node->next;
            struct bm_tcp_node **bucket = bucket_of(shard, &node->tuple);
            node->next = *bucket;
            *bucket = node;
        }
    bm_tcp_free(shard, old, old_count * sizeof(struct bm_tcp_node *));
}

void bm_tcp_insert(struct bm_tcp_shard *shard, struct bm_tcp_node *node, enum bm_tcp_kind kind)
{
    if (shard->count >= shard->bucket_count)
        grow(shard);
    struct bm_tcp_node **bucket = bucket_of(shard, &node->tuple);
    node->kind = (uint8_t)kind;
    node->next = *bucket;
    *bucket = node;
    shard->count++;
}

void bm_tcp_remove(struct bm_tcp_shard *shard, struct bm_tcp_node *node)
{
    struct bm_tcp_node **at = bucket_of(shard, &node->tuple);
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    shard->count--;
    bm_tcp_wheel_clear(&shard->wheel, &node->timer);
}

// RFC 6528 section 3: a clock of 4 us, and a secret function of both ends. RFC 7323 section 7.1: each pair of
// ends has a clock of its own.
struct bm_tcp_numbers bm_tcp_numbers(const struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    uint64_t secret = bm_net_siphash(shard->number_key, tuple, sizeof *tuple);
    return (struct bm_tcp_numbers){.first = (uint32_t)(shard->now / 4) + (uint32_t)secret,
                                   .time_offset = (uint32_t)(secret >> 32)};
}

uint16_t bm_tcp_way_mss(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    uint16_t mss = bm_tcp_is_ip4(tuple) ? 1460 : 1440;
    if (shard->operations->mss)
        mss = shard->operations->mss(shard->context, tuple);
    return (uint16_t)tcp_max(MSS_FLOOR, tcp_min(mss, MSS_CEILING));
}

static void fill_limits(struct bm_tcp_limits *limits, const struct bm_tcp_limits *given)
{
    const struct bm_tcp_limits usual = {.memory = 64 << 20,
                                        .send_max = 4 << 20,
                                        .receive_max = 4 << 20,
                                        .send_first = SEND_FIRST,
                                        .receive_first = RECEIVE_FIRST,
                                        .half_open_max = 1024,
                                        .time_wait_max = 4096,
                                        .orphans_max = 1024,
                                        .time_wait_ms = 60000,
                                        .buckets = 256};
    *limits = given ? *given : usual;
    if (!limits->memory)
        limits->memory = usual.memory;
    uint32_t *values[] = {&limits->send_max,      &limits->receive_max,   &limits->send_first,
                          &limits->receive_first, &limits->half_open_max, &limits->time_wait_max,
                          &limits->orphans_max,   &limits->time_wait_ms,  &limits->buckets};
    const uint32_t defaults[] = {usual.send_max,      usual.receive_max,   usual.send_first,
                                 usual.receive_first, usual.half_open_max, usual.time_wait_max,
                                 usual.orphans_max,   usual.time_wait_ms,  usual.buckets};
    for (unsigned i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (!*values[i])
            *values[i] = defaults[i];
    // RFC 7323 section 2.3: a window is less than 2^30.
    limits->send_max = tcp_min(limits->send_max, 1 << 29);
    limits->receive_max = tcp_min(limits->receive_max, 1 << 29);
}

static void draw(struct bm_tcp_shard *shard, uint64_t *key, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        key[i] = (uint64_t)shard->operations->random(shard->context) << 32;
        key[i] |= shard->operations->random(shard->context);
    }
}

bool bm_tcp_shard_start(struct bm_tcp_shard *shard, const struct bm_tcp_operations *operations, void *context,
                        const struct bm_tcp_limits *limits)
{
    memset(shard, 0, sizeof *shard);
    shard->operations = operations;
    shard->context = context;
    fill_limits(&shard->limits, limits);
    shard->ms = 1;
    bm_tcp_enter(shard);
    shard->challenges_second = UINT32_MAX; // none has begun: the clock may stand at 0
    bm_tcp_wheel_start(&shard->wheel, shard->ms);
    draw(shard, shard->hash_key, 6);
    draw(shard, shard->number_key, 2);
    draw(shard, shard->cookie_key, 2);
    shard->bucket_count = 1;
    while (shard->bucket_count < shard->limits.buckets && shard->bucket_count < 1u << 20)
        shard->bucket_count *= 2;
    size_t size = shard->bucket_count * sizeof(struct bm_tcp_node *);
    shard->buckets = bm_tcp_allocate(shard, size);
    if (shard->buckets)
        memset(shard->buckets, 0, size);
    return shard->buckets;
}

void bm_tcp_shard_stop(struct bm_tcp_shard *shard)
{
    bm_tcp_connection_free_all(shard);
    bm_tcp_free(shard, shard->buckets, shard->bucket_count * sizeof(struct bm_tcp_node *));
    shard->buckets = NULL;
    shard->limits.spares = 0;
    for (struct bm_tcp_sent *spare = shard->spare, *next; spare; spare = next) {
        next = spare->next;
        shard->operations->release(shard->context, spare, sizeof *spare);
    }
}
