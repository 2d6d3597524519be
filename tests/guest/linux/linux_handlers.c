// Signals' handlers as Linux runs them: what they are told, in which order, on which stack, with which mask,
// and how they are left. The same source passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @script linux_oracle.py
// @machines q35
// @run one core
// @smp 1,maxcpus=2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { MILLISECOND = 1000000, TRACE = 64 };

// raise, of which the compiler does not think that it leaves this file's variables alone (glibc says so).
static OPAQUE int deal(int signal)
{
    int result = raise(signal);
    __asm__ volatile("" ::: "memory");
    return result;
}

static struct told {
    int signal, code, value, process;
} trace[TRACE];
static atomic_int count;

static void note(int signal, siginfo_t *information, void *context)
{
    (void)context;
    CHECK(signal == information->si_signo && information->si_errno == 0);
    trace[atomic_fetch_add(&count, 1) % TRACE] =
        (struct told){signal, information->si_code, information->si_value.sival_int, information->si_pid};
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second)
        sigaddset(&set, second);
    return set;
}

static void block(int how, int first, int second)
{
    sigset_t set = set_of(first, second);
    CHECK(sigprocmask(how, &set, NULL) == 0);
}

static bool is_pending(int signal)
{
    sigset_t set;
    CHECK(sigpending(&set) == 0);
    return sigismember(&set, signal);
}

// One that is blocked comes when it is not any more: real-time signals each in order with their values,
// others once.
static void test_queue(void)
{
    const union sigval values[] = {{.sival_int = 11}, {.sival_int = 12}, {.sival_int = 13}};
    handle(SIGRTMIN, note, 0);
    handle(SIGRTMIN + 1, note, 0);
    handle(SIGUSR1, note, 0);
    block(SIG_BLOCK, SIGRTMIN, SIGRTMIN + 1);
    block(SIG_BLOCK, SIGUSR1, 0);
    atomic_store(&count, 0);
    for (int i = 0; i < 3; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN, values[i]) == 0);
    CHECK(sigqueue(getpid(), SIGUSR1, values[0]) == 0 && sigqueue(getpid(), SIGUSR1, values[1]) == 0);
    CHECK(is_pending(SIGRTMIN) && is_pending(SIGUSR1) && !is_pending(SIGRTMIN + 1) && count == 0);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK(count == 1 && trace[0].signal == SIGUSR1 && trace[0].value == 11 && trace[0].code == SI_QUEUE);
    block(SIG_UNBLOCK, SIGRTMIN, SIGRTMIN + 1);
    CHECK(count == 4 && !is_pending(SIGRTMIN));
    for (int i = 0; i < 3; i++)
        CHECK(trace[1 + i].value == 11 + i && trace[1 + i].code == SI_QUEUE &&
              trace[1 + i].process == getpid());
    CHECK(sigqueue(getpid(), 0, values[0]) == 0);
    CHECK_ERRNO(sigqueue(getpid(), 65, values[0]), EINVAL);
    CHECK_ERRNO(sigqueue(999999, SIGUSR1, values[0]), ESRCH);
    CHECK_ERRNO(kill(999999, SIGUSR1), ESRCH);
}

static void test_codes(void)
{
    atomic_store(&count, 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && count == 1);
    CHECK(trace[0].code == SI_USER && trace[0].process == getpid());
    CHECK(deal(SIGUSR1) == 0 && count == 2 && trace[1].code == SI_TKILL);
    siginfo_t information = {.si_code = SI_QUEUE, .si_pid = getpid(), .si_value = {.sival_int = 5}};
    CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGUSR1, &information) == 0 &&
          count == 3);
    CHECK(trace[2].code == SI_QUEUE && trace[2].value == 5);
}

// Several that may run at once: the highest number first, each on top of the one before it.
static void test_order(void)
{
    block(SIG_BLOCK, SIGUSR1, SIGRTMIN);
    atomic_store(&count, 0);
    CHECK(deal(SIGUSR1) == 0 && deal(SIGRTMIN) == 0 && count == 0);
    block(SIG_UNBLOCK, SIGUSR1, SIGRTMIN);
    CHECK(count == 2 && trace[0].signal == SIGRTMIN && trace[1].signal == SIGUSR1);
}

