// Threads: their making, their end, and main as one of them.
// SPDX-License-Identifier: MIT
// @optimize balance
#include "thread.h"
#include "futex.h"

#include "../base/core.h"
#include "../work/work.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/futex.h>
#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

// A thread's life, by bits. GIVEN: it was joined; noted in the checked build alone.
enum { ENDED = 1, DETACHED = 2, GIVEN = 4 };

static struct bm_thread *free_threads;
static struct bm_spinlock free_lock = BM_SPINLOCK_INIT;
static struct bm_thread *_Atomic unnumbered; // made when there were no numbers left: the next one's
static _Atomic(unsigned) count = 1;

// A thread's structure, numbered; those given back come first. NULL: -BM_EAGAIN or -BM_ENOMEM in *error.
static struct bm_thread *take(int *error)
{
    bm_spinlock_acquire(&free_lock);
    struct bm_thread *thread = free_threads;
    if (thread)
        free_threads = thread->next_free;
    bm_spinlock_release(&free_lock);
    if (thread)
        return thread;
    *error = -BM_ENOMEM;
    thread = atomic_exchange(&unnumbered, NULL);
    if (!thread)
        thread = bm_memory_permanent(sizeof *thread, 64);
    if (thread && !bm_fiber_number(&thread->fiber)) {
        *error = -BM_EAGAIN;
        atomic_store(&unnumbered, thread);
        thread = NULL;
    }
    return thread;
}

static void give(struct bm_thread *thread)
{
    BM_CHECK(atomic_fetch_or(&thread->life, GIVEN));
    bm_spinlock_acquire(&free_lock);
    thread->next_free = free_threads;
    free_threads = thread;
    bm_spinlock_release(&free_lock);
}

// On another stack than the thread's: it is nobody's from here on.
static void gone(struct bm_fiber *fiber)
{
    struct bm_thread *thread = (struct bm_thread *)fiber;
    if (thread->stack)
        bm_thread_stack_give(thread->stack, thread->size);
    if (thread->left)
        thread->left(thread->left_stack, thread->left_size);
    if (thread->clear) {
        const bm_futex *key = bm_futex_everywhere(thread->clear);
        atomic_store(thread->clear, 0); // who joins may unmap it from here on
        bm_futex_wake(key, 1, BM_FUTEX_ALL);
    }
    atomic_fetch_sub(&count, 1);
    if (atomic_fetch_or(&thread->life, ENDED) & DETACHED)
        give(thread);
    else
        bm_waitqueue_wake_all(&thread->joiners);
}

static void begin(void *arg)
{
    struct bm_thread *thread = arg;
    bm_thread_exit(thread->function(thread->arg));
}

void bm_thread_exit(void *result)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_thread *self = bm_thread_self();
    BM_ASSERT(self, "an item of work must not end a thread");
    self->arg = result;
    bm_fiber_leave();
}

// The stack, and what stands at its end. Returns where it ends for the thread, NULL when memory ends.
static void *stack_make(struct bm_thread *thread, const struct bm_thread_options *options, int *error)
{
    size_t size = options->stack_size ? options->stack_size : BM_THREAD_STACK_DEFAULT;
    void *end = options->stack;
    thread->stack = NULL;
    thread->fiber.stack_bottom = end && options->stack_size ? (uint64_t)end - size : 0;
    if (!end) {
        if (size > PTRDIFF_MAX) // rounding must not wrap
            return NULL;
        size = (size + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
        thread->size = size;
        end = thread->stack = bm_thread_stack_take(size);
    }
    thread->fiber.thread_pointer = (uint64_t)options->thread_pointer;
    if (end && !options->thread_pointer) {
        thread->fiber.thread_pointer = (uint64_t)bm_tls_make(&end, size, thread->fiber.context);
        if (!thread->fiber.thread_pointer) {
            *error = -BM_EINVAL;
            if (thread->stack)
                bm_thread_stack_give(thread->stack, size);
            end = NULL;
        }
    }
    return end;
}

int bm_thread_create(struct bm_thread **result, void *(*function)(void *arg), void *arg,
                     const struct bm_thread_options *options)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(function, "a thread must have a function");
    static const struct bm_thread_options usual;
    int error = -BM_ENOMEM;
    options = options ? options : &usual;
    bm_fiber_begin_all();
    struct bm_thread *thread = bm_thread_adopt() ? take(&error) : NULL;
    if (!thread)
        return error;
    void *end = stack_make(thread, options, &error);
    if (!end) {
        give(thread);
        return error;
    }
    thread->function = function;
    thread->arg = arg;
    thread->clear = options->clear;
    thread->left = NULL;
    if (bm_linux_signals_begin)
        bm_linux_signals_begin(thread);
    if (options->number)
        *options->number = thread->fiber.context;
    atomic_store_explicit(&thread->life, options->detached ? DETACHED : 0, memory_order_relaxed);
    bm_thread_name_set(thread, options->name ? options->name : "");
    thread->fiber.gone = gone;
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    *result = thread;
    bm_fiber_prepare(&thread->fiber, end, begin, thread);
    bm_fiber_start(&thread->fiber);
    return 0;
}

