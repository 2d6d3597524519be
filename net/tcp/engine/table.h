// The table of a shard: the node of two ends.
// SPDX-License-Identifier: MIT
#pragma once

#include "connection.h"

static inline uint64_t tcp_fold(uint64_t one, uint64_t other)
{
    unsigned __int128 product = (unsigned __int128)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// For each segment, and its result is shown to nobody: products with secret numbers, both halves, keep who
// does not know them from choosing ends that fall together.
static inline struct bm_tcp_node **tcp_bucket(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    const uint64_t *key = shard->hash_key;
    uint64_t local[2], remote[2], ends = (uint64_t)tuple->zone << 32 | (uint32_t)tuple->local_port << 16;
    memcpy(local, tuple->local, sizeof local);
    memcpy(remote, tuple->remote, sizeof remote);
    uint64_t sum = tcp_fold(local[0] ^ key[0], local[1] ^ key[1]);
    sum += tcp_fold(remote[0] ^ key[2], remote[1] ^ key[3]);
    sum = tcp_fold(sum ^ key[4], (ends | tuple->remote_port) ^ key[5]);
    return &shard->buckets[sum & (shard->bucket_count - 1)];
}

// By words, five of which hold both ends: a comparison of bytes would be half of the search.
_Static_assert(sizeof(struct bm_tcp_tuple) == 38, "the last word overlaps the one before");
static inline bool tcp_are_same(const struct bm_tcp_tuple *one, const struct bm_tcp_tuple *other)
{
    uint64_t differ = 0;
#pragma GCC unroll 5
    for (size_t i = 0; i < 5; i++) {
        size_t at = i < 4 ? 8 * i : sizeof *one - 8;
        uint64_t left, right;
        memcpy(&left, (const uint8_t *)one + at, 8);
        memcpy(&right, (const uint8_t *)other + at, 8);
        differ |= left ^ right;
    }
    return !differ;
}

static inline struct bm_tcp_node *tcp_find(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple)
{
    struct bm_tcp_node *node = *tcp_bucket(shard, tuple);
    while (node && !tcp_are_same(&node->tuple, tuple))
        node = node->next;
    return node;
}
