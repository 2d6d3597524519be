// Signals: what each thread has of its own, how signals are to be handled, and what is blocked.
// SPDX-License-Identifier: MIT
//
// A handler runs at the end of a call, at once when a thread sends the signal to itself; within a call that
// waits, which ends for it; and in the middle of the program's own text, where a tick of the time slices
// finds the thread (signal_frame.c).
#include "../base/core.h"
#include "../libc/terminal.h"
#include "../thread/thread.h"
#include "../wait/hooks.h"
#include "limits.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/console.h>
#include <baremetal/core.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/wait.h>

struct bm_fiber *bm_fiber_get(unsigned context) __attribute__((weak)); // where there are threads

// Without a handler: SIGCHLD, SIGCONT, SIGURG, SIGWINCH; and those that stop a process, of which there is
// nobody to go on.
enum { IGNORED = 1 << 16 | 1 << 17 | 1 << 22 | 1 << 27 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21 };
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

static struct bm_linux_action actions[LINUX_SIGNALS];
static struct bm_spinlock lock = BM_SPINLOCK_INIT;                // of actions
static struct bm_linux_signals first = {.number = LINUX_PROCESS}; // of main
static struct bm_linux_signals loops[BM_CORES_MAX]; // of the cores by themselves: nobody sends them any

struct bm_linux_signals *_Atomic bm_linux_signals_all = &first;

struct bm_linux_signals *bm_linux_signals_of(const struct bm_fiber *thread)
{
    if (thread->context == BM_CONTEXT_MAIN)
        return &first;
    return thread->is_loop ? NULL : atomic_load(&((const struct bm_thread *)thread)->local);
}

// Structures of threads are used again and never given back, and so is what belongs to them.
static struct bm_linux_signals *signals_make(struct bm_thread *thread, uint64_t blocked)
{
    void *there = NULL;
    struct bm_linux_signals *made = bm_memory_permanent(sizeof *made, _Alignof(struct bm_linux_signals));
    if (!made)
        return &first;
    __builtin_memset(made, 0, sizeof *made);
    made->number = bm_thread_id(thread);
    atomic_store(&made->blocked, blocked);
    if (!atomic_compare_exchange_strong(&thread->local, &there, made))
        return there;
    made->next = atomic_load(&bm_linux_signals_all);
    while (!atomic_compare_exchange_weak(&bm_linux_signals_all, &made->next, made))
        ;
    return made;
}

static struct bm_linux_signals *signals_of(struct bm_thread *thread)
{
    void *there = atomic_load(&thread->local);
    return there ? there : signals_make(thread, 0);
}

struct bm_linux_signals *bm_linux_signals_self(void)
{
    unsigned number = bm_context_id();
    if (number == BM_CONTEXT_MAIN)
        return &first;
    return number < BM_CONTEXT_FIRST ? &loops[bm_core_id()] : signals_of((struct bm_thread *)bm_fiber_self());
}

// Scheduling classes are passed on.
static void inherit(struct bm_linux_signals *thread, const struct bm_linux_signals *maker)
{
    bool real_time = maker->priority;
    thread->policy = maker->resets && real_time ? 0 : maker->policy;
    thread->priority = maker->resets ? 0 : maker->priority;
    thread->nice = maker->resets && maker->nice < 0 ? 0 : maker->nice;
    thread->resets = false;
}

// Before anybody knows the thread, so that what its maker blocks is never taken for it.
void bm_linux_signals_begin(struct bm_thread *thread)
{
    struct bm_linux_signals *signals = atomic_load(&thread->local);
    const struct bm_linux_signals *maker = bm_linux_signals_self();
    uint64_t blocked = atomic_load(&maker->blocked);
    if (!signals) {
        signals = signals_make(thread, blocked);
        if (signals != &first)
            inherit(signals, maker);
        return;
    }
    inherit(signals, maker);
    signals->generation++;
    bm_linux_signals_clear(signals);
    signals->stack = (struct bm_linux_stack){0};
    signals->has_saved = false;
    atomic_store(&signals->awaited, 0);
    atomic_store(&signals->blocked, blocked);
    signals->ended = 0;
}

// (Loops of cores have no numbers of threads.)
struct bm_linux_signals *bm_linux_signals_find(int number)
{
    if (number == LINUX_PROCESS)
        return &first;
    struct bm_thread *thread =
        number > 0 && bm_fiber_get ? (struct bm_thread *)bm_fiber_get((unsigned)number) : NULL;
    return thread && !bm_thread_has_ended(thread) ? signals_of(thread) : NULL;
}

bool bm_linux_action_ignores(const struct bm_linux_action *action, int signal)
{
    uintptr_t handler = (uintptr_t)action->handler;
    return handler == 1 || (handler == 0 && bm_linux_signal_bit(signal) & (uint64_t)IGNORED);
}

struct bm_linux_action bm_linux_action_of(int signal, bool use)
{
    struct bm_linux_action *at = &actions[signal - 1];
    bm_spinlock_acquire(&lock);
    struct bm_linux_action action = *at;
    if (use && action.flags & LINUX_SA_RESETHAND && (uintptr_t)action.handler > 1)
        at->handler = NULL;
    bm_spinlock_release(&lock);
    return action;
}

