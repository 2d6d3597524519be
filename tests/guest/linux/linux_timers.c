// Timers that send signals: interval timers, alarm, and those of POSIX, to who sleeps and to who computes.
// The same source passes on Linux.
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
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MILLISECOND = 1000000, SECOND = 1000000000 };
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static atomic_int count;
static siginfo_t last;

static void note(int signal, siginfo_t *information, void *context)
{
    (void)context;
    CHECK(signal == information->si_signo);
    last = *information;
    atomic_fetch_add(&count, 1);
}

static void handle(int signal)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static int64_t now(clockid_t clock)
{
    struct timespec time;
    CHECK(clock_gettime(clock, &time) == 0);
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static struct timespec timespec_of(int64_t time)
{
    return (struct timespec){time / SECOND, time % SECOND};
}

static void set_blocked(int how, int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static struct itimerval interval(int first, int then)
{
    return (struct itimerval){.it_value = {0, first}, .it_interval = {0, then}};
}

static void test_interval(void)
{
    struct itimerval wanted = interval(5000, 0), old;
    int64_t begin = now(CLOCK_MONOTONIC);
    handle(SIGALRM);
    set_blocked(SIG_BLOCK, SIGALRM);
    sigset_t none;
    sigemptyset(&none);
    CHECK(setitimer(ITIMER_REAL, &wanted, &old) == 0 && old.it_value.tv_sec == 0 &&
          old.it_value.tv_usec == 0);
    CHECK(sigsuspend(&none) < 0 && errno == EINTR && count == 1); // sleeps
    set_blocked(SIG_UNBLOCK, SIGALRM);
    CHECK(now(CLOCK_MONOTONIC) - begin >= 5 * MILLISECOND && last.si_code == SI_KERNEL);
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
    wanted = interval(2000, 2000);
    atomic_store(&count, 0);
    CHECK(setitimer(ITIMER_REAL, &wanted, NULL) == 0);
    while (atomic_load(&count) < 5) // computes
        ;
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 2000 &&
          old.it_value.tv_usec <= 2000);
    wanted = interval(0, 2000); // ends it
    CHECK(setitimer(ITIMER_REAL, &wanted, &old) == 0 && old.it_interval.tv_usec == 2000);
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 0 && old.it_value.tv_usec == 0);
    wanted = interval(1000000, 0);
    CHECK_ERRNO(setitimer(ITIMER_REAL, &wanted, NULL), EINVAL);
    wanted = interval(-1, 0);
    CHECK_ERRNO(setitimer(ITIMER_REAL, &wanted, NULL), EINVAL);
    CHECK_ERRNO(setitimer(3, &old, NULL), EINVAL);
    CHECK_ERRNO(getitimer(-1, &old), EINVAL);
}

static void test_alarm(void)
{
    struct itimerval left;
    CHECK(alarm(100) == 0 && getitimer(ITIMER_REAL, &left) == 0 && left.it_value.tv_sec >= 98);
    CHECK(alarm(7) == 100 && alarm(0) == 7 && alarm(0) == 0);
    atomic_store(&count, 0);
    // Again and again: on a busy machine the first may come before the sleep.
    CHECK(ualarm(1000, 100000) == 0);
    struct timespec wanted = {100, 0}, rest;
    CHECK_ERRNO(nanosleep(&wanted, &rest), EINTR);
    CHECK(count >= 1 && rest.tv_sec >= 98);
    ualarm(0, 0);
    static const int kinds[] = {ITIMER_VIRTUAL, ITIMER_PROF}, signals[] = {SIGVTALRM, SIGPROF};
    for (int i = 0; i < 2; i++) {
        struct itimerval some = interval(3000, 0);
        atomic_store(&count, 0);
        handle(signals[i]);
        CHECK(setitimer(kinds[i], &some, NULL) == 0);
        while (!atomic_load(&count))
            ;
        CHECK(last.si_signo == signals[i]);
    }
}

static timer_t create(clockid_t clock, int notify, int signal, int value)
{
    timer_t timer;
    struct sigevent event = {
        .sigev_notify = notify, .sigev_signo = signal, .sigev_value = {.sival_int = value}};
    CHECK(timer_create(clock, &event, &timer) == 0);
    return timer;
}

static void set(timer_t timer, int flags, int64_t first, int64_t then)
{
    struct itimerspec wanted = {.it_value = timespec_of(first), .it_interval = timespec_of(then)};
    CHECK(timer_settime(timer, flags, &wanted, NULL) == 0);
}

static void test_clocks(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
    handle(SIGUSR1);
    for (int i = 0; i < 3; i++) {
        timer_t timer = create(clocks[i], SIGEV_SIGNAL, SIGUSR1, 40 + i);
        for (int absolute = 0; absolute < 2; absolute++) {
            int64_t begin = now(clocks[i]);
            atomic_store(&count, 0);
            set(timer, absolute ? TIMER_ABSTIME : 0, (absolute ? begin : 0) + 3 * MILLISECOND, 0);
            while (!atomic_load(&count))
                i % 2 ? usleep(100) : 0;
            CHECK(now(clocks[i]) - begin >= 3 * MILLISECOND);
            CHECK(last.si_code == SI_TIMER && last.si_value.sival_int == 40 + i && last.si_overrun == 0);
        }
        atomic_store(&count, 0);
        set(timer, TIMER_ABSTIME, 1, 0); // long ago
        while (!atomic_load(&count))
            ;
        struct itimerspec value;
        CHECK(timer_gettime(timer, &value) == 0 && value.it_value.tv_sec == 0 && value.it_value.tv_nsec == 0);
        CHECK(timer_delete(timer) == 0);
        CHECK(syscall(SYS_timer_delete, 1000) < 0 && errno == EINVAL);
    }
}

