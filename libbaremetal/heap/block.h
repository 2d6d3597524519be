// The word before every block of our own heaps: its size, its state, and a check against foreign pointers.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/panic.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Blocks are counted with this word and in units of 16 bytes: what lies behind the word is aligned to 16.
// Bits 4 to 47 hold the size, the lowest four these, and the upper sixteen the check.
enum {
    BM_BLOCK_USED = 1,
    BM_BLOCK_BEFORE_USED = 2, // the block that ends where this one begins is in use (list.c)
    BM_BLOCK_SMALL = 4,       // part of a chunk of malloc_bump.c or a slab of malloc_block.c
    BM_BLOCK_UNIT = 16,
    BM_BLOCK_FLAGS = BM_BLOCK_UNIT - 1
};

// 1: words hold no check, and nobody looks at what a program gives back, for the smallest image.
#ifndef BM_BLOCK_PLAIN
#define BM_BLOCK_PLAIN 0
#endif

// The largest request: beyond it, sizes would overflow somewhere. A machine has less.
#define BM_BLOCK_MAX (1ull << 46)

static inline uint64_t *bm_block_word(const void *block)
{
    return (uint64_t *)(uintptr_t)block - 1;
}

// Depends on where the word stands and on the size, so neither a word that was copied nor one that a
// neighbour wrote into passes.
static inline uint64_t bm_block_check(const uint64_t *word, size_t size)
{
    if (BM_BLOCK_PLAIN)
        return 0;
    return (((uintptr_t)word ^ (uint64_t)size << 20) * 0x9e3779b97f4a7c15ull) >> 48 << 48;
}

// Programs ask about their blocks while others change the flag that tells of the block before: all reads and
// writes are whole.
static inline uint64_t bm_block_read(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void bm_block_write(uint64_t *word, size_t size, unsigned flags)
{
    __atomic_store_n(word, bm_block_check(word, size) | size | flags, __ATOMIC_RELAXED);
}

static inline void bm_block_set(uint64_t *word, unsigned flag)
{
    __atomic_store_n(word, *word | flag, __ATOMIC_RELAXED);
}

static inline void bm_block_clear(uint64_t *word, unsigned flag)
{
    __atomic_store_n(word, *word & ~(uint64_t)flag, __ATOMIC_RELAXED);
}

static inline size_t bm_block_size(const uint64_t *word)
{
    return bm_block_read(word) & (BM_BLOCK_PLAIN ? ~(uint64_t)BM_BLOCK_FLAGS : 0xfffffffffff0);
}

// Size of a block with room for `size` bytes, which is at most BM_BLOCK_MAX.
static inline size_t bm_block_size_for(size_t size)
{
    return (size + sizeof(uint64_t) + BM_BLOCK_FLAGS) & ~(size_t)BM_BLOCK_FLAGS;
}

// Whether the word, whose contents are `value`, could be that of a block.
static inline bool bm_block_valid_value(const uint64_t *word, uint64_t value)
{
    return ((uintptr_t)word & BM_BLOCK_FLAGS) == sizeof(uint64_t) &&
           value >> 48 << 48 == bm_block_check(word, value & 0xfffffffffff0);
}

static inline bool bm_block_valid(const uint64_t *word)
{
    return bm_block_valid_value(word, bm_block_read(word));
}

// The word of a block that a program gives back or asks about; `*value` becomes its contents.
static inline uint64_t *bm_block_of_program_read(const void *block, uint64_t *value)
{
    uint64_t *word = bm_block_word(block);
    *value = bm_block_read(word);
    if (BM_BLOCK_PLAIN)
        return word;
    if (!bm_block_valid_value(word, *value))
        bm_panic("heap: %p is no block of the heap, or what stands before it was overwritten", block);
    if (!(*value & BM_BLOCK_USED))
        bm_panic("heap: the block at %p is free already", block);
    return word;
}

static inline uint64_t *bm_block_of_program(const void *block)
{
    uint64_t value;
    return bm_block_of_program_read(block, &value);
}
