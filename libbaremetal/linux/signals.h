// Signals of each thread, and how they end a wait. Weak: programs without signals do not link them.
// SPDX-License-Identifier: MIT
#pragma once

#include "../wait/hooks.h"
#include "abi.h"

#include <baremetal/lock.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct bm_fault_frame;
struct bm_thread;
struct futex_waiter;

// What sigaltstack tells: Linux' stack_t.
struct bm_linux_stack {
    void *address;
    int flags, pad;
    size_t size;
};

// What Linux' siginfo_t begins with; what is behind it is 0.
struct bm_linux_signal {
    int signal, error, code, pad;
    uint64_t words[4]; // from a process: its number and, << 32, its user; then the value. Of a timer: number,
                       // overrun << 32, value. Of a fault: the address
};

// si_code.
enum {
    LINUX_SI_USER = 0,
    LINUX_SI_KERNEL = 0x80,
    LINUX_SI_QUEUE = -1,
    LINUX_SI_TIMER = -2,
    LINUX_SI_MESGQ = -3,
    LINUX_SI_TKILL = -6
};

// One that is pending. Those of timers are the timers' own, all others of a pool.
struct bm_linux_queued {
    struct bm_linux_signal what;
    struct bm_linux_queued *next;
    bool own;             // a timer's
    _Atomic(bool) queued; // of a timer's: it is pending
    unsigned overruns;    // of a timer's: as it was taken last
};

// Those that are pending, of a thread or of the process, in the order in which they came. One that has its
// bit and is not in the list came when there was no memory for more.
struct bm_linux_pending {
    _Atomic(uint64_t) set;
    struct bm_linux_queued *first, *last;
};

// Main has one, and so has each core by itself. That of a thread stays with the thread's structure.
struct bm_linux_signals {
    _Atomic(uint64_t) blocked;
    _Atomic(uint64_t) awaited;     // of those that are blocked: sigtimedwait waits for them
    uint64_t saved;                // to be blocked behind the next handler in place of those that are now
    bool has_saved;                // sigsuspend has set that
    unsigned char ended;           // the thread takes none any more
    unsigned char policy;          // sched.c: its scheduling class
    unsigned char priority;        // … its priority there
    signed char nice;              // …
    bool resets;                   // … SCHED_RESET_ON_FORK: threads that it makes begin as main did
    unsigned number;               // of the thread; 0: of a core by itself
    unsigned generation;           // threads that have had it before
    struct bm_linux_pending own;   // sent to the thread
    struct bm_linux_stack stack;   // sigaltstack; its size is 0 when there is none
    struct bm_spinlock lock;       // held by who interrupts, so that the waiter stays where it is
    struct futex_waiter *waiter;   // on a futex, of the thread; NULL: it does not wait so
    void *robust;                  // set_robust_list; of a thread
    struct bm_linux_signals *next; // of all threads that ever had some
};

struct bm_linux_signals *bm_linux_signals_self(void) __attribute__((weak));

// thread/thread.c calls it with what a thread left that had the structure before, before the new one has
// begun or anybody knows its number: no signals, and the mask of who makes it.
void bm_linux_signals_begin(struct bm_thread *thread) __attribute__((weak));

// The calling thread, which is about to end, takes no more signals.
void bm_linux_signals_end(void) __attribute__((weak));

// Whether there is one to be taken; `arg` is a struct bm_linux_signals. A condition for bm_wait_until: who
// sends one wakes the thread.
bool bm_linux_signal_ready(void *arg) __attribute__((weak));

// Blocks the signals of `mask` from now on, as far as they can be, and returns those that were blocked
// before.
uint64_t bm_linux_signal_mask(struct bm_linux_signals *signals, uint64_t mask) __attribute__((weak));

// Runs the handlers of those that are ready, of the calling thread, with no lock held and nothing that a jump
// out of a handler would leave behind. Returns 0 when the call that they interrupted is to go on (no handler
// ran, or the first one has SA_RESTART), else -BM_EINTR.
long bm_linux_signal_take(struct bm_linux_signals *signals) __attribute__((weak));

// At the end of a call that may have been interrupted: takes the signals. Returns whether the call is to
// begin again; if not, *result is what it returns. (musl's cancellation points ask it themselves.)
bool bm_linux_signal_again(long *result) __attribute__((weak));