// As many as the limit says, and no more.
static void test_bound(void)
{
    struct rlimit limit, before;
    CHECK(getrlimit(RLIMIT_SIGPENDING, &before) == 0);
    limit = before;
    limit.rlim_cur = 40;
    CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    block(SIG_BLOCK, SIGRTMIN, SIGUSR1);
    int queued = 0;
    while (queued <= 100 && sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = queued}) == 0)
        queued++;
    CHECK(errno == EAGAIN && queued <= 40 && queued > 20);
    CHECK(kill(getpid(), SIGUSR1) == 0 && is_pending(SIGUSR1)); // those are never refused
    atomic_store(&count, 0);
    block(SIG_UNBLOCK, SIGRTMIN, SIGUSR1);
    CHECK(count == queued + 1);
    CHECK(setrlimit(RLIMIT_SIGPENDING, &before) == 0);
}

// One that is ignored is gone; with a blocked one that is up to the moment at which nobody blocks it.
static void test_ignored(void)
{
    atomic_store(&count, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    CHECK(deal(SIGUSR1) == 0 && is_pending(SIGUSR1));
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR && !is_pending(SIGUSR1));
    handle(SIGUSR1, note, 0);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK(count == 0);
    CHECK(deal(SIGCHLD) == 0 && deal(SIGCONT) == 0 && deal(SIGWINCH) == 0 && deal(SIGURG) == 0);
    CHECK_ERRNO(sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL), EINVAL);
    CHECK(sigaction(SIGKILL, NULL, NULL) == 0);
}

static volatile int depth, deepest, runs;

static void nest(int signal, siginfo_t *information, void *context)
{
    (void)information;
    (void)context;
    depth = depth + 1;
    runs = runs + 1;
    if (depth > deepest)
        deepest = depth;
    if (runs < 3)
        deal(signal);
    depth = depth - 1;
}

static void mask_seen(int signal, siginfo_t *information, void *context)
{
    const ucontext_t *where = context;
    sigset_t now;
    (void)information;
    CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
    CHECK(sigismember(&now, signal) && sigismember(&now, SIGUSR2) && sigismember(&now, SIGHUP));
    CHECK(!sigismember(&where->uc_sigmask, signal) && sigismember(&where->uc_sigmask, SIGHUP));
    depth = 1;
}

static void test_flags(void)
{
    handle(SIGUSR1, nest, SA_NODEFER);
    CHECK(deal(SIGUSR1) == 0 && runs == 3 && deepest == 3 && depth == 0);
    deepest = runs = 0;
    handle(SIGUSR1, nest, 0); // each behind the one before it
    CHECK(deal(SIGUSR1) == 0 && runs == 3 && deepest == 1 && depth == 0);
    handle(SIGHUP, note, 0);
    block(SIG_BLOCK, SIGHUP, 0);
    struct sigaction action = {.sa_sigaction = mask_seen,
                               .sa_flags = SA_SIGINFO,
                               .sa_mask = set_of(SIGUSR2, 0)},
                     now;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && deal(SIGUSR1) == 0 && depth == 1);
    block(SIG_UNBLOCK, SIGHUP, 0);
    handle(SIGUSR1, note, SA_RESETHAND);
    atomic_store(&count, 0);
    CHECK(deal(SIGUSR1) == 0 && count == 1 && sigaction(SIGUSR1, NULL, &now) == 0 &&
          now.sa_handler == SIG_DFL);
}

static char stack[64 << 10] __attribute__((aligned(16)));
static uintptr_t place;
static stack_t seen;

static void look_at_stack(int signal, siginfo_t *information, void *context)
{
    (void)signal;
    (void)information;
    (void)context;
    place = (uintptr_t)__builtin_frame_address(0);
    CHECK(sigaltstack(NULL, &seen) == 0);
    if (seen.ss_flags & SS_ONSTACK)
        CHECK_ERRNO(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL), EPERM);
}

static bool on_stack(void)
{
    return place >= (uintptr_t)stack && place < (uintptr_t)stack + sizeof stack;
}

static void test_stack(void)
{
    stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack}, now;
    CHECK(sigaltstack(&mine, NULL) == 0);
    handle(SIGUSR1, look_at_stack, SA_ONSTACK);
    CHECK(deal(SIGUSR1) == 0 && on_stack() && seen.ss_flags == SS_ONSTACK && seen.ss_sp == stack);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0);
    handle(SIGUSR1, look_at_stack, 0);
    CHECK(deal(SIGUSR1) == 0 && !on_stack() && seen.ss_flags == 0);
    mine.ss_flags = (int)(1u << 31); // SS_AUTODISARM
    CHECK(sigaltstack(&mine, NULL) == 0);
    handle(SIGUSR1, look_at_stack, SA_ONSTACK);
    CHECK(deal(SIGUSR1) == 0 && on_stack() && seen.ss_flags == SS_DISABLE);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == mine.ss_flags && now.ss_sp == stack);
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
}

