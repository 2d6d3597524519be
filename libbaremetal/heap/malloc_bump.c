// malloc_bump: every core cuts blocks off a chunk of its own, one behind the other. Fastest; for data that is
// given back together, or never.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// A chunk counts the blocks that live in it. When the last one is given back, by whatever core, the chunk
// goes back to the heap of lists; until then, the space of those that were given back before stays unused.
// Large blocks come from the heap of lists directly.
#include "block.h"
#include "heap.h"
#include "list.h"

enum {
    CHUNK_SIZE = 32 << 10,
    SMALL_MAX = CHUNK_SIZE / 16,
    OWNED = 1 << 30 // counted for the core that cuts: it need not count what it cuts one by one
};

struct chunk {
    int64_t live; // blocks, + OWNED while a core cuts from it and has not yet added what it cut
};

// This core's chunk: where the next block's word will stand, how many it cut so far.
static _Thread_local struct {
    struct chunk *chunk;
    uintptr_t next;
    int64_t cut;
} own;

static void begin(void)
{
    own.next = (uintptr_t)(own.chunk + 1);
    own.cut = 0;
}

static void subtract(struct chunk *chunk, int64_t blocks)
{
    if (__atomic_sub_fetch(&chunk->live, blocks, __ATOMIC_ACQ_REL) == 0)
        bm_list_free(bm_block_word(chunk));
}

// Begins a new chunk; the old one is left to the blocks in it.
static bool renew(void)
{
    // A chunk's block with its word is as long as its alignment, so that chunks lie side by side.
    struct chunk *chunk = bm_list_allocate(CHUNK_SIZE, CHUNK_SIZE - sizeof(uint64_t));
    if (!chunk)
        return false;
    if (own.chunk)
        subtract(own.chunk, OWNED - own.cut);
    __atomic_store_n(&chunk->live, OWNED, __ATOMIC_RELAXED);
    own.chunk = chunk;
    begin();
    return true;
}

static uintptr_t chunk_end(void)
{
    return (uintptr_t)own.chunk + CHUNK_SIZE - sizeof(uint64_t);
}

void *bm_heap_allocate(size_t size)
{
    if (size > SMALL_MAX)
        return bm_list_allocate(BM_BLOCK_UNIT, size);
    size = bm_block_size_for(size);
    if ((!own.chunk || own.next + size > chunk_end()) && !renew())
        return bm_list_allocate(BM_BLOCK_UNIT, size - sizeof(uint64_t));
    uint64_t *word = (uint64_t *)own.next;
    own.next += size;
    own.cut++;
    bm_block_write(word, size, BM_BLOCK_USED | BM_BLOCK_SMALL);
    return word + 1;
}

void *bm_heap_allocate_aligned(size_t alignment, size_t size)
{
    return alignment <= BM_BLOCK_UNIT ? bm_heap_allocate(size) : bm_list_allocate(alignment, size);
}

void bm_heap_free(void *block)
{
    uint64_t *word = bm_block_of_program(block);
    if (!(bm_block_read(word) & BM_BLOCK_SMALL)) {
        bm_list_free(word);
        return;
    }
    bm_block_clear(word, BM_BLOCK_USED);
    struct chunk *chunk = (struct chunk *)((uintptr_t)block & ~(uintptr_t)(CHUNK_SIZE - 1));
    if (chunk != own.chunk)
        subtract(chunk, 1);
    else if (__atomic_sub_fetch(&chunk->live, 1, __ATOMIC_ACQ_REL) == OWNED - own.cut) {
        __atomic_store_n(&chunk->live, OWNED, __ATOMIC_RELAXED);
        begin();
    }
}

size_t bm_heap_size(const void *block)
{
    return bm_block_size(bm_block_of_program(block)) - sizeof(uint64_t);
}

// The youngest block of this core's chunk can move its end.
bool bm_heap_resize(void *block, size_t size)
{
    uint64_t *word = bm_block_of_program(block);
    if (!(bm_block_read(word) & BM_BLOCK_SMALL))
        return bm_list_resize(word, size);
    size_t have = bm_block_size(word);
    if (size > SMALL_MAX)
        return false;
    size = bm_block_size_for(size);
    if ((uintptr_t)word + have == own.next && (uintptr_t)word + size <= chunk_end()) {
        own.next = (uintptr_t)word + size;
        bm_block_write(word, size, BM_BLOCK_USED | BM_BLOCK_SMALL);
        return true;
    }
    return size <= have;
}
