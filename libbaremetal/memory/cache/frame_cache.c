// Caches of single frames, one for each core, in front of the frame allocator: baremetal::frame_cache.
// SPDX-License-Identifier: MIT
//
// For programs that take and give back single frames on many cores; others do without, so it is linked by
// name: the linker leads the calls of the functions below here (its option --wrap). A core's cache has a
// lock, which only that core takes until memory ends; then whoever needs memory empties all caches first.
#include "../../base/stack.h"
#include "../../check/check.h"
#include "../frame.h"

#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>

#include <stddef.h>

#pragma weak bm_frame_short // only in programs with a balloon

enum { BATCH_ORDER = 4, BATCH = 1 << BATCH_ORDER, KEPT = 2 * BATCH };

static struct cache {
    struct bm_spinlock lock;
    unsigned count;
    void **top; // a free frame's first word leads to the next one
} __attribute__((aligned(64))) caches[BM_CORES_MAX];

void *__real_bm_frame_allocate_below(unsigned order, unsigned bits);
void __real_bm_frame_free(void *block, unsigned order);
uint64_t __real_bm_frame_free_bytes(void);
void *__wrap_bm_frame_allocate(unsigned order);
void *__wrap_bm_frame_allocate_below(unsigned order, unsigned bits);
void __wrap_bm_frame_free(void *block, unsigned order);
uint64_t __wrap_bm_frame_free_bytes(void);

static void push(struct cache *cache, void **frame)
{
    *frame = cache->top;
    cache->top = frame;
    cache->count++;
}

static void **pop(struct cache *cache)
{
    void **frame = cache->top;
    if (frame) {
        cache->top = *frame;
        cache->count--;
    }
    return frame;
}

// Gives all frames of all caches back; returns whether there were any.
static bool drain(void)
{
    bool any = false;
    for (unsigned i = 0; i < BM_CORES_MAX; i++) {
        bm_spinlock_acquire_inline(&caches[i].lock);
        void **list = caches[i].top;
        caches[i].top = NULL;
        caches[i].count = 0;
        bm_spinlock_release(&caches[i].lock);
        any |= list != NULL;
        bm_frame_free_list(list);
    }
    return any;
}

void *__wrap_bm_frame_allocate_below(unsigned order, unsigned bits)
{
    void *block = __real_bm_frame_allocate_below(order, bits);
    if (!block && order <= BM_FRAME_ORDER_MAX && drain())
        block = __real_bm_frame_allocate_below(order, bits);
    if (!block && order <= BM_FRAME_ORDER_MAX && bm_frame_short && bm_frame_short(BM_PAGE_SIZE << order))
        block = __real_bm_frame_allocate_below(order, bits);
    return block;
}

// A batch for the cache: one block, cut up. NULL: none that large is left.
static void **refill(struct cache *cache)
{
    char *block = __real_bm_frame_allocate_below(BATCH_ORDER, 64);
    if (BM_CHECKED && block)
        bm_check_frame_split(block, BATCH_ORDER);
    for (unsigned i = 1; block && i < BATCH; i++)
        push(cache, (void **)(void *)(block + i * BM_PAGE_SIZE));
    return (void **)(void *)block;
}

void *__wrap_bm_frame_allocate(unsigned order)
{
    if (order > 0)
        return __wrap_bm_frame_allocate_below(order, 64);
    bm_stack_ready(BM_STACK_FILES); // the frames' lock is taken under this one
    struct cache *cache = &caches[bm_core_id()];
    bm_spinlock_acquire_inline(&cache->lock);
    void **frame = pop(cache);
    if (!frame)
        frame = refill(cache);
    BM_CHECK(bm_check_frame_reused(frame));
    bm_spinlock_release(&cache->lock);
    return frame ? frame : __wrap_bm_frame_allocate_below(0, 64);
}

void __wrap_bm_frame_free(void *block, unsigned order)
{
    if (!block || order > 0) {
        __real_bm_frame_free(block, order);
        return;
    }
    struct cache *cache = &caches[bm_core_id()];
    void **list = NULL;
    BM_ASSERT_NO_HANDLER();
    bm_stack_ready(BM_STACK_LOCK);
    bm_spinlock_acquire_inline(&cache->lock);
    BM_CHECK(bm_check_frame_kept(block, __builtin_return_address(0)));
    push(cache, block);
    if (cache->count > KEPT) {
        for (unsigned i = 0; i < BATCH; i++) {
            void **frame = pop(cache);
            *frame = list;
            list = frame;
        }
    }
    bm_spinlock_release(&cache->lock);
    bm_frame_free_list(list);
}

uint64_t __wrap_bm_frame_free_bytes(void)
{
    uint64_t bytes = __real_bm_frame_free_bytes();
    for (unsigned i = 0; i < BM_CORES_MAX; i++) {
        bm_spinlock_acquire_inline(&caches[i].lock);
        bytes += caches[i].count * BM_PAGE_SIZE;
        bm_spinlock_release(&caches[i].lock);
    }
    return bytes;
}
