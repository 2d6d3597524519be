// The work queue: items that any core takes and runs to their end.
// SPDX-License-Identifier: MIT
//
// Error policy: nothing here allocates, and nothing here can fail. What the caller must not do is said with
// each function and is checked in the checked build alone (assert.h).
//
// Context: every function may be called on every core, from main and from work items. bm_work_submit and
// bm_work_submit_on may also be called from interrupt handlers and pollers; the others may not, since they
// wait. Calls nest freely: an item may submit and wait for others.
//
// Order: none is promised between items. (A core takes its own youngest item first, another core's oldest
// first.) An item runs to its end on the core that took it; there is no preemption.
//
// Memory: whatever was written before bm_work_submit is seen by the item; whatever the item wrote is seen
// after bm_work_wait has returned or bm_work_done has said true.
#pragma once

#include <baremetal/compiler.h>
#include <baremetal/core.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A piece of work. The caller owns it and keeps it until it is done; it may lie on the caller's stack. The
// members are the queue's.
struct bm_work {
    // The queue's:
    void (*function)(void *arg);
    void *arg;
    struct bm_work *next;
    struct bm_work_group *group;
    BM_ATOMIC(unsigned) state;
};

// Prepares an item that is not submitted: not yet used, or done.
void bm_work_init(struct bm_work *work, void (*function)(void *arg), void *arg);

// Hands an item to the cores. It may be submitted again once it is done, also by another core. An item that
// is submitted and not yet done must not be submitted again.
void bm_work_submit(struct bm_work *work);

// The same, but only core `core` (0 … bm_core_count() - 1) runs the item; another number means the calling
// core. It runs when that core waits for work or is idle; core 0 looks only within bm_work_wait and its
// relatives, as long as main runs.
void bm_work_submit_on(unsigned core, struct bm_work *work);

// Returns when the item is done, running other items meanwhile ("helping"); halts when there is nothing to
// run. An item that was never submitted counts as done. An item must not wait for itself.
void bm_work_wait(struct bm_work *work);

// Whether the item is done (or was never submitted). Does not wait. Interrupt handlers may call it, too.
bool bm_work_done(const struct bm_work *work);

// A number of items to wait for together. The group must last until bm_work_group_wait has returned: to have
// waited for each of its items is not enough.
struct bm_work_group {
    BM_ATOMIC(uint64_t) state; // the queue's: items not yet done, and who waits
};

// Prepares an empty group.
void bm_work_group_init(struct bm_work_group *group);

// Adds an item to the group and submits it. Items of the group may add further ones.
void bm_work_group_add(struct bm_work_group *group, struct bm_work *work);

// Returns when every item that was added is done; helps meanwhile. The group can be used again afterwards.
void bm_work_group_wait(struct bm_work_group *group);

// Calls function(from, to, arg) for pieces that together make [begin, end), each index once, on all cores at
// once, and returns when all are done. A piece has at most `grain` indices; 0 chooses a grain that keeps all
// cores busy. The calling core takes part.
void bm_parallel_for(size_t begin, size_t end, size_t grain,
                     void (*function)(size_t begin, size_t end, void *arg), void *arg);

// Like bm_parallel_for for results: function(from, to, part, arg) adds a piece's contribution to *part, which
// begins as a copy of *identity (`size` bytes, at most BM_REDUCE_MAX); combine(result, part, arg) then joins
// it into *result, one piece at a time, in no promised order, so combine must be associative and commutative.
// *result is not initialised here: what it holds counts, too.
enum { BM_REDUCE_MAX = 64 };
void bm_parallel_reduce(size_t begin, size_t end, size_t grain,
                        void (*function)(size_t begin, size_t end, void *part, void *arg),
                        void (*combine)(void *result, const void *part, void *arg), void *result,
                        const void *identity, size_t size, void *arg);

#ifdef __cplusplus
}
#endif
