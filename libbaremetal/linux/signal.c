// Signals: handlers and masks are kept; a signal that the program sends to itself runs its handler at once.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/lock.h>
#include <baremetal/panic.h>

struct action {
    void (*handler)(int, void *, void *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

// Without a handler: SIGCHLD, SIGCONT, SIGURG, SIGWINCH; and those that stop a process, of which there is
// nobody to go on.
enum { IGNORED = 1 << 16 | 1 << 17 | 1 << 22 | 1 << 27 | 1 << 19 | 1 << 20 | 1 << 21 };
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, RESETHAND_BIT = 31, NODEFER_BIT = 30 };
#define UNBLOCKABLE (1ull << (LINUX_SIGKILL - 1) | 1ull << (LINUX_SIGSTOP - 1))

static struct action actions[LINUX_SIGNALS];
static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static uint64_t blocked, pending; // of the only thread

static uint64_t bit(int signal)
{
    return 1ull << (signal - 1);
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

static void die(int signal)
{
    if (signal == LINUX_SIGABRT)
        bm_panic("the program called abort");
    bm_linux_exit_group(128 + signal);
}

// What Linux' struct siginfo begins with.
struct information {
    int signal, error, code, pad, process, user;
    uint64_t rest[13];
};
enum { CODE_USER = 0, CODE_THREAD = -6 };

static void deliver(int signal, int code)
{
    struct action action = actions[signal - 1];
    struct information information = {.signal = signal, .code = code, .process = 1};
    uint64_t context[121] = {0}, before = blocked; // struct ucontext: what cannot be known is 0
    uintptr_t handler = (uintptr_t)action.handler;
    if (handler == 1 || (handler == 0 && bit(signal) & (uint64_t)IGNORED))
        return;
    if (handler == 0)
        die(signal);
    if (action.flags >> RESETHAND_BIT & 1)
        actions[signal - 1].handler = NULL;
    blocked |= action.mask | (action.flags >> NODEFER_BIT & 1 ? 0 : bit(signal));
    action.handler(signal, &information, context);
    blocked = before;
}

static void deliver_pending(void)
{
    uint64_t ready;
    while ((ready = pending & ~blocked)) {
        int signal = __builtin_ctzll(ready) + 1;
        pending &= ~bit(signal);
        deliver(signal, CODE_USER);
    }
}

static long send(int signal, int code)
{
    if (signal < 0 || signal > LINUX_SIGNALS)
        return -BM_EINVAL;
    if (!signal)
        return 0;
    if (bit(signal) & blocked & ~UNBLOCKABLE)
        pending |= bit(signal);
    else
        deliver(signal, code);
    return 0;
}

long bm_linux_kill(int process, int signal)
{
    if (process != 1 && process != 0 && process != -1)
        return -BM_ESRCH;
    return send(signal, CODE_USER);
}

long bm_linux_tkill(int thread, int signal)
{
    return thread == bm_linux_thread() ? send(signal, CODE_THREAD) : -BM_ESRCH;
}

long bm_linux_tgkill(int process, int thread, int signal)
{
    return process == 1 ? bm_linux_tkill(thread, signal) : -BM_ESRCH;
}

long bm_linux_rt_sigprocmask(int how, const uint64_t *set, uint64_t *old, size_t size)
{
    if (size != sizeof blocked || (set && (how < SIG_BLOCK || how > SIG_SETMASK)))
        return -BM_EINVAL;
    uint64_t before = blocked;
    if (set)
        blocked = ~UNBLOCKABLE & (how == SIG_BLOCK     ? before | *set
                                  : how == SIG_UNBLOCK ? before & ~*set
                                                       : *set);
    if (old)
        *old = before;
    deliver_pending();
    return 0;
}

long bm_linux_rt_sigpending(uint64_t *set, size_t size)
{
    if (size > sizeof pending)
        return -BM_EINVAL;
    *set = pending & blocked;
    return 0;
}

long bm_linux_rt_sigsuspend(const uint64_t *set, size_t size)
{
    uint64_t before = blocked, waiting = pending & ~*set;
    if (size != sizeof *set)
        return -BM_EINVAL;
    blocked = *set & ~UNBLOCKABLE;
    if (!waiting)
        bm_linux_sleep(UINT64_MAX); // nobody sends one
    deliver_pending();
    blocked = before;
    return -BM_EINTR;
}

// Handlers return as functions do.
long bm_linux_rt_sigreturn(void)
{
    bm_panic("linux: rt_sigreturn outside of a signal's handler");
}

struct stack {
    void *address;
    int flags, pad;
    size_t size;
};
enum { STACK_DISABLED = 2 };

// Handlers run on the stack of who sends the signal.
long bm_linux_sigaltstack(const void *wanted, void *old)
{
    static struct stack stack = {.flags = STACK_DISABLED};
    struct stack before = stack;
    if (wanted)
        __builtin_memcpy(&stack, wanted, sizeof stack);
    if (old)
        __builtin_memcpy(old, &before, sizeof before);
    return 0;
}
