// The heap: one growing range of addresses, mapped as it grows. Pages that are given back stay its own.
// SPDX-License-Identifier: MIT
#include "frame.h"
#include "paging.h"

#include <baremetal/assert.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/statistics.h>

#include <stddef.h>

// Bytes from the heap's start: the end that was asked for, and the end of what is mapped.
static uint64_t used, mapped;
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

static bool map_block(uint64_t offset, unsigned order)
{
    void *block = bm_frame_allocate(order);
    if (!block)
        return false;
    // Not zeroed by malloc's contract, but whatever stood there is nobody else's business.
    __builtin_memset(block, 0, BM_PAGE_SIZE << order);
    if (bm_paging_map(bm_paging_layout.heap + offset, (uint64_t)block - bm_paging_layout.direct,
                      BM_PAGE_SIZE << order, BM_PTE_WRITE | BM_PTE_NO_EXECUTE))
        return true;
    bm_frame_free(block, order);
    return false;
}

// Takes large pages and blocks of 16 where they fit: fewer turns at the frame allocator, which all cores
// share.
static bool grow(uint64_t end)
{
    static const uint8_t orders[] = {9, 4, 0};
    unsigned i = 0;
    end = (end + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    while (mapped < end) {
        uint64_t size = BM_PAGE_SIZE << orders[i];
        if (mapped % size == 0 && end - mapped >= size && map_block(mapped, orders[i])) {
            mapped += size;
            i = 0;
        } else if (++i == sizeof(orders)) {
            return false;
        }
    }
    return true;
}

void *bm_heap_extend(ptrdiff_t increment)
{
    void *old = NULL;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&lock);
    uint64_t before = used, end = used + (uint64_t)increment;
    bool possible = increment < 0 ? (uint64_t)-increment <= used
                                  : (uint64_t)increment <= bm_frame_free_bytes() + (mapped - used) &&
                                        end <= 1ull << (BM_PAGING_HEAP_BITS - 1);
    if (possible && (end <= mapped || grow(end))) {
        used = end;
        old = (void *)(bm_paging_layout.heap + before);
    }
    bm_spinlock_release(&lock);
    return old;
}

static bool memory_read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    (void)statistic;
    static const char *const states[] = {"total", "free", "heap"};
    const uint64_t bytes[] = {bm_frame_total(), bm_frame_free_bytes(), used};
    if (value->index >= sizeof(states) / sizeof(states[0]))
        return false;
    value->label = states[value->index];
    value->value = bytes[value->index];
    return true;
}
BM_STATISTIC(memory_bytes) = {.name = "memory_bytes",
                              .help = "Memory of the machine.",
                              .split = "state",
                              .kind = BM_STATISTIC_GAUGE,
                              .read = memory_read};

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){
        .total = bm_frame_total(), .free = bm_frame_free_bytes(), .heap = used};
}