static bool has_ended(void *arg)
{
    return bm_thread_has_ended(arg);
}

int bm_thread_join(struct bm_thread *thread, void **result, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT((atomic_load(&thread->life) & (GIVEN | DETACHED)) != GIVEN,
              "a thread that was joined must not be named again");
    if (&thread->fiber == bm_fiber_self())
        return -BM_EDEADLK;
    if (atomic_load(&thread->life) & DETACHED)
        return -BM_EINVAL;
    if (!bm_waitqueue_wait(&thread->joiners, has_ended, thread, deadline))
        return -BM_ETIMEDOUT;
    if (result)
        *result = thread->arg;
    give(thread);
    return 0;
}

bool bm_thread_has_ended(const struct bm_thread *thread)
{
    return atomic_load(&thread->life) & ENDED;
}

int bm_thread_detach(struct bm_thread *thread)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT((atomic_load(&thread->life) & (GIVEN | DETACHED)) != GIVEN,
              "a thread that was joined must not be named again");
    unsigned before = atomic_fetch_or(&thread->life, DETACHED);
    if (before & DETACHED)
        return -BM_EINVAL;
    if (before & ENDED)
        give(thread);
    return 0;
}

struct bm_thread *bm_thread_self(void)
{
    bm_thread_adopt();
    struct bm_fiber *self = bm_fiber_self();
    return self && !self->is_loop ? (struct bm_thread *)self : NULL;
}

unsigned bm_thread_id(const struct bm_thread *thread)
{
    return thread->fiber.context;
}

void bm_thread_yield(void)
{
    BM_ASSERT_MAY_WAIT();
    bm_fiber_yield();
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

void bm_thread_sleep(uint64_t until)
{
    BM_ASSERT_MAY_WAIT();
    bm_wait_woken(never, NULL, until);
}

void bm_thread_name_set(struct bm_thread *thread, const char *name)
{
    size_t length = 0;
    for (; name[length] && length < BM_THREAD_NAME_SIZE - 1; length++)
        thread->name[length] = name[length];
    thread->name[length] = 0;
    thread->fiber.name = thread->name;
}

void bm_thread_name_get(const struct bm_thread *thread, char *name)
{
    __builtin_memcpy(name, thread->name, BM_THREAD_NAME_SIZE);
}

void bm_thread_pointer_set(void *pointer)
{
    bm_fiber_pointer_set((uint64_t)pointer);
}

void bm_thread_clear_set(_Atomic(uint32_t) *word)
{
    struct bm_thread *self = bm_thread_self();
    if (self)
        self->clear = word;
}

void bm_thread_left_set(void (*function)(void *stack, size_t size), void *stack, size_t size)
{
    struct bm_thread *self = bm_thread_self();
    if (!self)
        return;
    self->left = function;
    self->left_stack = stack;
    self->left_size = size;
}

unsigned bm_thread_count(void)
{
    return atomic_load(&count);
}

// What core 0 runs when main has left it: the same as every other core.
static void loop_begin(void *arg)
{
    (void)arg;
    bm_fiber_loop_back();
    bm_work_loop();
}

// As big as those of the other cores (start/cores.c), whose work it may run.
static size_t loop_stack_size(void)
{
    enum { MAX = 256 << 10, MIN = 32 << 10 };
    uint64_t size = bm_memory_statistics_get().total / 32 & ~(BM_PAGE_SIZE - 1);
    return size > MAX ? MAX : size < MIN ? MIN : (size_t)size;
}

// A stack for that loop with the thread-local variables at its end, as many as the program has, and enough
// below them. Returns where it ends for the loop; NULL when memory ends.
static void *loop_stack_make(struct bm_fiber *loop)
{
    enum { LARGEST = 1 << 30 };
    size_t wanted = loop_stack_size();
    for (size_t size = wanted; size <= LARGEST; size *= 2) {
        void *stack = bm_thread_stack_take(size), *end = stack;
        if (!stack)
            return NULL;
        loop->thread_pointer = (uint64_t)bm_tls_make(&end, size, BM_CONTEXT_LOOP_0);
        if (loop->thread_pointer && size - (size_t)((char *)stack - (char *)end) >= wanted / 2)
            return end;
        bm_thread_stack_give(stack, size);
    }
    return NULL;
}

bool bm_thread_adopt(void)
{
    static struct bm_thread main, loop;
    if (bm_context_id() != BM_CONTEXT_MAIN || bm_fiber_self())
        return bm_fiber_self() || bm_context_id() != BM_CONTEXT_MAIN;
    if (bm_tls_ready && !bm_tls_ready())
        return false;
    void *end = loop_stack_make(&loop.fiber);
    if (!end)
        return false;
    bm_fiber_prepare(&loop.fiber, end, loop_begin, NULL);
    bm_thread_name_set(&main, "main");
    main.fiber.gone = gone;
    atomic_store(&main.life, 0);
    bm_fiber_adopt(&main.fiber, &loop.fiber);
    bm_fiber_number(&main.fiber);
    return true;
}
