// Handlers: the frame that one finds on its stack, and the return from it. Layouts are Linux' for x86-64.
// SPDX-License-Identifier: MIT
//
// Everything here runs in an exception with interrupts off: of signal_entry.S, or one that the program's own
// text has caused (signal_fault.c). All registers are saved then, and those of vectors are still the
// program's. At these places this core holds no lock. What memory is touched has been looked up first.
#include "../cpu/fault_take.h"
#include "../memory/paging.h"
#include "../space/space.h"
#include "../wait/slice.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>

enum {
    RED_ZONE = 128,
    FXSAVE_SIZE = 512,
    HEADER_SIZE = 64, // of XSAVE's
    XSAVE_ALIGNMENT = 64,
    SOFTWARE = 464, // of FXSAVE's area, left to software: Linux tells there how much was saved
    MAGIC_1 = 0x46505853,
    MAGIC_2 = 0x46505845,
    INFORMATION = 128,         // bytes of siginfo_t
    CONTEXT_FLAGS = 1 | 2 | 4, // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
    MXCSR_DEFAULT = 0x1f80,
    MXCSR = 24 // in FXSAVE's area
};

// Of RFLAGS what a handler may change: CF, PF, AF, ZF, SF, DF, OF.
#define FLAGS_OWN   0xcd5ull
#define FLAG_ALWAYS 0x2ull
#define FLAG_IF     (1ull << 9)
#define FLAGS_OFF   (1ull << 8 | 1ull << 10 | 1ull << 16) // TF, DF, RF

// What ucontext_t begins with.
struct context {
    uint64_t flags, link;
    struct bm_linux_stack stack;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint64_t selectors, error, vector, old_mask, cr2;
    uint64_t state; // of x87 and vector registers, below
    uint64_t unused[8];
    uint64_t mask;
};

struct frame {
    void (*restorer)(void); // where the handler returns to
    struct context context;
    struct bm_linux_signal what;
    char rest[INFORMATION - sizeof(struct bm_linux_signal)];
};

static struct {
    uint64_t components; // XCR0
    uint32_t size;       // of what they take
    bool xsave;
} state;

static uint32_t state_room(void)
{
    return state.size + (state.xsave ? sizeof(uint32_t) : 0);
}

// Canonical, and an executable's in the lower half: IRETQ refuses others, and the rest is the kernel's.
bool bm_linux_signal_address(uint64_t address)
{
    enum { LOW_BITS = 47 };
    int64_t half = (int64_t)address >> LOW_BITS;
    return half == 0 || (half == -1 && !bm_linux_signals_late);
}

// Whether bytes can be read, or written. Pages that get their memory when they are touched have it then.
static bool is_there(uint64_t address, uint64_t size, bool written)
{
    uint64_t end = address + size, page;
    if (!bm_linux_signal_address(address) || !bm_linux_signal_address(end))
        return false;
    if (bm_space_touch)
        bm_space_touch(address, size, written);
    for (uint64_t at = address; at < end; at += page - (at & (page - 1))) {
        uint64_t entry = bm_paging_lookup(at, &page);
        if (!entry || (written && !(entry & BM_PTE_WRITE)))
            return false;
    }
    return end > address;
}

static void state_save(char *area)
{
    if (!state.xsave) {
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
        return;
    }
    __builtin_memset(area + FXSAVE_SIZE, 0, HEADER_SIZE);
    __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    uint32_t *software = (uint32_t *)(area + SOFTWARE);
    software[0] = MAGIC_1;
    software[1] = state_room();
    __builtin_memcpy(&software[2], &state.components, sizeof state.components);
    software[4] = state.size;
    *(uint32_t *)(area + state.size) = MAGIC_2;
}

static void state_initialise(void)
{
    uint32_t mxcsr = MXCSR_DEFAULT;
    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
}

