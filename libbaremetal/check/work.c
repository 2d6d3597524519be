// Items that are with the work queue: where they are, what they were when they were handed in.
// SPDX-License-Identifier: MIT
//
// A small table by address. Where it has no room for an item, that item is not watched.
#include "../base/core.h"
#include "check.h"

#include <baremetal/cpu.h>
#include <baremetal/work.h>

enum { BUCKETS = 128, BUCKET_SIZE = 4, RUNNING_MAX = 16 };

struct record {
    const struct bm_work *work;
    void (*function)(void *arg);
    void *arg;
};

static struct record table[BUCKETS][BUCKET_SIZE];
static unsigned watched; // items in the table
static unsigned locked;

// Items that run on this core, each within the one before; those beyond the last place are not watched.
static struct {
    unsigned depth;
    const struct bm_work *items[RUNNING_MAX];
    const struct bm_work_group *groups[RUNNING_MAX];
} running[BM_CORES_MAX];

// Handlers submit, too.
static uint64_t table_lock(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    while (__atomic_exchange_n(&locked, 1, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    return flags;
}

static void table_unlock(uint64_t flags)
{
    __atomic_store_n(&locked, 0, __ATOMIC_RELEASE);
    __asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
}

// The record of an item, or a free one for NULL; NULL when there is none. Under the lock.
static struct record *find(const struct bm_work *place, const struct bm_work *work)
{
    struct record *bucket = table[((uintptr_t)place >> 4) * 0x9e3779b97f4a7c15ull >> 57];
    for (unsigned i = 0; i < BUCKET_SIZE; i++)
        if (bucket[i].work == work)
            return &bucket[i];
    return NULL;
}
_Static_assert(BUCKETS == 1 << 7, "find() takes seven bits");

static bool is_watched(const struct bm_work *work)
{
    uint64_t flags = table_lock();
    bool found = find(work, work) != NULL;
    table_unlock(flags);
    return found;
}

void bm_check_work_init(const struct bm_work *work, const void *caller)
{
    BM_ASSERT_OF("bm_work_init", work, "there is no item at NULL", caller);
    BM_ASSERT_OF("bm_work_init", !is_watched(work),
                 "an item that is submitted and not yet done must not be prepared anew", caller);
}

void bm_check_work_ready(const char *function, const struct bm_work *work, const void *caller)
{
    BM_ASSERT_OF(function, work && work->function, "an item must be prepared by bm_work_init", caller);
    BM_ASSERT_OF(function, !is_watched(work) && bm_work_done(work),
                 "an item that is submitted and not yet done must not be submitted again", caller);
}

void bm_check_work_submit(const struct bm_work *work)
{
    uint64_t flags = table_lock();
    struct record *record = find(work, NULL);
    if (record) {
        *record = (struct record){work, work->function, work->arg};
        watched++;
    }
    table_unlock(flags);
}

void bm_check_work_begin(const struct bm_work *work)
{
    uint64_t flags = table_lock();
    struct record *found = find(work, work), record = {work, work->function, work->arg};
    if (found)
        record = *found;
    table_unlock(flags);
    BM_ASSERT_OF("bm_work", record.function == work->function && record.arg == work->arg,
                 "an item must be kept as it is until it is done; the memory of this one has changed", NULL);
    unsigned core = bm_core_id(), depth = running[core].depth++;
    if (depth < RUNNING_MAX) {
        running[core].items[depth] = work;
        running[core].groups[depth] = work->group;
    }
}

void bm_check_work_end(const struct bm_work *work)
{
    running[bm_core_id()].depth--;
    uint64_t flags = table_lock();
    struct record *record = find(work, work);
    if (record) {
        record->work = NULL;
        watched--;
    }
    table_unlock(flags);
}

bool bm_check_work_runs(const struct bm_work *work)
{
    unsigned core = bm_core_id();
    if (bm_core_self()->fiber) // what runs here may be on another thread's stack
        return false;
    for (unsigned i = 0; i < running[core].depth && i < RUNNING_MAX; i++)
        if (running[core].items[i] == work)
            return true;
    return false;
}

bool bm_check_group_runs(const struct bm_work_group *group)
{
    unsigned core = bm_core_id();
    if (bm_core_self()->fiber)
        return false;
    for (unsigned i = 0; i < running[core].depth && i < RUNNING_MAX; i++)
        if (running[core].groups[i] == group)
            return true;
    return false;
}

bool bm_check_work_within(const void *begin, size_t size)
{
    bool found = false;
    if (!__atomic_load_n(&watched, __ATOMIC_RELAXED))
        return false;
    uint64_t flags = table_lock();
    for (unsigned i = 0; i < BUCKETS * BUCKET_SIZE && !found; i++) {
        const struct bm_work *work = table[i / BUCKET_SIZE][i % BUCKET_SIZE].work;
        found = work && (uintptr_t)work - (uintptr_t)begin < size;
    }
    table_unlock(flags);
    return found;
}