static sigjmp_buf away;

static void jump(int signal, siginfo_t *information, void *context)
{
    (void)information;
    (void)context;
    siglongjmp(away, signal);
}

// A jump out of a handler, and what it blocks is not blocked behind it.
static void test_jump(void)
{
    stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack}, now;
    CHECK(sigaltstack(&mine, NULL) == 0);
    handle(SIGUSR1, jump, SA_ONSTACK);
    for (volatile int i = 0; i < 100; i++) {
        sigset_t mask;
        int got = sigsetjmp(away, 1);
        if (!got) {
            deal(SIGUSR1);
            CHECK(!"it jumps");
        }
        CHECK(got == SIGUSR1 && sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && !sigismember(&mask, SIGUSR1));
        CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0);
    }
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
}

// A handler may change floating-point state and registers: the interrupted function does not see it.
static void spoil(int signal, siginfo_t *information, void *context)
{
    const ucontext_t *where = context;
    (void)information;
    CHECK(where->uc_mcontext.fpregs != NULL &&
          where->uc_mcontext.gregs[REG_RSP] > (long)(intptr_t)stack - (1l << 62));
    __asm__ volatile(
        "pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15\n\tfninit\n\tfld1\n\tfld1" ::
            : "xmm0", "xmm7", "xmm15", "memory");
    depth = signal;
}

static atomic_long rounds;

static void *kick(void *arg)
{
    while (!atomic_load(&rounds))
        sched_yield();
    CHECK(pthread_kill(*(pthread_t *)arg, SIGUSR1) == 0);
    return NULL;
}

// A thread that computes, in the program's own text, with everything that it has in registers.
static void test_computing(void)
{
    pthread_t self = pthread_self(), other;
    const uint64_t value = 0x3fe0000000000000;
    handle(SIGUSR1, spoil, 0);
    depth = 0;
    CHECK(pthread_create(&other, NULL, kick, &self) == 0);
    uint64_t lost = 0;
    while (!depth) {
        uint64_t out;
        uint64_t kept; // compared as a number: a vector register would be spoiled, too
        __asm__ volatile(
            "movq %[in], %%xmm15\n\tmovapd %%xmm15, %%xmm7\n\tmovq $0x1234567, %%r15\n\tmovq %%r15, %%r10\n\t"
            "stc\n\tmovl $100000, %%ecx\n1:\tleal -1(%%ecx), %%ecx\n\tjecxz 2f\n\tjmp 1b\n2:\tsbbq %%rax, "
            "%%rax\n\t"
            "addq %%r15, %%rax\n\tsubq %%r10, %%rax\n\tmovq %%rax, %[out]\n\tmovq %%xmm7, %[kept]"
            : [out] "=r"(out), [kept] "=r"(kept)
            : [in] "r"(value)
            : "rax", "rcx", "r10", "r15", "xmm7", "xmm15", "cc", "memory");
        lost += out != UINT64_MAX || kept != value;
        atomic_fetch_add(&rounds, 1);
    }
    CHECK(lost == 0 && depth == SIGUSR1);
    CHECK(pthread_join(other, NULL) == 0);
}

// What a handler writes into its context is what the program goes on with.
static void step_over(int signal, siginfo_t *information, void *context)
{
    ucontext_t *where = context;
    (void)information;
    where->uc_mcontext.gregs[REG_RBX] = signal;
    where->uc_mcontext.gregs[REG_RIP] += 2;
    sigaddset(&where->uc_sigmask, SIGUSR2);
}

static void test_context(void)
{
    long value = 0;
    sigset_t mask;
    handle(SIGILL, step_over, 0);
    __asm__ volatile("xorl %%ebx, %%ebx\n\tud2\n\tmovq %%rbx, %0" : "=r"(value) : : "rbx", "memory");
    CHECK(value == SIGILL && sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR2));
    block(SIG_UNBLOCK, SIGUSR2, 0);
    signal(SIGILL, SIG_DFL);
}