long bm_linux_rt_sigaction(int signal, const void *wanted, void *old, size_t size)
{
    if (size != sizeof(uint64_t) || signal < 1 || signal > LINUX_SIGNALS)
        return -BM_EINVAL;
    if (wanted && bm_linux_signal_bit(signal) & LINUX_UNBLOCKABLE)
        return -BM_EINVAL;
    struct bm_linux_action *action = &actions[signal - 1], before, after;
    bm_linux_signal_prepare();
    if (bm_terminal_watch && wanted && (signal == LINUX_SIGINT || signal == LINUX_SIGQUIT))
        bm_terminal_watch();
    bm_spinlock_acquire(&lock);
    before = *action;
    if (wanted)
        __builtin_memcpy(action, wanted, sizeof *action);
    after = *action;
    bm_spinlock_release(&lock);
    if (wanted && bm_linux_action_ignores(&after, signal))
        bm_linux_signal_discard(signal);
    if (old)
        __builtin_memcpy(old, &before, sizeof before);
    return 0;
}

// Names without SIG, by number; of others there is the number.
static const char names[] =
    "HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0BUS\0FPE\0KILL\0USR1\0SEGV\0USR2\0PIPE\0ALRM\0"
    "TERM\0STKFLT\0CHLD\0CONT\0STOP\0TSTP\0TTIN\0TTOU\0URG\0XCPU\0XFSZ\0VTALRM\0PROF\0"
    "WINCH\0IO\0PWR\0SYS\0";

void bm_linux_signal_die(int signal)
{
    char line[64];
    const char *name = names;
    if (signal == LINUX_SIGABRT)
        bm_panic("the program called abort");
    for (int i = 1; i < signal && *name; i++)
        while (*name++)
            ;
    int size = bm_format(line, sizeof line, "signal: %d%s%s ended the program\n", signal,
                         *name ? ", SIG" : "", name);
    bm_console_write_line(line, (size_t)size);
    bm_linux_exit_group(128 + signal);
}

bool bm_linux_signals_late;

long bm_linux_signal_take(struct bm_linux_signals *self)
{
    long result = 0;
    bool is_first = true;
    if (bm_linux_signals_late)
        return bm_linux_signal_ready(self) ? -BM_EINTR : 0;
    while (bm_linux_signal_ready(self)) {
        bm_linux_signal_prepare();
        long one = bm_linux_signal_call();
        if (is_first)
            result = one;
        is_first = false;
    }
    return result;
}

bool bm_linux_signal_again(long *result)
{
    if (bm_linux_signals_late)
        return false;
    bool unhandled = *result == -BM_ERESTART_UNHANDLED;
    *result = bm_linux_signal_take(bm_linux_signals_self());
    if (unhandled)
        *result = -BM_EINTR;
    return *result == 0;
}

void bm_linux_signal_unmask(struct bm_linux_signals *self, uint64_t before)
{
    self->saved = before;
    self->has_saved = true;
    if (bm_linux_signals_late)
        return;
    bm_linux_signal_take(self);
    if (self->has_saved) { // no handler has brought it back
        self->has_saved = false;
        bm_linux_signal_mask(self, before);
        bm_linux_signal_take(self);
    }
}

void bm_terminal_signal(int signal)
{
    const struct bm_linux_signal what = {.signal = signal, .code = LINUX_SI_KERNEL};
    bm_linux_signal_send(NULL, &what, NULL);
}

long bm_linux_signal_pipe(void)
{
    const struct bm_linux_signal what = {.signal = LINUX_SIGPIPE, .words = {LINUX_PROCESS}};
    bm_linux_signal_raise(bm_linux_signals_self(), &what);
    return -BM_EPIPE;
}

long bm_linux_signal_size(void)
{
    const struct bm_linux_signal what = {.signal = LINUX_SIGXFSZ, .words = {LINUX_PROCESS}};
    if (bm_linux_limit_get(LINUX_LIMIT_FILE_SIZE) != UINT64_MAX)
        bm_linux_signal_raise(bm_linux_signals_self(), &what);
    return -BM_EFBIG;
}

uint64_t bm_linux_signal_mask(struct bm_linux_signals *signals, uint64_t mask)
{
    uint64_t before = atomic_exchange(&signals->blocked, mask & ~LINUX_UNBLOCKABLE);
    if (mask & ~before & atomic_load(&bm_linux_process_pending.set))
        bm_linux_signals_retarget(mask & ~before);
    return before;
}

long bm_linux_rt_sigprocmask(int how, const uint64_t *set, uint64_t *old, size_t size)
{
    if (size != sizeof *set || (set && (how < SIG_BLOCK || how > SIG_SETMASK)))
        return -BM_EINVAL;
    struct bm_linux_signals *self = bm_linux_signals_self();
    if (set && bm_linux_signal_ready(self)) // sent before it was blocked: a thread that ends blocks all
        bm_linux_signal_take(self);
    uint64_t before = atomic_load(&self->blocked);
    if (set)
        bm_linux_signal_mask(self, how == SIG_BLOCK     ? before | *set
                                   : how == SIG_UNBLOCK ? before & ~*set
                                                        : *set);
    if (old)
        *old = before;
    bm_linux_signal_take(self);
    return 0;
}

long bm_linux_rt_sigpending(uint64_t *set, size_t size)
{
    struct bm_linux_signals *self = bm_linux_signals_self();
    if (size > sizeof *set)
        return -BM_EINVAL;
    uint64_t pending = atomic_load(&self->own.set) | atomic_load(&bm_linux_process_pending.set);
    pending &= atomic_load(&self->blocked);
    __builtin_memcpy(set, &pending, size);
    return 0;
}

long bm_linux_rt_sigsuspend(const uint64_t *set, size_t size)
{
    if (size != sizeof *set)
        return -BM_EINVAL;
    struct bm_linux_signals *self = bm_linux_signals_self();
    self->saved = bm_linux_signal_mask(self, *set);
    self->has_saved = true;
    do
        bm_wait_woken(bm_linux_signal_ready, self, UINT64_MAX);
    while (bm_linux_signal_take(self) == 0 && self->has_saved); // no handler ran
    return -BM_EINTR;
}
