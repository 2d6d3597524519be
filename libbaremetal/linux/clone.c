// Threads of the C library, on <baremetal/thread.h>.
// SPDX-License-Identifier: MIT
#include "clone.h"
#include "../space/space.h"
#include "../thread/futex.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/thread.h>

#include <stdatomic.h>

// At the end of the stack that the C library made.
struct start {
    int (*function)(void *);
    void *arg;
};

// pthread_create maps large stacks with MAP_NORESERVE.
static const char *const fault_needed __attribute__((used)) = &bm_space_fault_linked;

static atomic_uint threads = 1; // with main

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    bm_linux_exit(start.function(start.arg));
    return NULL;
}

// A process of its own cannot be had: all that threads share must be shared.
long bm_linux_clone_thread(int (*function)(void *), void *stack, unsigned long flags, void *arg, int *parent,
                           void *tls, int *child)
{
    enum {
        SHARED = LINUX_CLONE_VM | LINUX_CLONE_FS | LINUX_CLONE_FILES | LINUX_CLONE_SIGHAND |
                 LINUX_CLONE_THREAD | LINUX_CLONE_SETTLS
    };
    static bool told;
    if ((flags & SHARED) != SHARED)
        return bm_linux_absent("clone", &told);
    struct start *start = (void *)(((uintptr_t)stack - sizeof *start) & ~15ul);
    *start = (struct start){function, arg};
    struct bm_thread_options options = {.stack = start, .thread_pointer = tls, .detached = true};
    if (flags & LINUX_CLONE_CHILD_CLEARTID)
        options.clear = (bm_futex *)child;
    if (flags & LINUX_CLONE_PARENT_SETTID)
        options.number = (uint32_t *)parent;
    struct bm_thread *thread;
    atomic_fetch_add(&threads, 1);
    int error = bm_thread_create(&thread, begin, start, &options);
    if (error)
        atomic_fetch_sub(&threads, 1);
    return error ? error : (long)bm_thread_id(thread);
}

void bm_linux_thread_word(uint32_t *word)
{
    bm_thread_clear_set((bm_futex *)word);
}

int bm_linux_requeue(const bm_futex *word, const bm_futex *key, unsigned wake, unsigned move,
                     const bm_futex *to, const uint32_t *expected)
{
    return bm_futex_requeue_as(word, key, wake, move, to, expected);
}

void bm_linux_thread_end(void)
{
    if (atomic_fetch_sub(&threads, 1) == 1)
        return;
    if (bm_linux_thread() == LINUX_PROCESS)
        bm_linux_thread_word(bm_linux_main_word);
    bm_linux_signals_end();
    bm_thread_exit(NULL);
}

static void unmap(void *stack, size_t size)
{
    bm_space_unmap((uint64_t)stack, size);
}

long bm_linux_exit_unmapping(void *stack, size_t size)
{
    bm_thread_left_set(unmap, stack, size);
    return bm_linux_exit(0);
}