static void test_waiting(void)
{
    sigset_t set = set_of(SIGUSR1, SIGRTMIN);
    siginfo_t information;
    const struct timespec moment = {0, MILLISECOND}, none = {0, 0}, wrong = {0, -1};
    block(SIG_BLOCK, SIGUSR1, SIGRTMIN);
    atomic_store(&count, 0);
    CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 7}) == 0 && deal(SIGUSR1) == 0);
    CHECK(sigtimedwait(&set, &information, &none) == SIGUSR1 && information.si_pid == getpid());
    CHECK(sigwaitinfo(&set, &information) == SIGRTMIN && information.si_value.sival_int == 7 &&
          information.si_pid == getpid());
    CHECK_ERRNO(sigtimedwait(&set, &information, &moment), EAGAIN);
    CHECK_ERRNO(sigtimedwait(&set, &information, &wrong), EINVAL);
    pthread_t self = pthread_self(), other;
    CHECK(pthread_create(&other, NULL, kick, &self) == 0);
    int got = 0;
    CHECK(sigwait(&set, &got) == 0 && got == SIGUSR1 && pthread_join(other, NULL) == 0);
    block(SIG_UNBLOCK, SIGUSR1, SIGRTMIN);
    CHECK(count == 0);
}

// A signal for the process is taken by a thread that does not block it.
static void *take_process_signal(void *arg)
{
    sigset_t set = set_of(SIGUSR1, 0), before;
    atomic_store((atomic_int *)arg, 1);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, &before) == 0 && sigismember(&before, SIGUSR1));
    while (!atomic_load(&count))
        usleep(100);
    return NULL;
}

static void test_process(void)
{
    pthread_t other;
    static atomic_int there;
    handle(SIGUSR1, note, 0);
    block(SIG_BLOCK, SIGUSR1, 0);
    atomic_store(&count, 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && is_pending(SIGUSR1) && count == 0);
    CHECK(pthread_create(&other, NULL, take_process_signal, &there) == 0 && pthread_join(other, NULL) == 0);
    CHECK(atomic_load(&count) == 1 && !is_pending(SIGUSR1));
    atomic_store(&count, 0);
    CHECK(pthread_create(&other, NULL, take_process_signal, &there) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && pthread_join(other, NULL) == 0 && count == 1);
    block(SIG_UNBLOCK, SIGUSR1, 0);
    CHECK(count == 1);
}

static atomic_bool was_sent;
static atomic_int endings;
static pthread_spinlock_t *spin_lock;

static void count_ending(int signal)
{
    (void)signal;
    atomic_fetch_add(&endings, 1);
    if (spin_lock)
        pthread_spin_unlock(spin_lock);
}

static void *computes_and_ends(void *arg)
{
    while (!atomic_load(&was_sent))
        ;
    return arg;
}

static void *spins(void *arg)
{
    CHECK(pthread_spin_lock(arg) == 0);
    return arg;
}

// Who ends has taken what was sent before, and who spins for a lock takes what comes.
static void test_ending(void)
{
    struct sigaction action = {.sa_handler = count_ending};
    sigset_t one, before;
    pthread_t thread;
    pthread_spinlock_t lock;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    CHECK(pthread_create(&thread, NULL, computes_and_ends, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &one, &before) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    atomic_store(&was_sent, true);
    CHECK(pthread_join(thread, NULL) == 0 && atomic_load(&endings) == 1);

    CHECK(pthread_spin_init(&lock, 0) == 0 && pthread_spin_lock(&lock) == 0);
    spin_lock = &lock; // the handler gives it back
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, spins, (void *)&lock) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &one, &before) == 0);
    CHECK(pthread_kill(thread, SIGUSR1) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(atomic_load(&endings) == 2);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

// A handler whose stack is gone has no place for its frame: SIGSEGV has a handler on the stack that is there.
static void test_gone(void)
{
    enum { SIZE = 65536 };
    void *gone = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(gone != MAP_FAILED && sigaltstack(&(stack_t){.ss_sp = gone, .ss_size = SIZE}, NULL) == 0);
    CHECK(munmap(gone, SIZE) == 0);
    handle(SIGUSR1, note, SA_ONSTACK);
    handle(SIGSEGV, note, 0);
    atomic_store(&count, 0);
    CHECK(deal(SIGUSR1) == 0 && count == 1 && trace[0].signal == SIGSEGV && trace[0].code == SI_KERNEL);
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
    CHECK(signal(SIGSEGV, SIG_DFL) != SIG_ERR && signal(SIGUSR1, SIG_DFL) != SIG_ERR);
}

int main(void)
{
    test_queue();
    test_codes();
    test_order();
    test_bound();
    test_ignored();
    test_flags();
    test_stack();
    test_gone();
    test_jump();
    test_computing();
    test_context();
    test_waiting();
    test_process();
    test_ending();
    return passed();
}
