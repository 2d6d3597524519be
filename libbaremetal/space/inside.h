// What the files of the space share.
// SPDX-License-Identifier: MIT
#pragma once

#include "ranges.h"
#include "space.h"

#include <baremetal/memory.h>

extern uint64_t bm_space_region; // its first address; 0: nothing was ever mapped

// Takes the space's lock. While it waits, this core forgets translations when others want it to, since it may
// wait in a fault, where no interrupt comes. The release gives objects back that nobody has mapped any more.
void bm_space_lock(void);
void bm_space_unlock(void);
// Releases it alone: in a fault, which gives nothing back, neither its own nor what others are about to.
void bm_space_lock_release(void);
// Whether this core has it. Any context.
bool bm_space_lock_is_mine(void);

// flush.c: does what bm_space_flush of another core waits for, if it is this core's turn.
void bm_space_flush_answer(void);

// Whether a range lies in the region.
bool bm_space_fits(uint64_t address, uint64_t length);

// The part of [after, end) that begins at `after` and is of one range; false when nothing is mapped there.
bool bm_space_part(uint64_t after, uint64_t end, struct bm_range *part);

// Whether pages of the image stand there, which stay as they are.
bool bm_space_has_image(uint64_t begin, uint64_t end);

// Whether a range is readable or writable.
static inline bool bm_space_is_accessible(const struct bm_range *range)
{
    return range->protection & BM_SPACE_ACCESS;
}

// Whether a range's pages get memory when they are touched.
static inline bool bm_space_is_filled_later(const struct bm_range *range)
{
    return range->object || range->protection & BM_SPACE_LAZY;
}

// Whether each page of a range has memory all the while.
static inline bool bm_space_needs_memory(const struct bm_range *range)
{
    return bm_space_is_accessible(range) && !bm_space_is_filled_later(range);
}

// The lowest place for so many bytes that may be anywhere; 0: there is none.
uint64_t bm_space_hole(uint64_t length);

// Maps a range where nothing is, by a reserved node. False: memory ended.
bool bm_space_add(const struct bm_range *what);

// Maps `what`, from `begin` to `end`, or with `begin` 0 anywhere; as bm_space_map. The object, if there is
// one, gets a reference more.
int64_t bm_space_map_range(struct bm_range *what, bool keep);
