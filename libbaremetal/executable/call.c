// A program's calls: from the SYSCALL instruction to the functions of linux/.
// SPDX-License-Identifier: MIT
//
// What an argument points to is looked at first: an address that cannot be reached gives EFAULT, never a
// report of a fault of the kernel. (Another thread that unmaps it meanwhile does.) Linux keeps vector
// registers over calls. The kernel has none, but the network is compiled with them, and whoever waits serves
// it: they are saved but for calls that are known to do neither.
#include "executable.h"

#include "../base/core.h"
#include "../linux/linux.h"
#include "../linux/netlink.h"
#include "../wait/fiber.h"

_Static_assert(offsetof(struct bm_fiber, kernel_stack) == 16, "entry.S says so");
_Static_assert((int)BM_EXECUTABLE_NUMBERS == (int)BM_LINUX_TABLE, "a class for each call");

uint8_t bm_executable_classes[BM_EXECUTABLE_NUMBERS];

enum {
#define BM_LINUX_NUMBER(number, name) NUMBER_##name = (number),
#include "../linux/numbers.def"
};

// Nobody knows whether the executable asks for it.
static long (*const netlink)(int type, int protocol) __attribute__((used)) = bm_linux_netlink;

void bm_executable_classes_make(void)
{
    static const uint16_t quick[] = {NUMBER_getpid,  NUMBER_gettid, NUMBER_getppid, NUMBER_getuid,
                                     NUMBER_geteuid, NUMBER_getgid, NUMBER_getegid, NUMBER_umask};
    // Not mmap, which may read from a disk, nor getrandom, which may ask a device.
    static const uint16_t plain[] = {NUMBER_mprotect,
                                     NUMBER_munmap,
                                     NUMBER_madvise,
                                     NUMBER_mremap,
                                     NUMBER_brk,
                                     NUMBER_clock_gettime,
                                     NUMBER_gettimeofday,
                                     NUMBER_clock_getres,
                                     NUMBER_rt_sigprocmask,
                                     NUMBER_rt_sigaction,
                                     NUMBER_sigaltstack,
                                     NUMBER_arch_prctl,
                                     NUMBER_uname,
                                     NUMBER_set_robust_list,
                                     NUMBER_set_tid_address};
    for (size_t i = 0; i < sizeof quick / sizeof *quick; i++)
        bm_executable_classes[quick[i]] |= BM_EXECUTABLE_QUICK;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        bm_executable_classes[plain[i]] |= BM_EXECUTABLE_PLAIN;
}

// %gs is the kernel's, and %fs takes canonical addresses alone.
static long set_pointer(int code, uint64_t address)
{
    return code == LINUX_ARCH_SET_FS && address >= BM_EXECUTABLE_END ? -BM_EPERM
                                                                     : bm_linux_arch_prctl(code, address);
}

// What means something else for a program as it is than for one that is linked with musl.
long bm_executable_answer(struct bm_executable_frame *frame)
{
    switch (frame->number) {
    case NUMBER_brk:
        return bm_executable_break(frame->rdi);
    case NUMBER_arch_prctl:
        return set_pointer((int)frame->rdi, frame->rsi);
    case NUMBER_clone:
        return bm_executable_clone(frame);
    case NUMBER_clone3:
        return bm_executable_clone3(frame);
    case NUMBER_exit:
        bm_executable_thread_ends();
        return bm_linux_exit((int)frame->rdi);
    case NUMBER_sigaltstack:
        return bm_executable_sigaltstack(frame);
    case NUMBER_rseq: // C libraries ask for it and do without
        return -BM_ENOSYS;
    default:
        return bm_linux_call((long)frame->number, (long)frame->rdi, (long)frame->rsi, (long)frame->rdx,
                             (long)frame->r10, (long)frame->r8, (long)frame->r9);
    }
}

static long answer_checked(struct bm_executable_frame *frame)
{
    uint8_t class = frame->number < BM_EXECUTABLE_NUMBERS ? bm_executable_classes[frame->number] : 0;
    if (class & BM_EXECUTABLE_POINTERS) {
        const uint64_t arguments[6] = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9};
        if (!bm_executable_pointers_valid(frame->number, arguments))
            return -BM_EFAULT;
    }
    return class & BM_EXECUTABLE_PLAIN ? bm_executable_answer(frame) : bm_executable_call_saved(frame);
}

long bm_executable_call(struct bm_executable_frame *frame)
{
    if (frame->number == NUMBER_rt_sigreturn)
        bm_executable_signals_return(frame);
    long result = answer_checked(frame);
    if (bm_executable_signals_due(result))
        bm_executable_signals_leave(frame, result);
    return result;
}
