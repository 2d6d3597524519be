// Loops over an index range on all cores.
// SPDX-License-Identifier: MIT
//
// The pieces are handed out by a counter, so that cores that are faster, or join late, take more of them. One
// helper item a core is enough: each takes pieces until none are left.
#include <baremetal/lock.h>
#include <baremetal/panic.h>
#include <baremetal/work.h>

#include "idle.h"

enum {
    PIECES_PER_CORE = 8, // with the automatic grain: enough to even out pieces of different length
    HELPERS_MAX = 64     // items on the caller's stack; more cores than that join by what the helpers leave
};

struct loop {
    _Atomic(size_t) next;
    size_t end, grain;
    void (*function)(size_t begin, size_t end, void *arg);
    void *arg;
};

static void run_pieces(void *arg)
{
    struct loop *loop = arg;
    for (;;) {
        size_t begin = atomic_load_explicit(&loop->next, memory_order_relaxed), end;
        do {
            if (begin >= loop->end)
                return;
            end = loop->end - begin > loop->grain ? begin + loop->grain : loop->end;
        } while (!atomic_compare_exchange_weak_explicit(&loop->next, &begin, end, memory_order_relaxed,
                                                        memory_order_relaxed));
        loop->function(begin, end, loop->arg);
    }
}

void bm_parallel_for(size_t begin, size_t end, size_t grain,
                     void (*function)(size_t begin, size_t end, void *arg), void *arg)
{
    if (begin >= end)
        return;
    size_t count = end - begin, cores = bm_core_count();
    if (!grain)
        grain = count / (cores * PIECES_PER_CORE);
    if (!grain)
        grain = 1;
    struct loop loop = {begin, end, grain, function, arg};
    size_t pieces = (count - 1) / grain + 1;
    size_t helpers = (cores < pieces ? cores : pieces) - 1;
    if (helpers > HELPERS_MAX)
        helpers = HELPERS_MAX;
    struct bm_work items[HELPERS_MAX];
    struct bm_work_group group;
    bm_work_group_init(&group);
    for (size_t i = 0; i < helpers; i++) {
        bm_work_init(&items[i], run_pieces, &loop);
        bm_work_group_add(&group, &items[i]);
    }
    run_pieces(&loop);
    bm_work_group_wait(&group);
}

struct reduction {
    void (*function)(size_t begin, size_t end, void *part, void *arg);
    void (*combine)(void *result, const void *part, void *arg);
    void *result, *arg;
    const void *identity;
    size_t size;
    struct bm_spinlock lock; // of *result
};

static void reduce_piece(size_t begin, size_t end, void *arg)
{
    struct reduction *reduction = arg;
    _Alignas(16) unsigned char part[BM_REDUCE_MAX];
    __builtin_memcpy(part, reduction->identity, reduction->size);
    reduction->function(begin, end, part, reduction->arg);
    bm_spinlock_acquire(&reduction->lock);
    reduction->combine(reduction->result, part, reduction->arg);
    bm_spinlock_release(&reduction->lock);
}

void bm_parallel_reduce(size_t begin, size_t end, size_t grain,
                        void (*function)(size_t begin, size_t end, void *part, void *arg),
                        void (*combine)(void *result, const void *part, void *arg), void *result,
                        const void *identity, size_t size, void *arg)
{
    if (size > BM_REDUCE_MAX)
        bm_panic("bm_parallel_reduce: a result of %zu bytes, but at most %d fit", size, BM_REDUCE_MAX);
    struct reduction reduction = {function, combine, result, arg, identity, size, BM_SPINLOCK_INIT};
    bm_parallel_for(begin, end, grain, reduce_piece, &reduction);
}
