// Threads of a Linux program: the raw calls, whose child goes on behind the same instruction on a stack of
// its own.
// SPDX-License-Identifier: MIT
#include "../thread/thread.h"
#include "../linux/clone.h"
#include "../linux/linux.h"
#include "../space/space.h"
#include "../wait/fiber.h"
#include "executable.h"

#include <baremetal/error.h>

enum { KERNEL_STACK = 64 << 10 }; // the network runs on it while a call waits

// At the end of a new thread's kernel stack.
struct start {
    uint32_t *word; // CLONE_CHILD_SETTID: gets the thread's number; NULL: none does
    struct bm_executable_frame frame;
};

// On the new thread's kernel stack, which goes when the thread has left it.
static int begin(void *arg)
{
    const struct start *start = arg;
    struct bm_executable_frame frame = start->frame;
    char *end = (char *)arg + sizeof *start;
    if (start->word && bm_space_reachable((uint64_t)start->word, sizeof *start->word, true))
        *start->word = (uint32_t)bm_linux_thread();
    bm_thread_left_set((void (*)(void *, size_t))bm_thread_stack_give, end, KERNEL_STACK);
    bm_executable_enter_frame(&frame);
}

static long clone(const struct bm_executable_frame *parent, uint64_t flags, uint64_t stack,
                  uint64_t parent_word, uint64_t child_word, uint64_t pointer)
{
    if (flags & LINUX_CLONE_SETTLS && pointer >= BM_EXECUTABLE_END)
        return -BM_EPERM;
    char *end = bm_thread_stack_take(KERNEL_STACK);
    if (!end)
        return -BM_ENOMEM;
    struct start *start = (void *)(end - sizeof *start);
    start->word = flags & LINUX_CLONE_CHILD_SETTID ? (uint32_t *)child_word : NULL;
    start->frame = *parent;
    start->frame.rsp = stack ? stack : parent->rsp;
    if (!(flags & LINUX_CLONE_SETTLS))
        pointer = bm_fiber_self()->thread_pointer;
    long result = bm_linux_clone_thread(begin, start, flags | LINUX_CLONE_SETTLS, start, (int *)parent_word,
                                        (void *)pointer, (int *)child_word);
    if (result < 0)
        bm_thread_stack_give(end, KERNEL_STACK);
    return result;
}

static bool is_word(uint64_t address)
{
    return !(address % sizeof(uint32_t)) && bm_space_reachable(address, sizeof(uint32_t), true);
}

void bm_executable_thread_ends(void)
{
    if (bm_linux_thread() == LINUX_PROCESS) {
        if (!is_word((uint64_t)bm_linux_main_word))
            bm_linux_main_word = NULL;
        return;
    }
    struct bm_thread *self = (struct bm_thread *)bm_fiber_self();
    if (!is_word((uint64_t)self->clear))
        self->clear = NULL;
}

static bool are_words(uint64_t flags, uint64_t parent_word, uint64_t child_word)
{
    return (!(flags & LINUX_CLONE_PARENT_SETTID) || is_word(parent_word)) &&
           (!(flags & (LINUX_CLONE_CHILD_CLEARTID | LINUX_CLONE_CHILD_SETTID)) || is_word(child_word));
}

long bm_executable_clone(const struct bm_executable_frame *frame)
{
    if (!are_words(frame->rdi, frame->rdx, frame->r10))
        return -BM_EFAULT;
    return clone(frame, frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8);
}

// struct clone_args.
struct arguments {
    uint64_t flags, process, child, parent, signal, stack, stack_size, pointer;
};

long bm_executable_clone3(const struct bm_executable_frame *frame)
{
    struct arguments arguments;
    if (frame->rsi < sizeof arguments)
        return -BM_EINVAL;
    if (!bm_space_reachable(frame->rdi, sizeof arguments, false))
        return -BM_EFAULT;
    __builtin_memcpy(&arguments, (const void *)frame->rdi, sizeof arguments);
    if (!are_words(arguments.flags, arguments.parent, arguments.child))
        return -BM_EFAULT;
    return clone(frame, arguments.flags, arguments.stack + arguments.stack_size, arguments.parent,
                 arguments.child, arguments.pointer);
}
