// Signals that are read from descriptors, and who takes those that are sent to the process. The same source
// passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @script linux_oracle.py
// @machines q35
// @timeout 120
// @run one core
// @smp 1,maxcpus=2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { ROUNDS = 1500 };

static struct signalfd_siginfo got[8];

static sigset_t set_of(int one, int other)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, one);
    if (other)
        sigaddset(&set, other);
    return set;
}

static int open_for(int one, int other, int flags)
{
    sigset_t set = set_of(one, other);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    int made = signalfd(-1, &set, flags);
    CHECK(made >= 0);
    return made;
}

static int events(int descriptor)
{
    struct pollfd look = {descriptor, POLLIN | POLLOUT, 0};
    return poll(&look, 1, 0) ? look.revents : 0;
}

static void test_read(void)
{
    int fd = open_for(SIGUSR1, SIGRTMIN, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK));
    CHECK(events(fd) == 0);
    CHECK_ERRNO(read(fd, got, sizeof got), EAGAIN);
    CHECK_ERRNO(read(fd, got, sizeof *got - 1), EINVAL);
    CHECK(kill(getpid(), SIGUSR1) == 0 && events(fd) == POLLIN);
    CHECK(kill(getpid(), SIGUSR1) == 0); // is pending already
    CHECK(read(fd, got, sizeof got) == sizeof *got && events(fd) == 0);
    CHECK(got[0].ssi_signo == SIGUSR1 && got[0].ssi_code == SI_USER && got[0].ssi_pid == (unsigned)getpid());
    for (int i = 0; i < 3; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 70 + i}) == 0);
    CHECK(read(fd, got, 2 * sizeof *got + 5) == 2 * sizeof *got);
    CHECK(got[1].ssi_signo == (unsigned)SIGRTMIN && got[1].ssi_code == SI_QUEUE && got[1].ssi_int == 71);
    CHECK((uint32_t)got[1].ssi_ptr == 71 && got[1].ssi_pid == (unsigned)getpid());
    CHECK(read(fd, got, sizeof got) == sizeof *got && got[0].ssi_int == 72);
    CHECK(close(fd) == 0);
}

static void test_mask(void)
{
    sigset_t set = set_of(SIGUSR2, SIGKILL), before, none;
    int fd = open_for(SIGUSR1, 0, SFD_NONBLOCK), epoll = epoll_create1(0), pipes[2];
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &before) == 0 && pipe(pipes) == 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 5};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(kill(getpid(), SIGUSR2) == 0 && events(fd) == 0);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    CHECK(signalfd(fd, &set, 0) == fd && events(fd) == POLLIN);
    CHECK(epoll_wait(epoll, &event, 1, 5000) == 1 && event.data.u64 == 5 && event.events == EPOLLIN);
    CHECK(read(fd, got, sizeof got) == sizeof *got && got[0].ssi_signo == SIGUSR2);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    CHECK_ERRNO(signalfd(pipes[0], &set, 0), EINVAL);
    CHECK_ERRNO(signalfd(99, &set, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 7, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 8, 1), EINVAL);
    sigemptyset(&none);
    CHECK(signalfd(fd, &none, 0) == fd && kill(getpid(), SIGUSR2) == 0 && events(fd) == 0);
    CHECK(sigtimedwait(&set, NULL, &(struct timespec){5, 0}) == SIGUSR2);
    CHECK(close(fd) == 0 && close(epoll) == 0 && close(pipes[0]) == 0 && close(pipes[1]) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

// Others send while this thread waits.
static void *send_later(void *arg)
{
    usleep(3000);
    CHECK(kill(getpid(), *(int *)arg) == 0);
    return NULL;
}

static void test_waits(void)
{
    int fd = open_for(SIGUSR1, SIGUSR2, 0), epoll = epoll_create1(0), signal = SIGUSR1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    struct pollfd look = {fd, POLLIN, 0};
    pthread_t thread;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    for (int i = 0; i < 30; i++) {
        CHECK(pthread_create(&thread, NULL, send_later, &signal) == 0);
        if (i % 3 == 1)
            CHECK(poll(&look, 1, 20000) == 1 && look.revents == POLLIN);
        if (i % 3 == 2)
            CHECK(epoll_wait(epoll, &event, 1, 20000) == 1);
        CHECK(read(fd, got, sizeof got) == sizeof *got && got[0].ssi_signo == SIGUSR1);
        epoll_wait(epoll, &event, 1, 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    CHECK(close(fd) == 0 && close(epoll) == 0);
}

static void note(int signal)
{
    (void)signal;
}

// A signal that is not blocked ends a read.
static void test_interrupted(void)
{
    int fd = open_for(SIGUSR1, 0, 0), signal = SIGHUP;
    struct sigaction action = {.sa_handler = note};
    sigset_t hup = set_of(SIGHUP, 0);
    pthread_t thread;
    CHECK(sigaction(SIGHUP, &action, NULL) == 0 && pthread_sigmask(SIG_BLOCK, &hup, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, send_later, &signal) == 0); // which blocks it for ever
    CHECK(pthread_sigmask(SIG_UNBLOCK, &hup, NULL) == 0);
    CHECK_ERRNO(read(fd, got, sizeof got), EINTR);
    CHECK(pthread_join(thread, NULL) == 0 && close(fd) == 0);
}

static void *look_elsewhere(void *arg)
{
    CHECK_ERRNO(read(*(int *)arg, got, sizeof got), EAGAIN);
    CHECK(events(*(int *)arg) == 0);
    return NULL;
}

static void test_own(void)
{
    int fd = open_for(SIGUSR1, 0, SFD_NONBLOCK);
    pthread_t thread;
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    CHECK(pthread_create(&thread, NULL, look_elsewhere, &fd) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(read(fd, got, sizeof got) == sizeof *got && got[0].ssi_code == SI_TKILL);
    CHECK(close(fd) == 0);
}

static void test_timer(void)
{
    int fd = open_for(SIGRTMIN + 1, 0, 0);
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 9};
    struct itimerspec time = {{0, 1000000}, {0, 1000000}};
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &time, NULL) == 0);
    usleep(20000);
    CHECK(read(fd, got, sizeof *got) == sizeof *got && got[0].ssi_code == SI_TIMER && got[0].ssi_int == 9);
    CHECK(got[0].ssi_overrun > 3);
    CHECK(read(fd, got, sizeof *got) == sizeof *got); // it is set again
    CHECK(timer_delete(timer) == 0 && close(fd) == 0);
}

// What is sent to the process is taken, even when the thread that was to take it gives up at the same time.
static struct {
    atomic_int round, taken, over;
    long wait;
} race;

static void take(int signal)
{
    (void)signal;
    atomic_fetch_add(&race.taken, 1);
}

// Would have taken it by its handler, and blocks it.
static void compute(const sigset_t *set)
{
    CHECK(pthread_sigmask(SIG_UNBLOCK, set, NULL) == 0);
    for (volatile long i = 0; i < 5 * race.wait; i++)
        ;
    CHECK(pthread_sigmask(SIG_BLOCK, set, NULL) == 0);
}

static void *give_up(void *arg)
{
    sigset_t set = set_of(SIGUSR1, 0);
    (void)arg;
    for (int round = 1; round <= ROUNDS; round++) {
        while (atomic_load(&race.round) < round)
            usleep(20);
        if (round % 2)
            compute(&set);
        else if (sigtimedwait(&set, NULL, &(struct timespec){0, race.wait}) == SIGUSR1)
            atomic_fetch_add(&race.taken, 1);
        atomic_store(&race.over, round);
    }
    return NULL;
}

static void *wait_on(void *arg)
{
    sigset_t set = set_of(SIGUSR1, SIGUSR2);
    int signal;
    (void)arg;
    while (sigwait(&set, &signal) == 0 && signal == SIGUSR1)
        atomic_fetch_add(&race.taken, 1);
    CHECK(signal == SIGUSR2);
    return NULL;
}

static void test_taker(void)
{
    pthread_t stays, gives_up;
    sigset_t set = set_of(SIGUSR1, SIGUSR2);
    struct sigaction action = {.sa_handler = take};
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&stays, NULL, wait_on, NULL) == 0);
    CHECK(pthread_create(&gives_up, NULL, give_up, NULL) == 0);
    for (int round = 1; round <= ROUNDS; round++) {
        race.wait = 1000 * (round % 100);
        atomic_store(&race.round, round);
        for (volatile int i = 0; i < round * 37 % 3000; i++)
            ;
        CHECK(kill(getpid(), SIGUSR1) == 0);
        while (atomic_load(&race.taken) < round) // or it hangs
            usleep(20);
        while (atomic_load(&race.over) < round)
            usleep(20);
    }
    CHECK(race.taken == ROUNDS && pthread_kill(stays, SIGUSR2) == 0);
    CHECK(pthread_join(stays, NULL) == 0 && pthread_join(gives_up, NULL) == 0);
}

