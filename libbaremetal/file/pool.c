// Memory for inodes, names and open files: blocks of fixed sizes in frames, and frames.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>

// The head of a frame that is cut into blocks. A frame is in its size's list while a block of it is free.
struct slab {
    struct slab *next, *previous;
    void *free; // linked through their first words
    unsigned used, size_index;
};

static const uint16_t sizes[] = {16, 32, 64, 96, 128, 192, 256, 336, 512, 1008, 2016};
enum { SIZES = sizeof sizes / sizeof *sizes, HEAD = 64, LARGEST = 2016 };
_Static_assert(sizeof(struct slab) <= HEAD, "the head of a slab");

static struct slab *lists[SIZES];
static struct bm_spinlock lock;

static void insert(struct slab *slab)
{
    struct slab **list = &lists[slab->size_index];
    slab->previous = NULL;
    slab->next = *list;
    if (*list)
        (*list)->previous = slab;
    *list = slab;
}

static void unlink(struct slab *slab)
{
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        lists[slab->size_index] = slab->next;
    if (slab->next)
        slab->next->previous = slab->previous;
}

static struct slab *slab_make(unsigned index)
{
    struct slab *slab = bm_frame_allocate(0);
    if (!slab)
        return NULL;
    slab->free = NULL;
    slab->used = 0;
    slab->size_index = index;
    for (size_t at = HEAD; at + sizes[index] <= BM_PAGE_SIZE; at += sizes[index]) {
        void **block = (void **)((char *)slab + at);
        *block = slab->free;
        slab->free = block;
    }
    insert(slab);
    return slab;
}

static void *take(unsigned index)
{
    bm_spinlock_acquire(&lock);
    struct slab *slab = lists[index] ? lists[index] : slab_make(index);
    void **block = NULL;
    if (slab) {
        block = slab->free;
        slab->free = *block;
        slab->used++;
        if (!slab->free)
            unlink(slab);
    }
    bm_spinlock_release(&lock);
    return block;
}

static void give(void *block)
{
    struct slab *slab = (struct slab *)((uintptr_t)block & ~(BM_PAGE_SIZE - 1));
    bm_spinlock_acquire(&lock);
    if (!slab->free)
        insert(slab);
    *(void **)block = slab->free;
    slab->free = block;
    bool empty = --slab->used == 0;
    if (empty)
        unlink(slab);
    bm_spinlock_release(&lock);
    if (empty)
        bm_frame_free(slab, 0);
}

void *bm_file_allocate(size_t size)
{
    void *block;
    if (size > LARGEST) {
        block = bm_frame_allocate(bm_frame_order(size));
    } else {
        unsigned index = 0;
        while (sizes[index] < size)
            index++;
        block = take(index);
    }
    if (block)
        __builtin_memset(block, 0, size);
    return block;
}

void bm_file_free(void *block, size_t size)
{
    if (!block)
        return;
    if (size > LARGEST)
        bm_frame_free(block, bm_frame_order(size));
    else
        give(block);
}

void *bm_inode_memory_allocate(size_t size)
{
    return bm_file_allocate(size);
}

void bm_inode_memory_free(void *block, size_t size)
{
    bm_file_free(block, size);
}