// The signal of a periodic timer is pending once; how often it would have come is told.
static void test_overrun(void)
{
    timer_t timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 9);
    handle(SIGRTMIN);
    set_blocked(SIG_BLOCK, SIGRTMIN);
    atomic_store(&count, 0);
    int64_t begin = now(CLOCK_MONOTONIC);
    set(timer, 0, MILLISECOND, MILLISECOND);
    const struct timespec some = {0, 20 * MILLISECOND};
    CHECK(nanosleep(&some, NULL) == 0 && count == 0);
    set_blocked(SIG_UNBLOCK, SIGRTMIN);
    int64_t end = now(CLOCK_MONOTONIC);
    while (!atomic_load(&count))
        ;
    set(timer, 0, 0, 0);
    CHECK(last.si_overrun >= 0 && last.si_value.sival_int == 9 &&
          atomic_load(&count) < 40 + (end - begin) / MILLISECOND);
    set_blocked(SIG_BLOCK, SIGRTMIN);
    set(timer, 0, MILLISECOND, MILLISECOND);
    CHECK(nanosleep(&some, NULL) == 0);
    sigset_t wanted;
    siginfo_t information;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGRTMIN);
    CHECK(sigwaitinfo(&wanted, &information) == SIGRTMIN && information.si_overrun >= 18);
    CHECK(timer_getoverrun(timer) == information.si_overrun && information.si_code == SI_TIMER);
    CHECK(nanosleep(&some, NULL) == 0);
    CHECK(timer_delete(timer) == 0);
    const struct timespec none = {0, 0};
    CHECK_ERRNO(sigtimedwait(&wanted, &information, &none), EAGAIN); // what was pending has gone with it
    set_blocked(SIG_UNBLOCK, SIGRTMIN);
}

// One whose signal is ignored goes on; one without a signal only counts.
static void test_silent(void)
{
    struct itimerspec value;
    timer_t timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0),
            silent = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    set(timer, 0, MILLISECOND, MILLISECOND);
    set(silent, 0, MILLISECOND, 50 * MILLISECOND);
    const struct timespec some = {0, 5 * MILLISECOND};
    CHECK(nanosleep(&some, NULL) == 0);
    atomic_store(&count, 0);
    handle(SIGUSR1);
    while (atomic_load(&count) < 3)
        ;
    CHECK(timer_delete(timer) == 0 && timer_gettime(silent, &value) == 0);
    CHECK(value.it_interval.tv_nsec == 50 * MILLISECOND && value.it_value.tv_nsec > 0);
    CHECK(value.it_value.tv_nsec <= 50 * MILLISECOND && timer_delete(silent) == 0);
}

static sem_t told;

static void notify(union sigval value)
{
    atomic_fetch_add(&count, value.sival_int);
    sem_post(&told);
}

static atomic_int thread;

static void *wait_for_timer(void *arg)
{
    sigset_t wanted;
    siginfo_t information;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGRTMIN + 1);
    atomic_store(&thread, (int)syscall(SYS_gettid));
    CHECK(sigwaitinfo(&wanted, &information) == SIGRTMIN + 1 && information.si_value.sival_int == 77);
    return arg;
}

static void test_threads(void)
{
    timer_t timer;
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value = {.sival_int = 3}};
    CHECK(sem_init(&told, 0, 0) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    atomic_store(&count, 0);
    set(timer, 0, MILLISECOND, 2 * MILLISECOND);
    for (int i = 0; i < 4; i++)
        CHECK(sem_wait(&told) == 0);
    CHECK(timer_delete(timer) == 0 && atomic_load(&count) >= 12);
    pthread_t waiter;
    set_blocked(SIG_BLOCK, SIGRTMIN + 1);
    CHECK(pthread_create(&waiter, NULL, wait_for_timer, NULL) == 0);
    while (!atomic_load(&thread))
        sched_yield();
    struct sigevent one = {
        .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1, .sigev_value = {.sival_int = 77}};
    one.sigev_notify_thread_id = atomic_load(&thread);
    int number;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &one, &number) == 0);
    struct itimerspec wanted = {.it_value = {0, MILLISECOND}};
    CHECK(syscall(SYS_timer_settime, number, 0, &wanted, NULL) == 0 && pthread_join(waiter, NULL) == 0);
    CHECK(syscall(SYS_timer_delete, number) == 0);
    one.sigev_notify_thread_id = 999999;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &one, &number) < 0 && errno == EINVAL);
}

static void test_errors(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 70};
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    event = (struct sigevent){.sigev_notify = 9, .sigev_signo = SIGUSR1};
    CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    CHECK_ERRNO(timer_create(77, NULL, &timer), EINVAL);
    int number;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC_COARSE, NULL, &number) < 0 && errno == EOPNOTSUPP);
    timer = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    struct itimerspec wrong = {.it_value = {0, SECOND}};
    CHECK_ERRNO(timer_settime(timer, 0, &wrong, NULL), EINVAL);
    struct itimerspec long_time = {.it_value = {1000000, 5}, .it_interval = {1, 2}}, old;
    CHECK(timer_settime(timer, 0, &long_time, NULL) == 0 && timer_settime(timer, 0, &long_time, &old) == 0);
    CHECK(old.it_value.tv_sec >= 999990 && old.it_interval.tv_sec == 1 && old.it_interval.tv_nsec == 2);
    CHECK(timer_delete(timer) == 0);
    CHECK_ERRNO(syscall(SYS_timer_gettime, 1000, &old), EINVAL);
    CHECK_ERRNO(syscall(SYS_timer_getoverrun, 1000), EINVAL);
}

int main(void)
{
    test_interval();
    test_alarm();
    test_clocks();
    test_overrun();
    test_silent();
    test_threads();
    test_errors();
    return passed();
}
