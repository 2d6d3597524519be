// malloc_block: blocks of fixed sizes, each core with some of every size at hand. No locks on the fast path,
// no search, bounded waste; for many small blocks on many cores.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// A request up to SMALL_MAX bytes gets a block of the next of 20 sizes. Blocks of one size are cut from
// slabs of 16 KiB. Each core keeps a stack of free blocks of each size; when it is empty or too high, a batch
// is exchanged with the slabs under the size's lock, so a block may be given back on any core. A slab whose
// blocks are all free goes back to the heap of lists, where large requests are served, too.
#include "block.h"
#include "heap.h"
#include "list.h"

#include <baremetal/lock.h>

enum { SLAB_SIZE = 16 << 10, SMALL_MAX = 1024 - sizeof(uint64_t), CLASSES = 20 };

// Sizes with the word: four to each doubling from 128 on.
static const uint16_t class_size[CLASSES] = {16,  32,  48,  64,  80,  96,  112, 128, 160, 192,
                                             224, 256, 320, 384, 448, 512, 640, 768, 896, 1024};

// A free block, in a slab or on a core's stack.
struct link {
    struct link *next;
};

struct slab {
    struct slab *next, *before; // of this size's slabs that have free blocks
    struct link *free;
    unsigned free_count, count; // blocks
    unsigned padding[2];
};
_Static_assert(sizeof(struct slab) % BM_BLOCK_UNIT == 8, "the first block's word stands behind it");

static struct slabs {
    struct bm_spinlock lock;
    struct slab *first;
} slabs[CLASSES];

static _Thread_local struct stack {
    struct link *top;
    unsigned count;
} stacks[CLASSES];

// Of the sizes in units of 16 bytes.
static const uint8_t class_by_units[1024 / BM_BLOCK_UNIT + 1] = {
    0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  8,  9,  9,  10, 10, 11, 11, 12, 12, 12, 12, 13,
    13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 16, 16, 16, 16, 16, 17, 17, 17,
    17, 17, 17, 17, 17, 18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19};

// The size counts the word, and is at most 1024.
static unsigned class_of(size_t size)
{
    return class_by_units[size / BM_BLOCK_UNIT];
}

// How many blocks of each size a core keeps at most: 4 KiB of them, but 4 at least and no more than 64.
static const uint8_t class_kept[CLASSES] = {64, 64, 64, 64, 51, 42, 36, 32, 25, 21,
                                            18, 16, 12, 10, 9,  8,  6,  5,  4,  4};

static struct slab *slab_of(const void *block)
{
    return (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_SIZE - 1));
}

static void push_slab(struct slabs *of_size, struct slab *slab)
{
    slab->next = of_size->first;
    slab->before = NULL;
    if (slab->next)
        slab->next->before = slab;
    of_size->first = slab;
}

static void remove_slab(struct slabs *of_size, struct slab *slab)
{
    if (slab->next)
        slab->next->before = slab->before;
    if (slab->before)
        slab->before->next = slab->next;
    else
        of_size->first = slab->next;
}

static struct slab *make_slab(size_t size)
{
    struct slab *slab = bm_list_allocate(SLAB_SIZE, SLAB_SIZE - sizeof(uint64_t));
    if (!slab)
        return NULL;
    unsigned count = (unsigned)((SLAB_SIZE - sizeof(uint64_t) - sizeof(*slab)) / size);
    *slab = (struct slab){.count = count, .free_count = count};
    for (unsigned i = count; i-- > 0;) {
        uint64_t *word = (uint64_t *)((char *)(slab + 1) + i * size);
        bm_block_write(word, size, BM_BLOCK_SMALL);
        struct link *block = (struct link *)(word + 1);
        block->next = slab->free;
        slab->free = block;
    }
    return slab;
}

// Moves at most `max` blocks from the slabs to the stack.
static void take(struct slabs *of_size, struct stack *stack, unsigned max)
{
    while (stack->count < max && of_size->first) {
        struct slab *slab = of_size->first;
        struct link *block = slab->free;
        slab->free = block->next;
        if (--slab->free_count == 0)
            remove_slab(of_size, slab);
        block->next = stack->top;
        stack->top = block;
        stack->count++;
    }
}

