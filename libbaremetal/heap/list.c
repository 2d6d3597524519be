// Heap of linked lists: free blocks stand in lists by size, and join with free neighbours at once.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// Memory is a row of blocks (block.h). A free block holds its list links behind its word, and its size once
// more at its end, where the next block finds it. A block that is found for a request is the best of the
// first few in the list of its size, or else any of the next larger size: lists of small sizes hold one size,
// those of larger ones a range of a quarter, so little is wasted and no search is long.
#include "list.h"

#include "block.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>

struct free_block {
    struct free_block *next, **link; // link: the pointer that points here
};

enum {
    BLOCK_MIN = 32,   // word, links, size at the end
    EXACT_LISTS = 32, // sizes below 512
    EXACT_BITS = 9,
    LISTS = EXACT_LISTS + (48 - EXACT_BITS) * 4,
    TRIES = 16,
    GROW_MIN = 64 << 10,
    GROW_MAX = 32 << 20
};

static struct free_block *lists[LISTS];
static uint64_t filled[(LISTS + 63) / 64]; // bit i: lists[i] has blocks
static uint64_t *heap_end;                 // the word behind the last block: size 0, in use
static size_t heap_size;
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

static unsigned list_of(size_t size)
{
    if (size >> EXACT_BITS == 0)
        return (unsigned)(size / BM_BLOCK_UNIT);
    unsigned log = 63 - (unsigned)__builtin_clzl(size);
    return EXACT_LISTS + (log - EXACT_BITS) * 4 + (size >> (log - 2) & 3);
}

static uint64_t *word_behind(uint64_t *word, size_t size)
{
    return (uint64_t *)(void *)((char *)word + size); // shorter than counting words
}

static void insert(uint64_t *word, size_t size)
{
    struct free_block *block = (struct free_block *)(word + 1);
    unsigned list = list_of(size);
    bm_block_write(word, size, BM_BLOCK_BEFORE_USED); // two free blocks are never neighbours
    uint64_t *behind = word_behind(word, size);
    behind[-1] = size;
    bm_block_clear(behind, BM_BLOCK_BEFORE_USED);
    block->next = lists[list];
    block->link = &lists[list];
    if (block->next)
        block->next->link = &block->next;
    lists[list] = block;
    filled[list / 64] |= 1ull << list % 64;
}

static void take_out(uint64_t *word)
{
    struct free_block *block = (struct free_block *)(word + 1);
    *block->link = block->next;
    if (block->next) {
        block->next->link = block->link;
    } else {
        unsigned list = list_of(bm_block_size(word));
        if (!lists[list])
            filled[list / 64] &= ~(1ull << list % 64);
    }
}

// Makes [word, word + size) free and joins it with what is free on either side.
static void release(uint64_t *word, size_t size, bool before_used)
{
    uint64_t *behind = word_behind(word, size);
    if (!(*behind & BM_BLOCK_USED)) {
        take_out(behind);
        size += bm_block_size(behind);
    }
    if (!before_used) {
        size_t before = word[-1];
        word -= before / sizeof(*word);
        take_out(word);
        size += before;
    }
    insert(word, size);
}

// Makes the first `size` bytes of a block of `whole` bytes a block in use, and frees the rest when it is
// enough for a block.
static void use(uint64_t *word, size_t whole, size_t size, unsigned before_used)
{
    if (whole - size < BLOCK_MIN)
        size = whole;
    bm_block_write(word, size, BM_BLOCK_USED | before_used);
    uint64_t *behind = word_behind(word, size);
    if (size < whole)
        release(behind, whole - size, true);
    else
        bm_block_set(behind, BM_BLOCK_BEFORE_USED);
}

// How far into a free block an aligned one can begin: leaving nothing before it, or a whole block.
static size_t offset_for(const uint64_t *word, size_t alignment)
{
    uintptr_t block = (uintptr_t)(word + 1);
    uintptr_t aligned = (block + alignment - 1) & ~(alignment - 1);
    if (aligned != block && aligned - block < BLOCK_MIN)
        aligned += alignment;
    return aligned - block;
}

// The best of the first blocks of a list; NULL when none of them is large enough.
static uint64_t *search(unsigned list, size_t size, size_t alignment)
{
    uint64_t *best = NULL;
    unsigned tries = TRIES;
    for (struct free_block *block = lists[list]; block && tries; block = block->next, tries--) {
        uint64_t *word = (uint64_t *)block - 1;
        if (bm_block_size(word) >= size + offset_for(word, alignment) &&
            (!best || bm_block_size(word) < bm_block_size(best)))
            best = word;
    }
    return best;
}

