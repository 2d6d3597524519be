// Wait queues, futexes and the run queue of threads, with threads of the host as cores, under
// ThreadSanitizer.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/wait/waitqueue.c libbaremetal/thread/futex.c libbaremetal/thread/requeue.c
// @sources libbaremetal/work/work.c libbaremetal/work/queue.c libbaremetal/work/parallel.c
// @sources libbaremetal/wait/halt.c libbaremetal/wait/wait.c libbaremetal/wait/bound.c
// @sources tests/unit/work_host/machine.c
// @sanitize thread
#include "work_host/machine.h"

#include "../../libbaremetal/wait/runqueue.h"

#include <baremetal/error.h>
#include <baremetal/futex.h>
#include <baremetal/waitqueue.h>
#include <baremetal/work.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { CORES = 4 };

// The same item of work on every core at once.
static void on_all(void (*function)(void *arg), void *arg)
{
    struct bm_work work[CORES];
    for (unsigned core = 0; core < CORES; core++) {
        bm_work_init(&work[core], function, arg);
        bm_work_submit_on(core, &work[core]);
    }
    for (unsigned core = 0; core < CORES; core++)
        bm_work_wait(&work[core]);
}

// A token that goes around; what it carries is plain data.
enum { ROUNDS = 300 };
static struct ring {
    struct bm_waitqueue queue;
    atomic_bool token;
} ring[CORES];
static unsigned long carried;

static bool has_token(void *arg)
{
    return atomic_load(&((struct ring *)arg)->token);
}

static void pass_on(void *arg)
{
    unsigned core = bm_core_id();
    struct ring *mine = &ring[core], *next = &ring[(core + 1) % CORES];
    (void)arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        CHECK(bm_waitqueue_wait(&mine->queue, has_token, mine, UINT64_MAX));
        atomic_store(&mine->token, false);
        CHECK(carried % CORES == core);
        carried++;
        atomic_store(&next->token, true);
        bm_waitqueue_wake_one(&next->queue);
    }
}

static void tokens_are_never_lost(void **state)
{
    (void)state;
    atomic_store(&ring[0].token, true);
    on_all(pass_on, NULL);
    CHECK(carried == (unsigned long)ROUNDS * CORES);
}

// A few places that several want: each wake_one must reach one that can use it.
static struct {
    struct bm_waitqueue queue;
    atomic_int free;
} places = {.free = 2};

static bool is_free(void *arg)
{
    (void)arg;
    return atomic_load(&places.free) > 0;
}

static void take_and_give(void *arg)
{
    (void)arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int left;
        do {
            CHECK(bm_waitqueue_wait(&places.queue, is_free, NULL, UINT64_MAX));
            left = atomic_fetch_sub(&places.free, 1);
            if (left <= 0)
                atomic_fetch_add(&places.free, 1); // another one was faster, and has it still
        } while (left <= 0);
        atomic_fetch_add(&places.free, 1);
        bm_waitqueue_wake_all(&places.queue);
    }
}

static void places_are_never_lost(void **state)
{
    (void)state;
    on_all(take_and_give, NULL);
    CHECK(places.free == 2 && !places.queue.first && !places.queue.last);
}

// A mutex of a futex (Drepper, "Futexes are tricky", 2011).
static bm_futex mutex;
static unsigned long counter;

static void count(void *arg)
{
    (void)arg;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t unlocked = 0;
        if (!atomic_compare_exchange_strong(&mutex, &unlocked, 1))
            while (atomic_exchange(&mutex, 2))
                bm_futex_wait(&mutex, 2, BM_FUTEX_ALL, UINT64_MAX);
        counter++;
        if (round % 8 == 0)
            machine_relax();
        if (atomic_exchange(&mutex, 0) == 2)
            bm_futex_wake(&mutex, 1, BM_FUTEX_ALL);
    }
}

static void futex_excludes(void **state)
{
    (void)state;
    on_all(count, NULL);
    CHECK(counter == (unsigned long)ROUNDS * CORES);
}

// Waiters are moved from word to word, and each is woken once.
static bm_futex gates[2];
static atomic_uint through;

static void be_moved(void *arg)
{
    (void)arg;
    if (bm_core_id() != 0) {
        CHECK(bm_futex_wait(&gates[0], 0, BM_FUTEX_ALL, UINT64_MAX) == 0);
        atomic_fetch_add(&through, 1);
        return;
    }
    for (int moved = 0; moved < CORES - 1; machine_relax())
        moved += bm_futex_requeue(&gates[0], 0, CORES, &gates[1], &(uint32_t){0});
    CHECK(bm_futex_wake(&gates[0], CORES, BM_FUTEX_ALL) == 0 && atomic_load(&through) == 0);
    CHECK(bm_futex_wake(&gates[1], CORES, BM_FUTEX_ALL) == CORES - 1);
}

