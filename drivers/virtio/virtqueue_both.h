// The inline functions of <baremetal/virtio.h> for queues of both kinds, under their names: included by the
// second copy of a driver's queue file, before anything else.
// SPDX-License-Identifier: MIT
#pragma once

#include "virtqueue_packed.h"

static inline void bm_virtqueue_both_chain_start(const struct bm_virtqueue *queue,
                                                 struct bm_virtqueue_chain *chain)
{
    if (queue->packed)
        bm_virtqueue_packed_chain_start(queue, chain);
    else
        bm_virtqueue_chain_start(queue, chain);
}

static inline bool bm_virtqueue_both_chain_put(struct bm_virtqueue *queue, struct bm_virtqueue_chain *chain,
                                               uint64_t address, uint32_t length, uint16_t flags)
{
    return queue->packed ? bm_virtqueue_packed_chain_put(queue, chain, address, length, flags)
                         : bm_virtqueue_chain_put(queue, chain, address, length, flags);
}

static inline void bm_virtqueue_both_chain_add(struct bm_virtqueue *queue,
                                               const struct bm_virtqueue_chain *chain, void *cookie)
{
    if (queue->packed)
        bm_virtqueue_packed_chain_add(queue, chain, cookie);
    else
        bm_virtqueue_chain_add(queue, chain, cookie);
}

static inline bool bm_virtqueue_both_ready(const struct bm_virtqueue *queue)
{
    return queue->packed ? bm_virtqueue_packed_ready(queue) : bm_virtqueue_ready(queue);
}

#define bm_virtqueue_chain_start bm_virtqueue_both_chain_start
#define bm_virtqueue_chain_put   bm_virtqueue_both_chain_put
#define bm_virtqueue_chain_add   bm_virtqueue_both_chain_add
#define bm_virtqueue_ready       bm_virtqueue_both_ready
