// baremetal::frame_cache: single frames on many cores; nothing is lost, any core gets the last one.
// SPDX-License-Identifier: MIT
// @link frame_cache
// @machines q35
// @cpus max
// @memory 64
// @run one core
// @expect ^1 cores$
// @run two cores
// @smp 2
// @expect ^2 cores$
// @run four cores
// @smp 4
// @expect ^4 cores$
// @run many cores
// @smp 64
// @memory 256
// @expect ^64 cores$

#include <baremetal/memory.h>
#include <baremetal/work.h>
#include <stdint.h>

#include "check.h"

enum { CORES_MAX = 255, SLOTS = 60, SHARED = 64, ROUNDS = 200000 };

struct frame {
    struct frame *next;
    uint64_t mark, rest[509], last;
};
_Static_assert(sizeof(struct frame) == BM_PAGE_SIZE, "a frame");

static struct frame *_Atomic shared[SHARED];

static struct frame *take(uint64_t mark)
{
    struct frame *frame = bm_frame_allocate(0);
    CHECK(frame != NULL);
    frame->mark = frame->last = mark;
    return frame;
}

static void give(struct frame *frame)
{
    if (frame == NULL)
        return;
    CHECK(frame->mark == frame->last && frame->mark != 0);
    frame->mark = 0;
    bm_frame_free(frame, 0);
}

// Frames come and go on each core; many are given back on another one.
static void torture(void *arg)
{
    uint64_t state = (uintptr_t)arg + 1;
    struct frame *slots[SLOTS] = {NULL};
    for (unsigned i = 0; i < ROUNDS / bm_core_count(); i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        struct frame **slot = &slots[(state >> 40) % SLOTS];
        if (state >> 62 == 0) {
            *slot = atomic_exchange(&shared[(state >> 48) % SHARED], *slot);
        } else {
            give(*slot);
            *slot = state >> 62 == 1 ? NULL : take(state | 1);
        }
        if (i % 1000 == 999)
            CHECK(bm_frame_allocate(BM_FRAME_ORDER_MAX) == NULL); // empties the caches of all
    }
    for (unsigned i = 0; i < SLOTS; i++)
        give(slots[i]);
}

static void on_all_cores(void (*function)(void *))
{
    static struct bm_work work[CORES_MAX];
    for (unsigned core = 0; core < bm_core_count(); core++) {
        bm_work_init(&work[core], function, (void *)(uintptr_t)core);
        bm_work_submit_on(core, &work[core]);
    }
    for (unsigned core = 0; core < bm_core_count(); core++)
        bm_work_wait(&work[core]);
}

static uint64_t free_bytes(void)
{
    return bm_memory_statistics_get().free;
}

// Every core has some in its cache; this one gets all of them.
static void check_end(void)
{
    struct frame *list = NULL, *frame;
    uint64_t wanted = free_bytes() / BM_PAGE_SIZE, count = 0;
    while ((frame = bm_frame_allocate(0)) != NULL) {
        frame->next = list;
        list = frame;
        count++;
    }
    CHECK(count == wanted);
    CHECK(bm_frame_allocate(4) == NULL);
    while (list != NULL) {
        frame = list;
        list = frame->next;
        bm_frame_free(frame, 0);
    }
    CHECK(free_bytes() / BM_PAGE_SIZE == wanted);
}

// The largest block that could be had before can be had again.
static unsigned largest(void)
{
    unsigned order = BM_FRAME_ORDER_MAX;
    void *block;
    while ((block = bm_frame_allocate(order)) == NULL)
        order--;
    bm_frame_free(block, order);
    return order;
}

int main(void)
{
    printf("%u cores\n", bm_core_count());
    uint64_t before = free_bytes();
    unsigned order = largest();
    on_all_cores(torture);
    for (unsigned i = 0; i < SHARED; i++)
        give(atomic_exchange(&shared[i], NULL));
    CHECK(free_bytes() == before);
    check_end();
    CHECK(largest() == order);
    on_all_cores(torture);
    return passed();
}
