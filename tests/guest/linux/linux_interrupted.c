// Calls that wait, and signals that come meanwhile: EINTR, or with SA_RESTART the call goes on. The same
// source passes on Linux.
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

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MILLISECOND = 1000000, FULL = 1 << 20 };

static atomic_int count;
static int ends[2];
static sem_t semaphore;

static void note(int signal)
{
    (void)signal;
    atomic_fetch_add(&count, 1);
}

static void handle(int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    atomic_store(&count, 0);
}

// A signal after some milliseconds, and again and again, so that none comes before the call in vain.
static void begin(void)
{
    struct itimerval some = {.it_value = {0, 3000}, .it_interval = {0, 3000}};
    CHECK(setitimer(ITIMER_REAL, &some, NULL) == 0);
}

static void end(void)
{
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL) == 0);
    CHECK(atomic_load(&count) > 0);
}

#define INTERRUPTED(call)                                                                                    \
    do {                                                                                                     \
        atomic_store(&count, 0);                                                                             \
        begin();                                                                                             \
        CHECK_ERRNO(call, EINTR);                                                                            \
        end();                                                                                               \
    } while (0)

static void test_interrupted(void)
{
    char byte;
    static char much[FULL];
    struct pollfd one = {.fd = ends[0], .events = POLLIN};
    struct timeval long_time = {100, 0};
    struct timespec longer = {100, 0}, until;
    fd_set set;
    handle(0);
    INTERRUPTED(read(ends[0], &byte, 1));
    INTERRUPTED(poll(&one, 1, -1));
    INTERRUPTED(poll(&one, 1, 100000));
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    INTERRUPTED(select(ends[0] + 1, &set, NULL, NULL, &long_time));
    INTERRUPTED(nanosleep(&longer, NULL));
    INTERRUPTED(pause());
    INTERRUPTED(sem_wait(&semaphore));
    CHECK(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += 100;
    INTERRUPTED(sem_timedwait(&semaphore, &until));
    begin();
    long wrote = write(ends[1], much, sizeof much); // what went is told
    end();
    CHECK(wrote > 0 && wrote < FULL);
    INTERRUPTED(write(ends[1], much, sizeof much));
    while (wrote > 0)
        wrote -= read(ends[0], much, sizeof much);
}

static void *answer(void *arg)
{
    while (atomic_load(&count) < 3)
        usleep(500);
    if (arg)
        CHECK(sem_post(arg) == 0);
    else
        CHECK(write(ends[1], "x", 1) == 1);
    return NULL;
}

// The thread that answers takes no signals, so that the one that waits does.
static pthread_t start(void *arg)
{
    pthread_t thread;
    sigset_t set, before;
    sigfillset(&set);
    CHECK(pthread_sigmask(SIG_SETMASK, &set, &before) == 0);
    CHECK(pthread_create(&thread, NULL, answer, arg) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return thread;
}

static void test_restarted(void)
{
    char byte;
    struct pollfd one = {.fd = ends[0], .events = POLLIN};
    handle(SA_RESTART);
    pthread_t thread = start(NULL);
    begin();
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'x' && atomic_load(&count) >= 3);
    end();
    CHECK(pthread_join(thread, NULL) == 0);
    atomic_store(&count, 0);
    thread = start(&semaphore);
    begin();
    CHECK(sem_wait(&semaphore) == 0 && atomic_load(&count) >= 3);
    end();
    CHECK(pthread_join(thread, NULL) == 0);
    INTERRUPTED(poll(&one, 1, -1)); // never
    INTERRUPTED(pause());
}

static sigjmp_buf away;

static void leave(int signal)
{
    siglongjmp(away, signal);
}

// A jump out of a call that waits leaves nothing behind: the descriptor is closed, and the other end sees it.
static void test_jump(void)
{
    int own[2];
    char byte;
    CHECK(pipe(own) == 0 && signal(SIGALRM, leave) != SIG_ERR);
    int got = sigsetjmp(away, 1);
    if (!got) {
        CHECK(ualarm(3000, 0) == 0);
        read(own[0], &byte, 1);
        CHECK(!"it jumps");
    }
    CHECK(got == SIGALRM && close(own[0]) == 0);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK_ERRNO(write(own[1], "x", 1), EPIPE);
    handle(0);
    CHECK(sigaction(SIGPIPE, &(struct sigaction){.sa_handler = note}, NULL) == 0);
    CHECK_ERRNO(write(own[1], "x", 1), EPIPE);
    CHECK(atomic_load(&count) == 1 && close(own[1]) == 0);
}

int main(void)
{
    CHECK(pipe(ends) == 0 && sem_init(&semaphore, 0, 0) == 0);
    test_interrupted();
    test_restarted();
    test_jump();
    return passed();
}