// A handler may have written anything there; what the processor would refuse is put right.
static bool state_restore(uint64_t address)
{
    enum { MXCSR_VALID = 0xffff };
    if (!address) {
        state_initialise();
        return true;
    }
    if (address % 16 || !is_there(address, FXSAVE_SIZE, true))
        return false;
    char *area = (char *)address;
    *(uint32_t *)(area + MXCSR) &= MXCSR_VALID;
    bool whole = state.xsave && *(uint32_t *)(area + SOFTWARE) == MAGIC_1;
    if (whole && (address % XSAVE_ALIGNMENT || !is_there(address, state_room(), true)))
        return false;
    if (whole && *(uint32_t *)(area + state.size) == MAGIC_2) {
        uint64_t *header = (uint64_t *)(area + FXSAVE_SIZE);
        header[0] &= state.components;
        __builtin_memset(header + 1, 0, HEADER_SIZE - sizeof *header);
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    } else {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
    }
    return true;
}

static void context_fill(struct context *context, const struct bm_fault_frame *from)
{
    __builtin_memset(context, 0, sizeof *context);
    context->flags = CONTEXT_FLAGS & ~(state.xsave ? 0 : 1);
    context->r8 = from->r8;
    context->r9 = from->r9;
    context->r10 = from->r10;
    context->r11 = from->r11;
    context->r12 = from->r12;
    context->r13 = from->r13;
    context->r14 = from->r14;
    context->r15 = from->r15;
    context->rdi = from->rdi;
    context->rsi = from->rsi;
    context->rbp = from->rbp;
    context->rbx = from->rbx;
    context->rdx = from->rdx;
    context->rax = from->rax;
    context->rcx = from->rcx;
    context->rsp = from->rsp;
    context->rip = from->rip;
    context->rflags = from->rflags;
    context->selectors = from->cs | from->ss << 48;
    context->error = from->error;
    context->vector = from->vector;
}

static void context_take(const struct context *context, struct bm_fault_frame *to)
{
    to->r8 = context->r8;
    to->r9 = context->r9;
    to->r10 = context->r10;
    to->r11 = context->r11;
    to->r12 = context->r12;
    to->r13 = context->r13;
    to->r14 = context->r14;
    to->r15 = context->r15;
    to->rdi = context->rdi;
    to->rsi = context->rsi;
    to->rbp = context->rbp;
    to->rbx = context->rbx;
    to->rdx = context->rdx;
    to->rax = context->rax;
    to->rcx = context->rcx;
    to->rsp = context->rsp;
    to->rip = context->rip;
    to->rflags = (context->rflags & FLAGS_OWN) | FLAG_ALWAYS | FLAG_IF;
}

// Where a handler's stack begins: below what is interrupted, or at the end of the thread's stack for that.
static uint64_t stack_begin(const struct bm_linux_signals *self, uint64_t pointer,
                            const struct bm_linux_action *action)
{
    if (action->flags & LINUX_SA_ONSTACK && self->stack.size && !bm_linux_stack_is_within(self, pointer))
        return (uint64_t)self->stack.address + self->stack.size;
    return pointer - RED_ZONE;
}

