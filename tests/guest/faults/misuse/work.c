// Rules of work.h.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/work.h>
#include <stdlib.h>

static void nothing(void *arg)
{
    (void)arg;
}

static struct bm_work item, second;
static struct bm_work_group group;

// @misuse submit_twice bm_work_submit: an item that is submitted and not yet done must not be submitted again
MISUSE(submit_twice)
{
    bm_work_init(&item, nothing, NULL);
    bm_work_submit(&item);
    bm_work_submit(&item);
}

// @misuse submit_on_twice bm_work_submit_on: an item that is submitted and not yet done must not be submitted
// again
MISUSE(submit_on_twice)
{
    bm_work_init(&item, nothing, NULL);
    bm_work_submit(&item);
    bm_work_submit_on(0, &item);
}

// @misuse add_twice bm_work_group_add: an item that is submitted and not yet done must not be submitted again
MISUSE(add_twice)
{
    bm_work_group_init(&group);
    bm_work_init(&item, nothing, NULL);
    bm_work_group_add(&group, &item);
    bm_work_group_add(&group, &item);
}

// @misuse resubmit bm_work_submit: an item that is submitted and not yet done must not be submitted again
MISUSE(resubmit)
{
    bm_work_submit(&item); // in the item's own function, so it is not done
}

static void call_resubmit(void *arg)
{
    (void)arg;
    resubmit();
}

MISUSE(submit_within)
{
    bm_work_init(&item, call_resubmit, NULL);
    bm_work_submit(&item);
    bm_work_wait(&item);
}

// @misuse prepare_queued bm_work_init: an item that is submitted and not yet done must not be prepared anew
MISUSE(prepare_queued)
{
    bm_work_init(&item, nothing, NULL);
    bm_work_submit(&item);
    bm_work_init(&item, nothing, NULL);
}

// @misuse submit_unprepared bm_work_submit: an item must be prepared by bm_work_init
MISUSE(submit_unprepared)
{
    bm_work_submit(&second);
}

// @misuse wait_for_self bm_work_wait: an item must not wait for itself
MISUSE(wait_for_self)
{
    bm_work_wait(&item);
}

static void call_wait_for_self(void *arg)
{
    (void)arg;
    wait_for_self();
}

MISUSE(wait_within)
{
    bm_work_init(&item, call_wait_for_self, NULL);
    bm_work_submit(&item);
    bm_work_wait(&item);
}

// @misuse wait_for_own_group bm_work_group_wait: an item must not wait for its own group
MISUSE(wait_for_own_group)
{
    bm_work_group_wait(&group);
}

static void call_wait_for_own_group(void *arg)
{
    (void)arg;
    wait_for_own_group();
}

MISUSE(wait_within_group)
{
    bm_work_group_init(&group);
    bm_work_init(&item, call_wait_for_own_group, NULL);
    bm_work_group_add(&group, &item);
    bm_work_group_wait(&group);
}

// @misuse_within group_anew group_leave: a group must last, and not be prepared anew, until
// bm_work_group_wait has returned
MISUSE(group_anew)
{
    bm_work_group_init(&group);
    bm_work_init(&item, nothing, NULL);
    bm_work_group_add(&group, &item);
    bm_work_group_init(&group);
    bm_work_wait(&item);
}

// @misuse_within item_changed bm_work: an item must be kept as it is until it is done; the memory of this one
// has changed
MISUSE(item_changed)
{
    static int somebody_elses;
    bm_work_init(&item, nothing, NULL);
    bm_work_submit(&item);
    item.arg = &somebody_elses;
    bm_work_wait(&item);
}

// @misuse work_handler_waits bm_work_wait: it must not be called in an interrupt handler
MISUSE(work_handler_waits)
{
    bm_work_wait(&item);
}

MISUSE(work_in_handler)
{
    bm_work_init(&item, nothing, NULL);
    misuse_in_handler(work_handler_waits);
}

// @misuse work_poller_waits bm_work_wait: it must not be called in a poller
MISUSE(work_poller_waits)
{
    bm_work_wait(&item);
}

MISUSE(work_in_poller)
{
    bm_work_init(&item, nothing, NULL);
    misuse_in_poller(work_poller_waits);
}

// @misuse work_with_lock bm_work_wait: it must not be called with a spinlock held
MISUSE(work_with_lock)
{
    static struct bm_spinlock lock = BM_SPINLOCK_INIT;
    bm_work_init(&item, nothing, NULL);
    bm_work_submit(&item);
    bm_spinlock_acquire(&lock);
    bm_work_wait(&item);
}

// @misuse item_in_freed_frame bm_frame_free: memory must not be given back while a submitted item lies in it
MISUSE(item_in_freed_frame)
{
    struct bm_work *inside = bm_frame_allocate(0);
    bm_work_init(inside, nothing, NULL);
    bm_work_submit(inside);
    bm_frame_free(inside, 0);
}

// @misuse item_in_freed_block free: memory must not be given back while a submitted item lies in it
MISUSE(item_in_freed_block)
{
    struct bm_work *inside = malloc(sizeof *inside);
    bm_work_init(inside, nothing, NULL);
    bm_work_submit(inside);
    free(inside);
}

// @misuse loop_in_handler bm_parallel_for: it must not be called in an interrupt handler
MISUSE(loop_in_handler)
{
    bm_parallel_for(0, 8, 1, NULL, NULL);
}

MISUSE(handler_loops)
{
    misuse_in_handler(loop_in_handler);
}

// @misuse reduce_nothing bm_parallel_reduce: a reduction needs both functions, result and identity
MISUSE(reduce_nothing)
{
    int result = 0;
    bm_parallel_reduce(0, 8, 1, NULL, NULL, &result, &result, sizeof result, NULL);
}

const struct misuse misuse_work[] = {MISUSE_CASE(submit_twice),
                                     MISUSE_CASE(submit_on_twice),
                                     MISUSE_CASE(add_twice),
                                     {"resubmit", submit_within},
                                     MISUSE_CASE(prepare_queued),
                                     MISUSE_CASE(submit_unprepared),
                                     {"wait_for_self", wait_within},
                                     {"wait_for_own_group", wait_within_group},
                                     MISUSE_CASE(group_anew),
                                     MISUSE_CASE(item_changed),
                                     {"work_handler_waits", work_in_handler},
                                     {"work_poller_waits", work_in_poller},
                                     MISUSE_CASE(work_with_lock),
                                     MISUSE_CASE(item_in_freed_frame),
                                     MISUSE_CASE(item_in_freed_block),
                                     {"loop_in_handler", handler_loops},
                                     MISUSE_CASE(reduce_nothing),
                                     MISUSE_END};
