// The heap that `brk` moves: behind the executable, in a range of the space that has no access yet.
// SPDX-License-Identifier: MIT
#include "../space/space.h"
#include "executable.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>

#define MAX (16ull << 30)

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static uint64_t begin, limit; // whole pages; 0: there is none
static uint64_t current;

static uint64_t page_end(uint64_t address)
{
    return (address + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
}

void bm_executable_break_start(uint64_t from)
{
    if (bm_space_map(from, MAX, BM_SPACE_LAZY, true) != (int64_t)from)
        return; // programs take mappings then
    begin = current = from;
    limit = from + MAX;
}

static bool move(uint64_t from, uint64_t to)
{
    if (to > from)
        return bm_space_protect(from, to - from, BM_SPACE_READ | BM_SPACE_WRITE) == 0;
    return to == from || bm_space_map(to, from - to, BM_SPACE_LAZY, false) > 0;
}

// Whether it moved or not says the result, which is the break.
long bm_executable_break(uint64_t wanted)
{
    bm_spinlock_acquire(&lock);
    if (wanted >= begin && wanted <= limit && begin && move(page_end(current), page_end(wanted)))
        current = wanted;
    uint64_t result = current;
    bm_spinlock_release(&lock);
    return (long)result;
}
