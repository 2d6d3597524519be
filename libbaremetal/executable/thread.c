// Threads of a Linux program: the raw calls, whose child goes on behind the same instruction on a stack of
// its own.
// SPDX-License-Identifier: MIT
#include "../thread/thread.h"
#include "../linux/linux.h"
#include "../space/space.h"
#include "../wait/fiber.h"
#include "executable.h"

#include <baremetal/error.h>

enum { KERNEL_STACK = 64 << 10 }; // the network runs on it while a call waits

// On the new thread's kernel stack, which goes when the thread has left it.
static int begin(void *arg)
{
    struct bm_executable_frame frame = *(struct bm_executable_frame *)arg;
    char *end = (char *)arg + sizeof frame;
    bm_thread_left_set((void (*)(void *, size_t))bm_thread_stack_give, end, KERNEL_STACK);
    bm_executable_enter_frame(&frame);
}

static long clone(const struct bm_executable_frame *parent, uint64_t flags, uint64_t stack,
                  uint64_t parent_word, uint64_t child_word, uint64_t pointer)
{
    char *end = bm_thread_stack_take(KERNEL_STACK);
    if (!end)
        return -BM_ENOMEM;
    struct bm_executable_frame *frame = (void *)(end - sizeof *frame);
    *frame = *parent;
    frame->rsp = stack ? stack : parent->rsp;
    if (!(flags & LINUX_CLONE_SETTLS))
        pointer = bm_fiber_self()->thread_pointer;
    long result = bm_linux_clone_thread(begin, frame, flags | LINUX_CLONE_SETTLS, frame, (int *)parent_word,
                                        (void *)pointer, (int *)child_word);
    if (result < 0)
        bm_thread_stack_give(end, KERNEL_STACK);
    return result;
}

static bool is_word(uint64_t address)
{
    return !(address % sizeof(uint32_t)) && bm_space_reachable(address, sizeof(uint32_t), true);
}

static bool are_words(uint64_t flags, uint64_t parent_word, uint64_t child_word)
{
    return (!(flags & LINUX_CLONE_PARENT_SETTID) || is_word(parent_word)) &&
           (!(flags & LINUX_CLONE_CHILD_CLEARTID) || is_word(child_word));
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
