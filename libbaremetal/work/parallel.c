// Loops over an index range on all cores.
// SPDX-License-Identifier: MIT
// @optimize balance
//
// The pieces are handed out by a counter, so that cores that are faster, or join late, take more of them.
// Each core that takes part first invites two others, so that many cores start within few steps.
#include <baremetal/assert.h>
#include <baremetal/lock.h>
#include <baremetal/panic.h>
#include <baremetal/switch.h>
#include <baremetal/work.h>

enum {
    PIECES_PER_CORE = 8, // with the automatic grain: enough to even out pieces of different length
    INVITATIONS = 2      // of each core that takes part
};

struct loop {
    _Atomic(size_t) next;   // piece to be taken
    _Atomic(size_t) joined; // cores that were invited
    size_t pieces, cores, begin, end, grain;
    void (*function)(size_t begin, size_t end, void *arg);
    void *arg;
};

static void run_pieces(struct loop *loop)
{
    size_t piece;
    while ((piece = atomic_fetch_add_explicit(&loop->next, 1, memory_order_relaxed)) < loop->pieces) {
        size_t begin = loop->begin + piece * loop->grain;
        size_t end = loop->end - begin > loop->grain ? begin + loop->grain : loop->end;
        loop->function(begin, end, loop->arg);
    }
}

// Whether there is use for another core.
static bool invites(struct loop *loop)
{
    return atomic_load_explicit(&loop->next, memory_order_relaxed) < loop->pieces &&
           atomic_load_explicit(&loop->joined, memory_order_relaxed) < loop->cores &&
           atomic_fetch_add_explicit(&loop->joined, 1, memory_order_relaxed) < loop->cores;
}

static void take_part(void *arg)
{
    struct loop *loop = arg;
    struct bm_work items[INVITATIONS];
    unsigned count = 0;
    for (; count < INVITATIONS && invites(loop); count++) {
        bm_work_init(&items[count], take_part, loop);
        bm_work_submit(&items[count]);
    }
    run_pieces(loop);
    while (count--)
        bm_work_wait(&items[count]);
}

void bm_parallel_for(size_t begin, size_t end, size_t grain,
                     void (*function)(size_t begin, size_t end, void *arg), void *arg)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT(function, "a loop needs a function");
    if (begin >= end)
        return;
    size_t count = end - begin, cores = bm_core_count();
    if (!grain)
        grain = count / (cores * PIECES_PER_CORE);
    if (!grain)
        grain = 1;
    size_t pieces = (count - 1) / grain + 1;
    struct loop loop = {.joined = 1,
                        .pieces = pieces,
                        .cores = cores < pieces ? cores : pieces,
                        .begin = begin,
                        .end = end,
                        .grain = grain,
                        .function = function,
                        .arg = arg};
    take_part(&loop);
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
    bm_switch_forbid(); // the program's function runs under the lock
    bm_spinlock_acquire(&reduction->lock);
    reduction->combine(reduction->result, part, reduction->arg);
    bm_spinlock_release(&reduction->lock);
    bm_switch_allow();
}

void bm_parallel_reduce(size_t begin, size_t end, size_t grain,
                        void (*function)(size_t begin, size_t end, void *part, void *arg),
                        void (*combine)(void *result, const void *part, void *arg), void *result,
                        const void *identity, size_t size, void *arg)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT(function && combine && result && identity,
              "a reduction needs both functions, result and identity");
    if (size > BM_REDUCE_MAX)
        bm_panic("bm_parallel_reduce: a result of %zu bytes, but at most %d fit", size, BM_REDUCE_MAX);
    struct reduction reduction = {function, combine, result, arg, identity, size, BM_SPINLOCK_INIT};
    bm_parallel_for(begin, end, grain, reduce_piece, &reduction);
}
