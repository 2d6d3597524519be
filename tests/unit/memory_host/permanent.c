// Permanent memory for tests that invent a frame allocator and free its blocks again: a block for each piece.
// SPDX-License-Identifier: MIT
#include <baremetal/memory.h>
#include <string.h>

void *bm_memory_permanent(size_t size, size_t alignment)
{
    void *memory = bm_frame_allocate(bm_frame_order(size > alignment ? size : alignment));
    return memory ? memset(memory, 0, size) : NULL;
}