bool bm_linux_signal_frame(struct bm_linux_signals *self, struct bm_fault_frame *to,
                           const struct bm_linux_signal *what, const struct bm_linux_action *action)
{
    uint64_t top = stack_begin(self, to->rsp, action), cr2;
    uint64_t area = (top - state_room()) & ~(uint64_t)(XSAVE_ALIGNMENT - 1);
    struct frame *frame = (struct frame *)(((area - sizeof *frame) & ~15ull) - 8);
    uint64_t begin = (uint64_t)frame, on_stack = (uint64_t)self->stack.address;
    if (begin >= top || !is_there(begin, top - begin, true) ||
        !bm_linux_signal_address((uint64_t)action->handler))
        return false;
    if (self->stack.size && top - 1 - on_stack < self->stack.size && begin < on_stack)
        return false;
    state_save((char *)area);
    state_initialise();
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    context_fill(&frame->context, to);
    frame->context.cr2 = cr2;
    frame->context.state = area;
    frame->context.stack = bm_linux_stack_at(self, to->rsp);
    uint64_t before = atomic_load(&self->blocked);
    frame->context.mask = self->has_saved ? self->saved : before;
    frame->context.old_mask = frame->context.mask;
    self->has_saved = false;
    frame->restorer = action->restorer ? action->restorer : (void (*)(void))bm_linux_rt_sigreturn;
    frame->what = *what;
    __builtin_memset(frame->rest, 0, sizeof frame->rest);
    bm_linux_signal_mask(self,
                         before | action->mask |
                             (action->flags & LINUX_SA_NODEFER ? 0 : bm_linux_signal_bit(what->signal)));
    bm_linux_stack_entered(self);
    to->rdi = (uint64_t)what->signal;
    to->rsi = (uint64_t)&frame->what;
    to->rdx = (uint64_t)&frame->context;
    to->rax = 0;
    to->rsp = begin;
    to->rip = (uint64_t)action->handler;
    to->rflags &= ~FLAGS_OFF;
    return true;
}

// The program ends where it would have gone on; an executable on its kernel stack, which is empty there,
// since its own may be anywhere.
static void enter_death(struct bm_fault_frame *frame, int signal)
{
    frame->rdi = (uint64_t)signal;
    if (bm_linux_signals_late)
        frame->rsp = bm_fiber_self()->kernel_stack;
    frame->rsp = ((frame->rsp - RED_ZONE) & ~15ull) - 8;
    frame->rip = (uint64_t)bm_linux_signal_die;
    frame->rflags &= ~FLAGS_OFF;
}

// What becomes of the call that the first handler interrupts, if it waited.
static void first_of_call(struct bm_fault_frame *frame, enum bm_linux_outcome outcome)
{
    frame->rax = outcome == BM_LINUX_INTERRUPTED ? (uint64_t)-BM_EINTR : 0;
}

// SYSCALL stands before where it returns to, and its number in the place of an error code.
static void first_of_syscall(struct bm_fault_frame *frame, enum bm_linux_outcome outcome)
{
    enum { SYSCALL_SIZE = 2 };
    bool unhandled = frame->rax == (uint64_t)-BM_ERESTART_UNHANDLED;
    bool always = frame->rax == (uint64_t)-BM_ERESTART_ALWAYS;
    if (frame->rax != (uint64_t)-BM_ERESTART && !unhandled && !always)
        return;
    bool again = always || (unhandled ? outcome == BM_LINUX_UNHANDLED : outcome != BM_LINUX_INTERRUPTED);
    frame->rax = again ? frame->error : (uint64_t)-BM_EINTR;
    frame->rip -= again ? SYSCALL_SIZE : 0;
}

// A frame that nobody could return to, or that has no place: SIGSEGV, which ends the program when it has no
// handler, or blocks it.
static void refuse_frame(struct bm_linux_signals *self, struct bm_fault_frame *frame)
{
    const struct bm_linux_signal what = {.signal = LINUX_SIGSEGV, .code = LINUX_SI_KERNEL};
    struct bm_linux_action action = bm_linux_action_of(LINUX_SIGSEGV, false);
    bool handled =
        (uintptr_t)action.handler > 1 && !(atomic_load(&self->blocked) & bm_linux_signal_bit(LINUX_SIGSEGV));
    frame->rflags &= ~FLAGS_OFF;
    if (handled && bm_linux_signal_frame(self, frame, &what, &action))
        bm_linux_action_of(LINUX_SIGSEGV, true);
    else
        enter_death(frame, LINUX_SIGSEGV);
}

