// Signals of a Linux program: its handlers run when a call is left, or when a tick of the time slices, or a
// fault, finds its own text.
// SPDX-License-Identifier: MIT
#include "../cpu/core.h"
#include "../linux/linux.h"
#include "../linux/signals.h"
#include "executable.h"

bool bm_executable_signals_due(long result)
{
    struct bm_linux_signals *self = bm_linux_signals_self();
    return result == -BM_ERESTART || result == -BM_ERESTART_ALWAYS || result == -BM_ERESTART_UNHANDLED ||
           self->has_saved || bm_linux_signal_ready(self);
}

// The registers of a call that has ended, as an exception behind the instruction would find them.
static struct bm_fault_frame frame_of(const struct bm_executable_frame *from, long result)
{
    return (struct bm_fault_frame){.r15 = from->r15,
                                   .r14 = from->r14,
                                   .r13 = from->r13,
                                   .r12 = from->r12,
                                   .r11 = from->rflags,
                                   .r10 = from->r10,
                                   .r9 = from->r9,
                                   .r8 = from->r8,
                                   .rbp = from->rbp,
                                   .rdi = from->rdi,
                                   .rsi = from->rsi,
                                   .rdx = from->rdx,
                                   .rcx = from->rip,
                                   .rbx = from->rbx,
                                   .rax = (uint64_t)result,
                                   .error = from->number,
                                   .rip = from->rip,
                                   .cs = BM_SELECTOR_CODE,
                                   .rflags = from->rflags,
                                   .rsp = from->rsp,
                                   .ss = BM_SELECTOR_DATA};
}

void bm_executable_signals_leave(const struct bm_executable_frame *call, long result)
{
    struct bm_fault_frame frame = frame_of(call, result);
    __asm__ volatile("cli");
    bm_linux_signal_leave_call(&frame);
    bm_executable_leave(&frame);
}

void bm_executable_signals_return(const struct bm_executable_frame *call)
{
    struct bm_fault_frame frame = frame_of(call, 0);
    __asm__ volatile("cli");
    bm_linux_signal_return(&frame);
    bm_linux_signal_enter(bm_linux_signals_self(), &frame, NULL); // %rax is the program's, whatever it says
    bm_executable_leave(&frame);
}

long bm_executable_sigaltstack(const struct bm_executable_frame *call)
{
    const struct bm_linux_stack *wanted = (const struct bm_linux_stack *)call->rdi;
    struct bm_linux_stack *old = (struct bm_linux_stack *)call->rsi;
    struct bm_linux_signals *self = bm_linux_signals_self();
    struct bm_linux_stack before = bm_linux_stack_at(self, call->rsp);
    long error = wanted ? bm_linux_stack_set(self, wanted, call->rsp) : 0;
    if (old && !error)
        *old = before;
    return error;
}
