// Memory that is never given back: small pieces share pages.
// SPDX-License-Identifier: MIT
#include <baremetal/lock.h>
#include <baremetal/memory.h>

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static uintptr_t next, end; // of the block that is carved

// The first multiple of the alignment from `next` on, or one behind the block.
static uintptr_t place(size_t alignment)
{
    return (next + alignment - 1) & ~(uintptr_t)(alignment - 1);
}

// Takes a block in which the piece fits. What is left of the old one is lost, unless it is more than what the
// new one will have left.
static void *block_take(size_t size, size_t alignment)
{
    unsigned order = bm_frame_order(size > alignment ? size : alignment);
    uintptr_t block = (uintptr_t)bm_frame_allocate(order);
    if (block && (BM_PAGE_SIZE << order) - size > end - next) {
        next = block + size;
        end = block + (BM_PAGE_SIZE << order);
    }
    return (void *)block;
}

void *bm_memory_permanent(size_t size, size_t alignment)
{
    bm_spinlock_acquire(&lock);
    uintptr_t at = place(alignment);
    void *memory = (void *)at;
    if (at <= end && end - at >= size)
        next = at + size;
    else
        memory = block_take(size, alignment);
    bm_spinlock_release(&lock);
    if (memory)
        __builtin_memset(memory, 0, size);
    return memory;
}