// The same of a call that had done a part before: it tells that, and the signal is taken.
static inline long bm_linux_part_done(long result)
{
    if (result > 0 && bm_wait_signalled())
        bm_linux_signal_take(bm_linux_signals_self());
    return result;
}

static inline bool bm_linux_again(long *result)
{
    if (*result == -BM_ERESTART || *result == -BM_ERESTART_UNHANDLED)
        return bm_linux_signal_again(result);
    bm_linux_part_done(*result);
    return false;
}

// robust.c, in programs that have such locks: the calling thread, which is about to end, leaves its own.
void bm_linux_robust_leave(struct bm_linux_signals *self) __attribute__((weak));

// Sends one to a thread (NULL: to the process, of which one takes it that does not block it). `own` is NULL,
// or what keeps it pending, so that it cannot fail. Returns 1, 0 when it comes to nothing, since it is
// ignored or pending already, or -BM_EAGAIN when too many are pending. Any context but handlers; the receiver
// runs the handler later, even if it is the caller.
int bm_linux_signal_send(struct bm_linux_signals *to, const struct bm_linux_signal *what,
                         struct bm_linux_queued *own) __attribute__((weak));

// A call that waited with other signals blocked ends: those of `before` are blocked again, behind the
// handlers of what was ready.
void bm_linux_signal_unmask(struct bm_linux_signals *signals, uint64_t before) __attribute__((weak));

// For executables of Linux', whose calls are SYSCALL instructions: set before the first one runs. Nothing
// takes signals then but the way out of a call, by the function below, when bm_signal_ready says so, the
// call's result is -BM_ERESTART, or its thread has a mask saved. It changes where and with which registers
// the program goes on: %rax is the call's result, `error` its number, %rip behind the SYSCALL. Interrupts are
// off on a stack of the kernel's, with no lock held.
extern bool bm_linux_signals_late;
void bm_linux_signal_leave_call(struct bm_fault_frame *frame);

// … and in place of a call of rt_sigreturn, %rsp tells the ucontext_t.
void bm_linux_signal_return(struct bm_fault_frame *frame);

// SIGPIPE to the calling thread, for a write of which nobody reads. Returns -BM_EPIPE. (A send with
// MSG_NOSIGNAL asks for none.)
long bm_linux_signal_pipe(void) __attribute__((weak));
static inline long bm_linux_pipe_result(long result)
{
    return result == -BM_EPIPE && bm_linux_signal_pipe ? bm_linux_signal_pipe() : result;
}

// SIGXFSZ to the calling thread if RLIMIT_FSIZE is why a file may not grow. Returns -BM_EFBIG.
long bm_linux_signal_size(void) __attribute__((weak));
static inline long bm_linux_size_result(long result)
{
    return result == -BM_EFBIG && bm_linux_signal_size ? bm_linux_signal_size() : result;
}

// Takes the next pending one of `set`, of the calling thread or the process: signalfd, sigtimedwait. Returns
// false when there is none.
bool bm_linux_signal_next(struct bm_linux_signals *self, uint64_t set, struct bm_linux_signal *what);

// Whether one of `set` is pending, of the thread or the process.
bool bm_linux_signal_is_pending(const struct bm_linux_signals *self, uint64_t set);

// The calling thread does not take those of `set` any more, by its mask, or since it waits for them no
// longer: those that were sent to the process are for another one, which is woken. After that change. (Who
// sends one makes it pending first and looks for a taker then.)
void bm_linux_signals_retarget(uint64_t set);

// signalfd.c, in programs that have some: one of `set` is pending now.
void bm_linux_signalfd_tell(uint64_t set) __attribute__((weak));

// Of a thread by its number (LINUX_PROCESS: main); NULL: there is none that runs.
struct bm_linux_signals *bm_linux_signals_find(int number);

// Takes back one that is pending by `own`; returns whether it was.
bool bm_linux_signal_withdraw(struct bm_linux_signals *to, struct bm_linux_queued *own);

static inline uint64_t bm_linux_signal_bit(int signal)
{
    return 1ull << (signal - 1);
}

// ---- private to the files signal*.c ----

