// Signals that threads send each other under musl, and what each thread has of its own.
// SPDX-License-Identifier: MIT
// @variants musl
// @machines q35
// @run one core
// @smp 1,maxcpus=2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <baremetal/thread.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MILLISECOND = 1000000 };

static pthread_t start(void *(*function)(void *), void *arg)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, function, arg) == 0);
    return thread;
}

static void *join(pthread_t thread)
{
    void *result;
    CHECK(pthread_join(thread, &result) == 0);
    return result;
}

static atomic_int caught;
static atomic_long catcher;

static void catch (int number)
{
    atomic_store(&catcher, syscall(SYS_gettid));
    atomic_fetch_add(&caught, number);
}

static struct {
    _Atomic(uint32_t) first, second;
    atomic_int number;
} words;

// Woken by a signal, and not in vain: it says so.
static void *wait_for_word(void *arg)
{
    (void)arg;
    atomic_store(&words.number, (int)syscall(SYS_gettid));
    CHECK(syscall(SYS_futex, &words.first, 0 /* FUTEX_WAIT */, 0, NULL, NULL, 0) < 0 && errno == EINTR);
    return NULL;
}

// A signal finds who waits for a word also where somebody has moved it to another one.
static void test_signal_behind_requeue(void)
{
    for (int moves = 0; moves < 2; moves++) {
        atomic_store(&caught, 0);
        atomic_store(&words.number, 0);
        pthread_t waiter = start(wait_for_word, NULL);
        while (!atomic_load(&words.number))
            sched_yield();
        while (moves && syscall(SYS_futex, &words.first, 3 /* FUTEX_REQUEUE */, 0, 1L, &words.second, 0) != 1)
            sched_yield();
        CHECK(pthread_kill(waiter, SIGUSR1) == 0);
        join(waiter);
        CHECK(atomic_load(&caught) == SIGUSR1 && atomic_load(&catcher) == atomic_load(&words.number));
    }
}

static void *leave_signals(void *arg)
{
    sigset_t set, was;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &was) == 0 && !sigismember(&was, SIGUSR1));
    CHECK(sigpending(&was) == 0 && !sigismember(&was, SIGUSR1));
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR1) == 0);
    CHECK(sigpending(&was) == 0 && sigismember(&was, SIGUSR1));
    return arg;
}

// A thread has no signals of the one that ended before it, whose structure it has.
static void test_signals_end(void)
{
    int count = atomic_load(&caught);
    for (int i = 0; i < 4; i++) {
        struct bm_thread *thread;
        CHECK(bm_thread_create(&thread, leave_signals, NULL, NULL) == 0);
        CHECK(bm_thread_join(thread, NULL, UINT64_MAX) == 0);
        join(start(leave_signals, NULL));
    }
    CHECK(atomic_load(&caught) == count);
}

// ppoll and pselect wait with another mask: what it does not block ends them, and is blocked again behind
// them.
static void test_masks(void)
{
    const struct timespec moment = {0, MILLISECOND};
    sigset_t blocked, none, before;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    atomic_store(&caught, 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0 && raise(SIGUSR1) == 0);
    CHECK(ppoll(NULL, 0, &moment, NULL) == 0 && pselect(0, NULL, NULL, NULL, &moment, &blocked) == 0);
    CHECK(atomic_load(&caught) == 0);
    CHECK(ppoll(NULL, 0, &moment, &none) < 0 && errno == EINTR && atomic_load(&caught) == SIGUSR1);
    CHECK(raise(SIGUSR1) == 0 && atomic_load(&caught) == SIGUSR1);
    CHECK(pselect(0, NULL, NULL, NULL, &moment, &none) < 0 && errno == EINTR);
    CHECK(atomic_load(&caught) == 2 * SIGUSR1);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, &none) == 0 && sigismember(&none, SIGUSR1));
    CHECK(syscall(SYS_ppoll, NULL, 0, &moment, &none, 4) < 0 && errno == EINVAL);
}

static void *ask_for_stack(void *arg)
{
    stack_t stack;
    CHECK(sigaltstack(NULL, &stack) == 0 && stack.ss_flags == SS_DISABLE && stack.ss_size == 0);
    return arg;
}

static void test_signal_stack(void)
{
    static char memory[8192];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, was;
    unsigned pending[2] = {7, 7};
    ask_for_stack(NULL);
    CHECK(sigaltstack(&stack, NULL) == 0 && sigaltstack(NULL, &was) == 0);
    CHECK(was.ss_sp == memory && was.ss_flags == 0 && was.ss_size == sizeof memory);
    join(start(ask_for_stack, NULL));
    stack.ss_flags = 4;
    CHECK(syscall(SYS_sigaltstack, &stack, NULL) < 0 && errno == EINVAL);
    stack = (stack_t){.ss_sp = memory, .ss_size = 100};
    CHECK(syscall(SYS_sigaltstack, &stack, NULL) < 0 && errno == ENOMEM);
    stack.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&stack, &was) == 0 && was.ss_sp == memory);
    ask_for_stack(NULL);
    CHECK(syscall(SYS_rt_sigpending, pending, 4) == 0 && pending[0] == 0 && pending[1] == 7);
}

// A thread has its maker's mask before it runs: what is blocked waits for it, and ends nobody.
static void *take_signal(void *arg)
{
    sigset_t set;
    int taken = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(sigwait(&set, &taken) == 0 && taken == SIGUSR2);
    return arg;
}

static void test_first_mask(void)
{
    enum { THREADS = 50 };
    pthread_t threads[THREADS];
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &before) == 0);
    for (int i = 0; i < THREADS; i++) { // all at the same time: none has a structure that was used before
        threads[i] = start(take_signal, NULL);
        CHECK(pthread_kill(threads[i], SIGUSR2) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

int main(void)
{
    struct sigaction action = {.sa_handler = catch};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    test_first_mask();
    test_signal_behind_requeue();
    test_signals_end();
    test_masks();
    test_signal_stack();
    return passed();
}