void bm_linux_signal_enter(struct bm_linux_signals *self, struct bm_fault_frame *frame,
                           void (*first)(struct bm_fault_frame *frame, enum bm_linux_outcome outcome))
{
    struct bm_linux_signal what;
    while (bm_linux_signal_next(self, ~atomic_load(&self->blocked), &what)) {
        const struct bm_linux_action action = bm_linux_action_of(what.signal, true);
        if (bm_linux_action_ignores(&action, what.signal))
            continue;
        if (first)
            first(frame, action.flags & LINUX_SA_RESTART ? BM_LINUX_RESTARTED : BM_LINUX_INTERRUPTED);
        first = NULL; // those that come on top interrupt a handler
        bool entered = action.handler && bm_linux_signal_frame(self, frame, &what, &action);
        if (!entered && action.handler && what.signal != LINUX_SIGSEGV)
            refuse_frame(self, frame);
        else if (!entered)
            enter_death(frame, what.signal);
        if (!entered)
            return;
    }
    if (first)
        first(frame, BM_LINUX_UNHANDLED);
    if (self->has_saved && first) {
        self->has_saved = false;
        bm_linux_signal_mask(self, self->saved);
    }
}

void bm_linux_signal_leave_call(struct bm_fault_frame *frame)
{
    bm_linux_signal_prepare();
    bm_linux_signal_enter(bm_linux_signals_self(), frame, first_of_syscall);
}

void bm_linux_signal_return(struct bm_fault_frame *frame)
{
    struct bm_linux_signals *self = bm_linux_signals_self();
    struct context context;
    bm_linux_signal_prepare(); // an executable may come here without any signal
    if (!is_there(frame->rsp, sizeof context, false)) {
        refuse_frame(self, frame);
        return;
    }
    __builtin_memcpy(&context, (const void *)frame->rsp, sizeof context);
    context_take(&context, frame);
    bm_linux_signal_mask(self, context.mask);
    bm_linux_stack_set(self, &context.stack, frame->rsp);
    if (!state_restore(context.state) || !bm_linux_signal_address(context.rip))
        refuse_frame(self, frame);
}

// What slice.c has left on the stack for a thread that it lets take its signals.
static void resume(struct bm_fault_frame *frame)
{
    const uint64_t *words = (const uint64_t *)frame->rsp;
    frame->rip = words[0];
    frame->rsp = words[1];
    if (bm_linux_timers_serve)
        bm_linux_timers_serve();
}

static bool take(struct bm_fault_frame *frame)
{
    bool call = frame->rip == (uint64_t)bm_linux_signal_called;
    if (call)
        frame->rax = 0;
    else if (frame->rip == (uint64_t)bm_linux_signal_injected)
        resume(frame);
    else if (frame->rip == (uint64_t)bm_linux_signal_returned)
        bm_linux_signal_return(frame);
    else
        return bm_linux_signal_fault(frame);
    bm_linux_signal_enter(bm_linux_signals_self(), frame, call ? first_of_call : NULL);
    return true;
}

uint64_t bm_slice_signal_due(uint64_t now)
{
    const struct bm_fiber *fiber = bm_fiber_self();
    const struct bm_linux_signals *self = bm_linux_signals_of(fiber);
    if (self && bm_linux_signal_ready((void *)(uintptr_t)self))
        return now;
    return bm_linux_timers_due ? bm_linux_timers_due() : UINT64_MAX;
}

static void state_measure(void)
{
    enum { LEAF_STATE = 0xd };
    uint32_t low, high;
    state.size = FXSAVE_SIZE;
    state.xsave = bm_cpu_features_get()->xsave;
    if (!state.xsave)
        return;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    state.components = low | (uint64_t)high << 32;
    state.size = bm_cpu_id(LEAF_STATE, 0).ebx; // of what XCR0 enables
}

void bm_linux_signal_prepare(void)
{
    static struct bm_fault_taker taker = {.take = take};
    static atomic_bool done;
    static struct bm_spinlock lock = BM_SPINLOCK_INIT;
    if (atomic_load_explicit(&done, memory_order_acquire))
        return;
    bm_spinlock_acquire(&lock);
    if (!atomic_load(&done)) {
        state_measure();
        bm_fault_taker_add(&taker);
        atomic_store(&done, true);
    }
    bm_spinlock_release(&lock);
}