// What rt_sigaction tells.
struct bm_linux_action {
    void (*handler)(int, void *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

enum {
    LINUX_SA_SIGINFO = 4,
    LINUX_SA_ONSTACK = 0x08000000,
    LINUX_SA_RESTART = 0x10000000,
    LINUX_SA_NODEFER = 0x40000000
};
#define LINUX_SA_RESETHAND 0x80000000u

// SIGKILL and SIGSTOP.
#define LINUX_UNBLOCKABLE (1ull << (LINUX_SIGKILL - 1) | 1ull << (LINUX_SIGSTOP - 1))

extern struct bm_linux_pending bm_linux_process_pending;
extern struct bm_linux_signals *_Atomic bm_linux_signals_all; // of main and threads

// signal.c: how one is handled now; with `use`, of one that is to be handled: without a handler from now on
// if SA_RESETHAND says so. Any context in which this core has no lock of signals.
struct bm_linux_action bm_linux_action_of(int signal, bool use);
bool bm_linux_action_ignores(const struct bm_linux_action *action, int signal);

// signal.c: those of a thread, of which none are made for that; NULL: it has none. In handlers, too.
struct bm_fiber;
struct bm_linux_signals *bm_linux_signals_of(const struct bm_fiber *thread);

// signal.c: ends the program for want of a handler.
void bm_linux_signal_die(int signal) __attribute__((noreturn));

// signal_send.c: sends one to a thread (NULL: to the process) by the calling thread, which takes its own
// then; a signal that ends the program does so here. Returns 0, -BM_EINVAL, -BM_EAGAIN.
long bm_linux_signal_raise(struct bm_linux_signals *to, const struct bm_linux_signal *what);

// signal_queue.c: discards it wherever it is pending; all that a thread has.
void bm_linux_signal_discard(int signal);
void bm_linux_signals_clear(struct bm_linux_signals *thread);

// What becomes of an interrupted call: it fails, since its handler wants that; it begins again, since its
// handler wants that; no handler ran.
enum bm_linux_outcome { BM_LINUX_INTERRUPTED, BM_LINUX_RESTARTED, BM_LINUX_UNHANDLED };

// signal_frame.c: builds the frames of those that are ready above what `frame` tells, which then enters the
// last one's handler. `first`, or NULL, is asked about the call that the first one interrupts.
void bm_linux_signal_enter(struct bm_linux_signals *self, struct bm_fault_frame *frame,
                           void (*first)(struct bm_fault_frame *frame, enum bm_linux_outcome outcome));

// signal_frame.c: the frame of one signal; false: there is no room for it where it would stand.
bool bm_linux_signal_frame(struct bm_linux_signals *self, struct bm_fault_frame *frame,
                           const struct bm_linux_signal *what, const struct bm_linux_action *action);

// signal_entry.S
long bm_linux_signal_call(void);
extern const char bm_linux_signal_called[], bm_linux_signal_inject[], bm_linux_signal_injected[],
    bm_linux_signal_returned[];

// signal_frame.c: whether the program may have something there at all, its text included.
bool bm_linux_signal_address(uint64_t address);

// signal_frame.c: has exceptions enter signal_fault.c, once.
void bm_linux_signal_prepare(void);

// signal_fault.c
bool bm_linux_signal_fault(struct bm_fault_frame *frame);

// signal_stack.c: the stack for handlers while the stack pointer is there.
struct bm_linux_stack bm_linux_stack_at(const struct bm_linux_signals *self, uint64_t pointer);
bool bm_linux_stack_is_within(const struct bm_linux_signals *self, uint64_t pointer);
long bm_linux_stack_set(struct bm_linux_signals *self, const struct bm_linux_stack *wanted, uint64_t pointer);
void bm_linux_stack_entered(
    struct bm_linux_signals *self); // SS_AUTODISARM: it is none until the handler returns

// timers.c, in programs with timers: sends the signals of those that are due; the next time one is; the
// signal of one was taken, which is told of overruns.
void bm_linux_timers_serve(void) __attribute__((weak));
void bm_linux_timers_clock_set(void) __attribute__((weak));
uint64_t bm_linux_timers_due(void) __attribute__((weak));
void bm_linux_timer_taken(struct bm_linux_queued *own, struct bm_linux_signal *what) __attribute__((weak));

// limits.c: RLIMIT_SIGPENDING.
unsigned bm_linux_signals_max(void);
