// Queues of devices: the core that each is bound to, frames that a driver is given, requests that are with
// it.
// SPDX-License-Identifier: MIT
//
// The requests are in a small table by address. Where it has no room for one, that one is not watched.
#include "queue.h"

#include <baremetal/cpu.h>

#include <stdatomic.h>

enum { BUCKETS = 64, BUCKET_SIZE = 8 };

static const struct bm_block_request *table[BUCKETS][BUCKET_SIZE];
static bool is_full; // was, once: from then on nobody can say that a request is not there
static unsigned locked;

bool bm_check_queue_mine(const struct bm_poller *poller)
{
    unsigned bound = atomic_load_explicit(&poller->core, memory_order_relaxed);
    return !bound || bound - 1 == bm_core_id();
}

// --- Network ---

static int netqueue_send(struct bm_netqueue *queue, const struct bm_netdev_frame *frame)
{
    static const char name[] = "bm_netdev_ops.send";
    const void *caller = __builtin_return_address(0);
    BM_ASSERT_OF(name, !bm_check_in_handler(), "it must not be called in an interrupt handler", caller);
    BM_ASSERT_OF(name, bm_check_queue_mine(&queue->poller), BM_CHECK_QUEUE_RULE, caller);
    BM_ASSERT_OF(name, queue->stack, "a queue must be taken by a stack before anything is sent by it",
                 caller);
    BM_ASSERT_OF(name, frame->segment_count >= 1 && frame->segment_count <= BM_NETDEV_SEGMENTS_MAX,
                 "a frame has from 1 to BM_NETDEV_SEGMENTS_MAX segments", caller);
    BM_ASSERT_OF(name, frame->cookie, "the cookie of a frame must not be NULL", caller);
    return queue->device->ops->send(queue, frame);
}

static void netqueue_flush(struct bm_netqueue *queue)
{
    static const char name[] = "bm_netdev_ops.flush";
    const void *caller = __builtin_return_address(0);
    BM_ASSERT_OF(name, !bm_check_in_handler(), "it must not be called in an interrupt handler", caller);
    BM_ASSERT_OF(name, bm_check_queue_mine(&queue->poller), BM_CHECK_QUEUE_RULE, caller);
    queue->device->ops->flush(queue);
}

static int netqueue_aim(struct bm_netqueue *queue, unsigned core)
{
    return queue->device->ops->aim(queue, core);
}

const struct bm_netdev_ops *bm_check_netqueue_ops(const struct bm_netdev_ops *ops)
{
    static const struct bm_netdev_ops still = {.send = netqueue_send, .flush = netqueue_flush};
    static const struct bm_netdev_ops aimed = {
        .send = netqueue_send, .flush = netqueue_flush, .aim = netqueue_aim};
    return ops->aim ? &aimed : &still;
}

// --- Block ---

// Puts `now` into the place of `before` in the request's bucket. Returns whether there was one.
static bool replace(const struct bm_block_request *request, const struct bm_block_request *before,
                    const struct bm_block_request *now)
{
    const struct bm_block_request **bucket = table[((uintptr_t)request >> 4) * 0x9e3779b97f4a7c15ull >> 58];
    for (unsigned i = 0; i < BUCKET_SIZE; i++)
        if (bucket[i] == before) {
            bucket[i] = now;
            return true;
        }
    return false;
}
_Static_assert(BUCKETS == 1 << 6, "replace() takes six bits");

static void table_lock(void)
{
    while (__atomic_exchange_n(&locked, 1, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
}

static void table_unlock(void)
{
    __atomic_store_n(&locked, 0, __ATOMIC_RELEASE);
}

void bm_check_request_submit(const struct bm_block_request *request, const void *caller)
{
    table_lock();
    bool there = replace(request, request, request);
    if (!there && !replace(request, NULL, request))
        is_full = true;
    table_unlock();
    BM_ASSERT_OF("bm_block_submit", !there, "a request must not be submitted again before it is done",
                 caller);
}

void bm_check_request_refused(const struct bm_block_request *request)
{
    table_lock();
    replace(request, request, NULL);
    table_unlock();
}

void bm_check_request_done(const struct bm_block_request *request, const void *caller)
{
    table_lock();
    bool there = replace(request, request, NULL) || is_full;
    table_unlock();
    BM_ASSERT_OF("bm_block_done", there, "a request must be done once, and after it was submitted", caller);
}
