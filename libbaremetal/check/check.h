// What the checked build remembers of each core, each work item and each frame. Nothing of it is in other
// builds.
// SPDX-License-Identifier: MIT
//
// The functions are called by BM_CHECK (<baremetal/assert.h>), where what they watch happens. `caller` is the
// return address of the function that the program called, for the report.
#pragma once

#include <baremetal/assert.h>

#include <stddef.h>
#include <stdint.h>

struct bm_poller;
struct bm_work;
struct bm_work_group;

// context.c: this core begins and ends to serve a poller. Returns true, for conditions.
void bm_check_poller_enter(void);
void bm_check_poller_leave(void);

// context.c: this core gives memory to a page that was touched, and has done so: in the meantime it takes
// locks whatever it holds, but none of those twice.
void bm_check_fault_enter(void);
void bm_check_fault_leave(void);

// context.c: no spinlock is held when a core halts, or when the program ends; the place that took it is
// named.
void bm_check_no_lock(const char *function, const char *rule);

// context.c: the condition of bm_wait_until, asked on this core: it takes no lock away with it, and where
// nobody else can have changed anything it says yes twice.
bool bm_check_condition(bool (*condition)(void *arg), void *arg, const void *caller);

// work.c: an item is prepared, handed in, run and done. It must not be prepared or handed in while it is with
// the queue, and must stay as it is.
void bm_check_work_init(const struct bm_work *work, const void *caller);
void bm_check_work_ready(const char *function, const struct bm_work *work, const void *caller);
void bm_check_work_submit(const struct bm_work *work);
void bm_check_work_begin(const struct bm_work *work);
void bm_check_work_end(const struct bm_work *work);
// Whether an item, or one of the group's, runs on this core's stack: to wait for it would never end.
bool bm_check_work_runs(const struct bm_work *work);
bool bm_check_group_runs(const struct bm_work_group *group);
// Whether an item that is with the queue lies in that memory, which is about to be given back.
bool bm_check_work_within(const void *begin, size_t size);

// heap.c: fences behind a heap's blocks (libc/malloc/guard.h). `room`: what the heap gave, the fence
// included.
void bm_guard_begin(void *block, size_t size, size_t room);
size_t bm_guard_check(const void *block, size_t room, const char *function, const void *caller);
void bm_guard_end(void *block, size_t size, const char *function, const void *caller);

// frame.c: a range of frames, with a byte for each; a block of them given out, given back.
void bm_check_frame_range(uint64_t first, uint64_t count, uint8_t *states);
void bm_check_frame_given(const void *block, unsigned order);
void bm_check_frame_back(const char *function, void *block, unsigned order, const void *caller);
void bm_check_frame_list_back(void **list, const void *caller);
// frame.c, for caches in front of the allocator: single frames cut from a block, kept, and given out again.
void bm_check_frame_split(const void *block, unsigned order);
void bm_check_frame_kept(void *frame, const void *caller);
void bm_check_frame_reused(const void *frame);
