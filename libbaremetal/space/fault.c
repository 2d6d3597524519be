// Pages that are mapped when they are touched.
// SPDX-License-Identifier: MIT
//
// A page fault in the region is answered in the exception, with interrupts off, whoever was interrupted: the
// program, or the kernel that copies for it, also with locks held, but none that is taken here. Those are the
// space's and, below it, those of the object's pages and of the frames; nobody touches memory of the program
// under them, nor a page of the stack that may have none yet (base/stack.h). Nobody waits here for longer
// than such a lock is held; who holds the space's waits for this core's answer to a flush, which
// bm_space_lock gives. A fault in an interrupt handler is an error.
#include "../base/core.h"
#include "../base/stack.h"
#include "../check/check.h"
#include "../cpu/fault_take.h"
#include "../memory/paging.h"
#include "../wait/slice.h"
#include "inside.h"
#include "pages.h"

#include <stddef.h>

const char bm_space_fault_linked = 1;
#ifndef BM_HOST_TEST
// Programs with pages that are mapped later bring it; hello does not.
void bm_emulator_prepare(void);
static void (*const emulator_needed)(void) __attribute__((used)) = bm_emulator_prepare;
#endif

enum { PAGE_FAULT = 14, FAULT_PRESENT = 1, FAULT_WRITE = 2 }; // Intel SDM volume 3, section 4.7
enum { WINDOW = 16 * BM_PAGE_SIZE };                          // what is given at once

static bool allows(const struct bm_range *range, bool write)
{
    return range->protection & (write ? BM_SPACE_WRITE : BM_SPACE_ACCESS);
}

// Memory for a page and what is around it; for it alone when there is little.
static bool fill(const struct bm_range *range, uint64_t page)
{
    uint64_t begin = page & ~((uint64_t)WINDOW - 1), end = begin + WINDOW;
    begin = begin > range->begin ? begin : range->begin;
    end = end < range->end ? end : range->end;
    if (bm_pages_affordable(end - begin) && bm_pages_add(begin, end, range->protection))
        return true;
    return bm_pages_reachable(page, page + 1, false) ||
           (bm_pages_affordable(BM_PAGE_SIZE) && bm_pages_add(page, page + BM_PAGE_SIZE, range->protection));
}

// A private mapping has the object's page until it is written, then a copy.
static bool lend_private(const struct bm_range *range, uint64_t page, uint64_t index, bool write)
{
    struct bm_space_bytes bytes = {.length = BM_PAGE_SIZE};
    uint64_t physical;
    if (bm_space_backing->page_private(range->object, index, &physical, &bytes))
        return false;
    if (!bytes.data && !write)
        return bm_pages_lend(page, physical, range->protection, true);
    return bm_pages_copy(page, bytes.data ? bytes.data : bm_memory_direct(physical), bytes.length,
                         range->protection);
}

static bool lend(const struct bm_range *range, uint64_t page, bool write)
{
    uint64_t physical, index = (range->offset + (page - range->begin)) / BM_PAGE_SIZE;
    if (!(range->protection & BM_SPACE_SHARED))
        return lend_private(range, page, index, write);
    return bm_space_backing->page(range->object, index, write, &physical) == 0 &&
           bm_pages_lend(page, physical, range->protection, false);
}

// Under the lock.
static bool resolve(uint64_t address, bool write)
{
    uint64_t page = address & ~(BM_PAGE_SIZE - 1);
    const struct bm_range *range = bm_ranges_find(page);
    if (!range || !allows(range, write))
        return false;
    if (bm_pages_reachable(page, page + 1, write))
        return true; // another core was faster
    if (range->object)
        return lend(range, page, write);
    return range->protection & BM_SPACE_LAZY && fill(range, page);
}

bool bm_space_touch(uint64_t address, uint64_t length, bool write)
{
    uint64_t end = address + length;
    bool done = true;
    for (uint64_t at = address; done && at < end; at = (at | (BM_PAGE_SIZE - 1)) + 1) {
        if (bm_pages_reachable(at, at + 1, write))
            continue;
        bm_space_lock();
        done = resolve(at, write);
        bm_space_lock_release();
    }
    return done;
}

bool bm_space_lacks(uint64_t address, bool write)
{
    bm_space_lock();
    const struct bm_range *range = bm_ranges_find(address);
    bool lacks = range && allows(range, write) && bm_space_is_filled_later(range) &&
                 !bm_pages_reachable(address, address + 1, write);
    bm_space_lock_release();
    return lacks;
}

static bool is_in_region(uint64_t address)
{
    return bm_space_region && address - bm_space_region < BM_PAGES_SPAN;
}

// As in a page fault of the program's own text.
bool bm_slice_room(uint64_t begin, uint64_t end)
{
    struct bm_core *core = bm_core_self();
    uint64_t size;
    if (!is_in_region(begin))
        return bm_paging_lookup(begin, &size) != 0;
    uint8_t handler = core->in_interrupt;
    core->in_interrupt = BM_CORE_NO_INTERRUPT;
    bool there = bm_space_touch(begin, end - begin, true);
    core->in_interrupt = handler;
    return there;
}

static bool answer(const struct bm_fault_frame *frame)
{
    uint64_t address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    if (!is_in_region(address) || bm_space_lock_is_mine())
        return false;
    BM_CHECK(bm_check_fault_enter());
    bool done = bm_space_touch(address, 1, frame->error & FAULT_WRITE);
    BM_CHECK(bm_check_fault_leave());
    return done;
}

static bool take(struct bm_fault_frame *frame)
{
    bool first_write = frame->error == (FAULT_PRESENT | FAULT_WRITE); // perhaps, to a private mapping
    if (frame->vector != PAGE_FAULT || (frame->error & FAULT_PRESENT && !first_write) ||
        bm_core_self()->in_interrupt)
        return false;
    if (answer(frame))
        return true;
    if (frame->rip != (uint64_t)bm_stack_touch)
        return false;
    frame->rip = (uint64_t)bm_stack_touched;
    return true;
}

static struct bm_fault_taker taker = {.take = take, .early = true};

void bm_space_fault_start(void)
{
    static bool started;
    bm_space_lock();
    if (!started)
        bm_fault_taker_add(&taker);
    started = bm_stack_later = true;
    bm_space_unlock();
}