static void futex_moves(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 50; round++) {
        atomic_store(&through, 0);
        on_all(be_moved, NULL);
        CHECK(atomic_load(&through) == CORES - 1);
    }
}

// Fibers go from queue to queue; each is in one at a time, in one core's hands at a time, and none is lost.
enum { FIBERS = 40 };
static struct bm_runqueue queues[CORES];
static struct counted {
    struct bm_fiber fiber;
    unsigned runs; // plain: the queue hands it over
    atomic_bool held;
} fibers[FIBERS];
static atomic_uint runs;

// The fiber hands its core to the next in the queue, which lets go of the lock. Returns that one.
static struct bm_fiber *turn(struct bm_runqueue *queue, struct counted *counted)
{
    bm_spinlock_acquire(&queue->lock);
    struct bm_fiber *next = bm_runqueue_turn(queue, &counted->fiber);
    atomic_store(&counted->held, next ? false : true);
    bm_spinlock_release(&queue->lock);
    return next;
}

static void run_fibers(void *arg)
{
    unsigned core = bm_core_id();
    (void)arg;
    while (atomic_load(&runs) < FIBERS * ROUNDS) {
        struct bm_fiber *fiber = bm_runqueue_take(&queues[core]);
        if (!fiber)
            fiber = bm_runqueue_steal(&queues[(core + 1) % CORES]);
        if (!fiber) {
            machine_relax();
            continue;
        }
        for (unsigned turns = 0; fiber && turns < 8; turns++) {
            struct counted *counted = (struct counted *)fiber;
            CHECK(!atomic_exchange(&counted->held, true));
            CHECK(!fiber->pins || fiber->core == core);
            unsigned number = atomic_fetch_add(&runs, 1), ran = ++counted->runs;
            if (turns < 7 && bm_runqueue_turns(&queues[core], fiber) &&
                (fiber = turn(&queues[core], counted)))
                continue;
            fiber = NULL;
            atomic_store(&counted->held, false);
            bm_runqueue_add(&queues[counted->fiber.pins ? core : (ran + number) % CORES], &counted->fiber);
        }
    }
}

static void run_queue_loses_none(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FIBERS; i++) {
        fibers[i].fiber.pins = i % 4 == 0;
        fibers[i].fiber.core = i % CORES;
        bm_runqueue_add(&queues[i % CORES], &fibers[i].fiber);
    }
    on_all(run_fibers, NULL);
    unsigned found = 0;
    for (unsigned core = 0; core < CORES; core++)
        while (bm_runqueue_take(&queues[core]))
            found++;
    CHECK(found == FIBERS);
}

// Two that are pinned and never stop yielding leave a third one its turn.
static void pinned_take_turns(void **state)
{
    (void)state;
    static struct bm_runqueue queue;
    struct bm_fiber pinned[2] = {{.pins = 1}, {.pins = 1}}, shared = {0};
    bm_runqueue_add(&queue, &pinned[0]);
    bm_runqueue_add(&queue, &pinned[1]);
    bm_runqueue_add(&queue, &shared);
    unsigned turns[2] = {0};
    for (unsigned i = 0; i < 8; i++) {
        struct bm_fiber *fiber = bm_runqueue_take(&queue);
        turns[fiber == &shared]++;
        bm_runqueue_add(&queue, fiber);
    }
    CHECK(turns[0] == 4 && turns[1] == 4);
}

static void futex_refuses(void **state)
{
    (void)state;
    static bm_futex word = 1;
    CHECK(bm_futex_wait(&word, 0, BM_FUTEX_ALL, UINT64_MAX) == -BM_EAGAIN);
    CHECK(bm_futex_wait(&word, 1, 0, UINT64_MAX) == -BM_EINVAL);
    CHECK(bm_futex_wait(&word, 1, BM_FUTEX_ALL, 0) == -BM_ETIMEDOUT);
    CHECK(bm_futex_requeue(&word, 1, 1, &word, &(uint32_t){0}) == -BM_EAGAIN);
    CHECK(bm_futex_wake(&word, 1, BM_FUTEX_ALL) == 0);
}

int main(void)
{
    machine_start("test_waitqueue");
    machine_grow(CORES);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_never_lost), cmocka_unit_test(places_are_never_lost),
        cmocka_unit_test(futex_excludes),        cmocka_unit_test(futex_moves),
        cmocka_unit_test(run_queue_loses_none),  cmocka_unit_test(futex_refuses),
        cmocka_unit_test(pinned_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