// A free block in which an aligned one of `size` bytes fits.
static uint64_t *find(size_t size, size_t alignment)
{
    unsigned list = list_of(size);
    uint64_t *found = search(list, size, alignment);
    if (found)
        return found;
    if (alignment > BM_BLOCK_UNIT) {
        list = list_of(size + alignment + BLOCK_MIN);
        found = search(list, size, alignment);
        if (found)
            return found;
    }
    // In every list from here on, any block is large enough.
    for (list++; list < LISTS; list = (list | 63) + 1) {
        uint64_t rest = filled[list / 64] >> list % 64;
        if (rest)
            return (uint64_t *)lists[list + (unsigned)__builtin_ctzl(rest)] - 1;
    }
    return NULL;
}

// Adds [start, start + length) to the row: at its end, or as a row of its own when somebody else has moved
// the end of the heap's addresses.
static void add(char *start, size_t length)
{
    bool before_used = true;
    uint64_t *word = heap_end;
    if ((uintptr_t)heap_end + sizeof(*word) == (uintptr_t)start) {
        before_used = *word & BM_BLOCK_BEFORE_USED;
    } else {
        // The first word stands 8 before a multiple of 16.
        uintptr_t first = ((uintptr_t)start + BM_BLOCK_FLAGS) & ~(uintptr_t)BM_BLOCK_FLAGS;
        word = (uint64_t *)(first + sizeof(*word));
        length -= first - (uintptr_t)start + 2 * sizeof(*word);
    }
    length &= ~(size_t)BM_BLOCK_FLAGS;
    heap_end = word_behind(word, length);
    bm_block_write(heap_end, 0, BM_BLOCK_USED);
    heap_size += length;
    release(word, length, before_used);
}

// Gets memory for a block of `size` bytes: more than that, so that the next ones need not ask, or what is
// left.
static bool grow(size_t size)
{
    size_t min = size + 2 * BLOCK_MIN, more = heap_size / 8;
    more = more < GROW_MIN ? GROW_MIN : more > GROW_MAX ? GROW_MAX : more;
    // What is free at the end of the row counts when memory is short.
    size_t at_end = heap_end && !(*heap_end & BM_BLOCK_BEFORE_USED) ? heap_end[-1] : 0;
    size_t lengths[] = {min + more, min, min > at_end ? min - at_end : BLOCK_MIN};
    for (unsigned i = 0; i < 3; i++) {
        size_t length = (lengths[i] + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
        char *start = bm_heap_extend((ptrdiff_t)length);
        if (start) {
            add(start, length);
            return true;
        }
    }
    return false;
}

void *bm_list_allocate(size_t alignment, size_t size)
{
    if (size > BM_BLOCK_MAX || alignment > BM_BLOCK_MAX)
        return NULL;
    if (alignment < BM_BLOCK_UNIT)
        alignment = BM_BLOCK_UNIT;
    size = bm_block_size_for(size);
    if (size < BLOCK_MIN)
        size = BLOCK_MIN;
    bm_spinlock_acquire_inline(&lock);
    uint64_t *word = find(size, alignment);
    if (!word && grow(alignment > BM_BLOCK_UNIT ? size + alignment + BLOCK_MIN : size))
        word = find(size, alignment);
    if (word) {
        size_t whole = bm_block_size(word), offset = offset_for(word, alignment);
        take_out(word);
        if (offset)
            insert(word, offset);
        word = word_behind(word, offset);
        use(word, whole - offset, size, offset ? 0 : BM_BLOCK_BEFORE_USED);
    }
    bm_spinlock_release(&lock);
    return word ? word + 1 : NULL;
}

void bm_list_free(uint64_t *word)
{
    bm_spinlock_acquire_inline(&lock);
    bool before_used = *word & BM_BLOCK_BEFORE_USED;
    bm_block_clear(word, BM_BLOCK_USED); // stays readable for whoever frees it again
    release(word, bm_block_size(word), before_used);
    bm_spinlock_release(&lock);
}

bool bm_list_resize(uint64_t *word, size_t size)
{
    if (size > BM_BLOCK_MAX)
        return false;
    size = bm_block_size_for(size);
    if (size < BLOCK_MIN)
        size = BLOCK_MIN;
    bm_spinlock_acquire_inline(&lock);
    size_t whole = bm_block_size(word);
    uint64_t *behind = word_behind(word, whole);
    if (!(*behind & BM_BLOCK_USED) && size > whole && size <= whole + bm_block_size(behind)) {
        take_out(behind);
        whole += bm_block_size(behind);
    }
    bool possible = size <= whole;
    if (possible)
        use(word, whole, size, *word & BM_BLOCK_BEFORE_USED);
    bm_spinlock_release(&lock);
    return possible;
}
