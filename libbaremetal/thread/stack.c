// Stacks of threads.
// SPDX-License-Identifier: MIT
//
// A stack that a thread has left is kept for the next one of its size, the one left last first, since its
// lines may still be in the cache. Its pages stay mapped: to take them away all cores would have to be
// interrupted. So threads hold the memory of as many stacks as there were at once.
#include "thread.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>

// Stands at the beginning of a stack that nobody uses.
struct unused {
    struct unused *next;
    size_t size;
};

enum { LISTS = 16 };
static struct unused *lists[LISTS]; // by size, so that a list seldom has two sizes
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

static struct unused **list_of(size_t size)
{
    return &lists[size / BM_PAGE_SIZE % LISTS];
}

static char *reuse(size_t size)
{
    bm_spinlock_acquire(&lock);
    struct unused **link = list_of(size);
    while (*link && (*link)->size != size)
        link = &(*link)->next;
    struct unused *found = *link;
    if (found)
        *link = found->next;
    bm_spinlock_release(&lock);
    return (char *)found;
}

// A stack that gets a part of its memory only would keep that, so it is not even begun unless there is
// enough.
static char *make(size_t size)
{
    enum { SPARE = 64 << 10 }; // for page tables, and for what others take meanwhile
    if (size + SPARE > bm_memory_statistics_get().free)
        return NULL;
    char *end = bm_memory_stack(size);
    return end ? end - size : NULL;
}

void *bm_thread_stack_take(size_t size)
{
    char *bottom = reuse(size);
    if (!bottom)
        bottom = make(size);
    return bottom ? bottom + size : NULL;
}

void bm_thread_stack_give(void *end, size_t size)
{
    struct unused *stack = (struct unused *)(void *)((char *)end - size);
    stack->size = size;
    bm_spinlock_acquire(&lock);
    stack->next = *list_of(size);
    *list_of(size) = stack;
    bm_spinlock_release(&lock);
}
