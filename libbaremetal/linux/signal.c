// Signals that threads send: to themselves, and to each other.
// SPDX-License-Identifier: MIT
//
// A handler runs on the stack of its thread: at once when a thread sends the signal to itself, otherwise when
// the thread waits or yields, for which a wait ends, or when it changes its mask.
#include "../base/core.h"
#include "../thread/futex.h"
#include "../thread/thread.h"
#include "../wait/hooks.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/lock.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/wait.h>

struct bm_fiber *bm_fiber_get(unsigned context) __attribute__((weak)); // where there are threads

struct action {
    void (*handler)(int, void *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

// Without a handler: SIGCHLD, SIGCONT, SIGURG, SIGWINCH; and those that stop a process, of which there is
// nobody to go on.
enum { IGNORED = 1 << 16 | 1 << 17 | 1 << 22 | 1 << 27 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21 };
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, RESETHAND_BIT = 31, NODEFER_BIT = 30 };
#define UNBLOCKABLE (1ull << (LINUX_SIGKILL - 1) | 1ull << (LINUX_SIGSTOP - 1))

static struct action actions[LINUX_SIGNALS];
static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static struct bm_linux_signals first;               // of main
static struct bm_linux_signals loops[BM_CORES_MAX]; // of the cores by themselves: nobody sends them any

static uint64_t bit(int signal)
{
    return 1ull << (signal - 1);
}

// Structures of threads are used again and never given back, and so is what belongs to them.
static struct bm_linux_signals *signals_of(struct bm_thread *thread)
{
    void *there = atomic_load(&thread->local), *made;
    if (there)
        return there;
    made = bm_memory_permanent(sizeof(struct bm_linux_signals), _Alignof(struct bm_linux_signals));
    if (!made)
        return &first;
    __builtin_memset(made, 0, sizeof(struct bm_linux_signals));
    return atomic_compare_exchange_strong(&thread->local, &there, made) ? made : there;
}

struct bm_linux_signals *bm_linux_signals_self(void)
{
    unsigned number = bm_context_id();
    if (number == BM_CONTEXT_MAIN)
        return &first;
    return number < BM_CONTEXT_FIRST ? &loops[bm_core_id()] : signals_of((struct bm_thread *)bm_fiber_self());
}

void bm_linux_signals_begin(void *local)
{
    struct bm_linux_signals *signals = local;
    atomic_store(&signals->pending, 0);
    signals->stack = (struct bm_linux_stack){0};
    atomic_store(&signals->blocked, atomic_load(&bm_linux_signals_self()->blocked));
}

// Of a thread that runs; NULL: there is none with that number. (Loops of cores have no numbers of threads.)
static struct bm_linux_signals *signals_find(int number)
{
    if (number == LINUX_PROCESS)
        return &first;
    struct bm_thread *thread =
        number > 0 && bm_fiber_get ? (struct bm_thread *)bm_fiber_get((unsigned)number) : NULL;
    return thread && !bm_thread_has_ended(thread) ? signals_of(thread) : NULL;
}

bool bm_linux_signal_ready(void *arg)
{
    struct bm_linux_signals *signals = arg;
    return atomic_load(&signals->pending) & ~atomic_load(&signals->blocked);
}

long bm_linux_rt_sigaction(int signal, const void *wanted, void *old, size_t size)
{
    if (size != sizeof(uint64_t) || signal < 1 || signal > LINUX_SIGNALS)
        return -BM_EINVAL;
    if (wanted && bit(signal) & UNBLOCKABLE)
        return -BM_EINVAL;
    struct action *action = &actions[signal - 1];
    bm_spinlock_acquire(&lock);
    struct action before = *action;
    if (wanted)
        __builtin_memcpy(action, wanted, sizeof *action);
    bm_spinlock_release(&lock);
    if (old)
        __builtin_memcpy(old, &before, sizeof before);
    return 0;
}

// How a signal is to be handled; with `reset` it has no handler from now on if it is one for a single time.
static struct action action_of(int signal, bool reset)
{
    struct action *at = &actions[signal - 1];
    bm_spinlock_acquire(&lock);
    struct action action = *at;
    if (reset && action.flags >> RESETHAND_BIT & 1 && (uintptr_t)action.handler > 1)
        at->handler = NULL;
    bm_spinlock_release(&lock);
    return action;
}

static void die(int signal)
{
    if (signal == LINUX_SIGABRT)
        bm_panic("the program called abort");
    bm_linux_exit_group(128 + signal);
}

static bool is_ignored(const struct action *action, int signal)
{
    uintptr_t handler = (uintptr_t)action->handler;
    return handler == 1 || (handler == 0 && bit(signal) & (uint64_t)IGNORED);
}

// What Linux' struct siginfo begins with.
struct information {
    int signal, error, code, pad, process, user;
    uint64_t rest[13];
};
enum { CODE_USER = 0, CODE_THREAD = -6 };

enum { CONTEXT_WORDS = 121, CONTEXT_RIP = 21 }; // of struct ucontext

// What cannot be known of the context is 0. A handler that sets where to go on means the end of the thread.
static void deliver(struct bm_linux_signals *self, int signal, int code)
{
    struct action action = action_of(signal, true);
    struct information information = {.signal = signal, .code = code, .process = LINUX_PROCESS};
    uint64_t context[CONTEXT_WORDS] = {0}, before = atomic_load(&self->blocked);
    if (is_ignored(&action, signal))
        return;
    if (!action.handler)
        die(signal);
    atomic_fetch_or(&self->blocked, action.mask | (action.flags >> NODEFER_BIT & 1 ? 0 : bit(signal)));
    action.handler(signal, &information, context);
    atomic_store(&self->blocked, before);
    if (context[CONTEXT_RIP])
        ((void (*)(void))context[CONTEXT_RIP])();
}

uint64_t bm_linux_signal_mask(struct bm_linux_signals *signals, uint64_t mask)
{
    return atomic_exchange(&signals->blocked, mask & ~UNBLOCKABLE);
}

void bm_linux_signal_take(struct bm_linux_signals *self)
{
    uint64_t ready;
    while ((ready = atomic_load(&self->pending) & ~atomic_load(&self->blocked))) {
        int signal = __builtin_ctzll(ready) + 1;
        int code = atomic_load(&self->of_process) & bit(signal) ? CODE_USER : CODE_THREAD;
        atomic_fetch_and(&self->pending, ~bit(signal));
        deliver(self, signal, code);
    }
}

// One that is pending already stays as it is.
static void make_pending(struct bm_linux_signals *signals, int signal, int code)
{
    if (atomic_load(&signals->pending) & bit(signal))
        return;
    if (code == CODE_USER)
        atomic_fetch_or(&signals->of_process, bit(signal));
    else
        atomic_fetch_and(&signals->of_process, ~bit(signal));
    atomic_fetch_or(&signals->pending, bit(signal));
}

static long send(int signal, int code)
{
    struct bm_linux_signals *self = bm_linux_signals_self();
    if (signal < 0 || signal > LINUX_SIGNALS)
        return -BM_EINVAL;
    if (!signal)
        return 0;
    if (bit(signal) & atomic_load(&self->blocked) & ~UNBLOCKABLE)
        make_pending(self, signal, code);
    else
        deliver(self, signal, code);
    return 0;
}

// Ends what the thread waits in.
static void interrupt(int thread, struct bm_linux_signals *signals)
{
    bm_context_wake((unsigned)thread);
    bm_spinlock_acquire(&signals->lock);
    if (signals->waiter && bm_linux_signal_ready(signals))
        bm_futex_interrupt(signals->waiter);
    bm_spinlock_release(&signals->lock);
}

static long send_to(int thread, int signal)
{
    struct bm_linux_signals *signals = signals_find(thread);
    if (!signals)
        return -BM_ESRCH;
    if (signal < 0 || signal > LINUX_SIGNALS)
        return -BM_EINVAL;
    struct action action = signal ? action_of(signal, false) : (struct action){0};
    if (!signal || is_ignored(&action, signal))
        return 0;
    if (!action.handler && !(bit(signal) & atomic_load(&signals->blocked) & ~UNBLOCKABLE))
        die(signal);
    make_pending(signals, signal, CODE_THREAD);
    interrupt(thread, signals);
    return 0;
}

long bm_linux_kill(int process, int signal)
{
    if (process != LINUX_PROCESS && process != 0 && process != -1)
        return -BM_ESRCH;
    return send(signal, CODE_USER);
}

long bm_linux_tkill(int thread, int signal)
{
    return thread == bm_linux_thread() ? send(signal, CODE_THREAD) : send_to(thread, signal);
}

long bm_linux_tgkill(int process, int thread, int signal)
{
    return process == LINUX_PROCESS ? bm_linux_tkill(thread, signal) : -BM_ESRCH;
}

long bm_linux_rt_sigprocmask(int how, const uint64_t *set, uint64_t *old, size_t size)
{
    if (size != sizeof *set || (set && (how < SIG_BLOCK || how > SIG_SETMASK)))
        return -BM_EINVAL;
    struct bm_linux_signals *self = bm_linux_signals_self();
    uint64_t before = atomic_load(&self->blocked);
    if (set)
        atomic_store(&self->blocked, ~UNBLOCKABLE & (how == SIG_BLOCK     ? before | *set
                                                     : how == SIG_UNBLOCK ? before & ~*set
                                                                          : *set));
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
    uint64_t pending = atomic_load(&self->pending) & atomic_load(&self->blocked);
    __builtin_memcpy(set, &pending, size);
    return 0;
}

long bm_linux_rt_sigsuspend(const uint64_t *set, size_t size)
{
    if (size != sizeof *set)
        return -BM_EINVAL;
    struct bm_linux_signals *self = bm_linux_signals_self();
    uint64_t before = bm_linux_signal_mask(self, *set);
    bm_linux_sleep(UINT64_MAX);
    atomic_store(&self->blocked, before);
    bm_linux_signal_take(self);
    return -BM_EINTR;
}

// Handlers return as functions do.
long bm_linux_rt_sigreturn(void)
{
    bm_panic("linux: rt_sigreturn outside of a signal's handler");
}

enum { STACK_IN_USE = 1, STACK_DISABLED = 2, STACK_MIN = 2048, STACK_AUTODISARM = (int)(1u << 31) };

static int stack_set(struct bm_linux_stack *to, const struct bm_linux_stack *wanted)
{
    int mode = wanted->flags & ~STACK_AUTODISARM;
    if (mode != 0 && mode != STACK_IN_USE && mode != STACK_DISABLED)
        return -BM_EINVAL;
    if (mode != STACK_DISABLED && wanted->size < STACK_MIN)
        return -BM_ENOMEM;
    *to = mode == STACK_DISABLED ? (struct bm_linux_stack){0} : *wanted;
    to->flags &= STACK_AUTODISARM;
    return 0;
}

// Each thread has one. Handlers run on the stack of who sends the signal or waits all the same.
long bm_linux_sigaltstack(const struct bm_linux_stack *wanted, struct bm_linux_stack *old)
{
    struct bm_linux_stack *stack = &bm_linux_signals_self()->stack, before = *stack;
    if (!before.size)
        before.flags = STACK_DISABLED;
    int error = wanted ? stack_set(stack, wanted) : 0;
    if (old && !error)
        *old = before;
    return error;
}