static bool refill(unsigned class)
{
    struct slabs *of_size = &slabs[class];
    unsigned batch = class_kept[class] / 2;
    bm_spinlock_acquire_inline(&of_size->lock);
    take(of_size, &stacks[class], batch);
    bm_spinlock_release(&of_size->lock);
    if (stacks[class].top)
        return true;
    struct slab *slab = make_slab(class_size[class]);
    if (!slab)
        return false;
    bm_spinlock_acquire_inline(&of_size->lock);
    push_slab(of_size, slab);
    take(of_size, &stacks[class], batch);
    bm_spinlock_release(&of_size->lock);
    return true;
}

// Gives blocks back to their slabs until `left` are on the stack. A slab that is all free goes back to the
// heap of lists, unless it is the last one of its size.
static void drain(unsigned class, unsigned left)
{
    struct slabs *of_size = &slabs[class];
    struct stack *stack = &stacks[class];
    struct slab *empty = NULL;
    bm_spinlock_acquire_inline(&of_size->lock);
    while (stack->count > left) {
        struct link *block = stack->top;
        struct slab *slab = slab_of(block);
        stack->top = block->next;
        stack->count--;
        block->next = slab->free;
        slab->free = block;
        if (slab->free_count++ == 0)
            push_slab(of_size, slab);
        if (slab->free_count == slab->count && (of_size->first != slab || slab->next || left == 0)) {
            remove_slab(of_size, slab);
            slab->next = empty;
            empty = slab;
        }
    }
    bm_spinlock_release(&of_size->lock);
    while (empty) {
        struct slab *next = empty->next;
        bm_list_free(bm_block_word(empty));
        empty = next;
    }
}

// When memory ends: what this core keeps may make whole slabs.
static void *allocate_large(size_t alignment, size_t size)
{
    void *block = bm_list_allocate(alignment, size);
    if (block || size > BM_BLOCK_MAX)
        return block;
    for (unsigned class = 0; class < CLASSES; class ++)
        drain(class, 0);
    return bm_list_allocate(alignment, size);
}

void *bm_heap_allocate(size_t size)
{
    if (size > SMALL_MAX)
        return allocate_large(BM_BLOCK_UNIT, size);
    unsigned class = class_of(bm_block_size_for(size));
    struct stack *stack = &stacks[class];
    if (!stack->top && !refill(class))
        return allocate_large(BM_BLOCK_UNIT, size);
    struct link *block = stack->top;
    stack->top = block->next;
    stack->count--;
    bm_block_set(bm_block_word(block), BM_BLOCK_USED);
    return block;
}

void *bm_heap_allocate_aligned(size_t alignment, size_t size)
{
    return alignment <= BM_BLOCK_UNIT ? bm_heap_allocate(size) : allocate_large(alignment, size);
}

void bm_heap_free(void *block)
{
    uint64_t value, *word = bm_block_of_program_read(block, &value);
    if (!(value & BM_BLOCK_SMALL)) {
        bm_list_free(word);
        return;
    }
    __atomic_store_n(word, value & ~(uint64_t)BM_BLOCK_USED, __ATOMIC_RELAXED);
    unsigned class = class_of((uint16_t)value);
    struct stack *stack = &stacks[class];
    struct link *link = block;
    link->next = stack->top;
    stack->top = link;
    if (++stack->count > class_kept[class])
        drain(class, class_kept[class] / 2);
}

size_t bm_heap_size(const void *block)
{
    return bm_block_size(bm_block_of_program(block)) - sizeof(uint64_t);
}

bool bm_heap_resize(void *block, size_t size)
{
    uint64_t *word = bm_block_of_program(block);
    if (bm_block_read(word) & BM_BLOCK_SMALL)
        return size <= bm_block_size(word) - sizeof(uint64_t);
    return bm_list_resize(word, size);
}