// One that blocks what it was to take leaves it to another.
static atomic_bool seen;
static atomic_int catcher;

static void catch (int signal)
{
    (void)signal;
    catcher = (int)syscall(SYS_gettid);
}

static void *hold(void *arg)
{
    sigset_t set = set_of(SIGUSR1, 0);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    *(atomic_int *)arg = (int)syscall(SYS_gettid);
    while (!seen)
        usleep(100);
    return NULL;
}

static void test_blocked(void)
{
    struct sigaction action = {.sa_handler = catch};
    sigset_t set = set_of(SIGUSR1, 0);
    atomic_int other = 0;
    pthread_t thread;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, hold, &other) == 0);
    while (!other)
        usleep(100);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    while (!catcher)
        usleep(100);
    CHECK(catcher == other);
    seen = true;
    CHECK(pthread_join(thread, NULL) == 0 && signal(SIGUSR1, SIG_DFL) != SIG_ERR);
}

// A periodic timer stops when the thread that its signals are for has ended.
extern uint64_t bm_linux_timers_due(void) __attribute__((weak)); // of libbaremetal alone

static void *own_timer(void *arg)
{
    sigset_t set = set_of(SIGRTMIN, 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    struct itimerspec time = {{0, 1000000}, {0, 1000000}};
    event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
    CHECK(timer_create(CLOCK_MONOTONIC, &event, arg) == 0);
    CHECK(timer_settime(*(timer_t *)arg, 0, &time, NULL) == 0);
    CHECK(sigwaitinfo(&set, NULL) == SIGRTMIN && sigwaitinfo(&set, NULL) == SIGRTMIN);
    return NULL;
}

static void test_gone(void)
{
    pthread_t thread;
    timer_t timer;
    CHECK(pthread_create(&thread, NULL, own_timer, &timer) == 0 && pthread_join(thread, NULL) == 0);
    while (bm_linux_timers_due && bm_linux_timers_due() != UINT64_MAX)
        usleep(1000);
    CHECK(timer_delete(timer) == 0);
}

int main(void)
{
    test_read();
    test_mask();
    test_waits();
    test_interrupted();
    test_own();
    test_timer();
    test_taker();
    test_blocked();
    test_gone();
    return passed();
}
