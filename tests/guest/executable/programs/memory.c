// Memory that comes when it is touched: by the program on several threads, by calls, by signals' frames.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };
#define MIB (1ul << 20)
#define GIB (1ul << 30)

static unsigned char *map(size_t size, int protection, int flags)
{
    unsigned char *at = mmap(NULL, size, protection, ANONYMOUS | flags, -1, 0);
    if (at == MAP_FAILED)
        printf("mmap: %s\n", strerror(errno));
    return at;
}

// A stack of 8 MiB, nearly all of it.
static unsigned deep(unsigned depth)
{
    volatile unsigned char room[64 << 10];
    memset((void *)room, (int)depth, sizeof room);
    return depth ? deep(depth - 1) + room[100] : room[200];
}

static void test_stack(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    printf("stack: %d, %u\n", limit.rlim_cur >= 8 * MIB, deep(110));
}

static void test_large(void)
{
    unsigned char *at = map(100 * GIB, RW, MAP_NORESERVE);
    unsigned sum = 0;
    for (unsigned i = 0; i < 100; i++)
        sum += at[i * GIB] + at[i * GIB + 5]++;
    printf("large: %u %u\n", sum, at[99 * GIB + 5]);
    printf("munmap: %d\n", munmap(at, 100 * GIB));
    at = map(64 * GIB, PROT_NONE, MAP_NORESERVE);
    printf("mprotect: %d\n", mprotect(at + GIB, GIB, RW));
    at[GIB] = at[2 * GIB - 1] = 7;
    printf("mprotect: %d\n", mprotect(at + GIB, GIB, PROT_NONE));
    printf("mprotect: %d\n", mprotect(at + GIB, 2 * GIB, PROT_READ));
    printf("kept: %u %u %u\n", at[GIB], at[2 * GIB - 1], at[2 * GIB]);
    printf("madvise: %d\n", madvise(at + GIB, GIB, MADV_DONTNEED));
    printf("given back: %u\n", at[GIB]);
    munmap(at, 64 * GIB);
}

static void test_calls(void)
{
    unsigned char *at = map(4 * MIB, RW, 0);
    int channel[2];
    if (pipe(channel))
        return;
    printf("write: %ld\n", (long)write(channel[1], at, 3 * PAGE));
    printf("read: %ld\n", (long)read(channel[0], at + 2 * MIB - 100, 3 * PAGE));
    printf("%u\n", at[2 * MIB]);
    mprotect(at + 3 * MIB, PAGE, PROT_NONE);
    printf("%ld %d\n", (long)write(channel[1], at + 3 * MIB - 5, 10), errno);
    mprotect(at + 3 * MIB, PAGE, PROT_READ);
    printf("%ld\n", (long)write(channel[1], at + 3 * MIB - 5, 10));
    printf("%ld %d\n", (long)read(channel[0], at + 3 * MIB, 10), errno);
    close(channel[0]);
    close(channel[1]);
    munmap(at, 4 * MIB);
}

static sigjmp_buf back;
static volatile int handled;
static volatile char *volatile nowhere; // NULL

static void on_signal(int signal, siginfo_t *information, void *context)
{
    (void)information;
    (void)context;
    handled += signal;
    if (signal == SIGBUS || signal == SIGSEGV)
        siglongjmp(back, signal);
}

// Frames of handlers on a stack that nobody has touched.
static void test_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    for (volatile unsigned round = 0; round < 4; round++) {
        stack_t stack = {.ss_sp = map(2 * MIB, RW, 0), .ss_size = 2 * MIB};
        handled = 0;
        sigaltstack(&stack, NULL);
        if (round % 2 == 0)
            raise(SIGUSR1);
        else if (!sigsetjmp(back, 1))
            *nowhere = 0;
        printf("handled: %d\n", handled);
    }
}

// All touch the same pages, while one gives them back.
enum { THREADS = 4, TOUCHED = 512 };
static atomic_uint *shared;
static atomic_bool over;

static void *toucher(void *arg)
{
    for (unsigned i = 0; i < TOUCHED; i++)
        shared[i * (PAGE / sizeof *shared)]++;
    (void)arg;
    return NULL;
}

static void *discarder(void *arg)
{
    unsigned char *at = arg;
    while (!over) {
        madvise(at, 2 * MIB, MADV_DONTNEED);
        mprotect(at, 2 * MIB, PROT_READ);
        mprotect(at, 2 * MIB, RW);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[THREADS], other;
    unsigned char *at = map(2 * MIB, RW, 0);
    shared = (void *)map((size_t)TOUCHED * PAGE, RW, 0);
    pthread_create(&other, NULL, discarder, at);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, toucher, NULL);
    unsigned wrong = 0;
    for (unsigned i = 0; i < 4000; i++)
        wrong += at[i * 97 % (2 * MIB)] != 0;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    over = true;
    pthread_join(other, NULL);
    for (unsigned i = 0; i < TOUCHED; i++)
        wrong += shared[i * (PAGE / sizeof *shared)] != THREADS;
    printf("threads: %u\n", wrong);
    munmap(shared, (size_t)TOUCHED * PAGE);
}

// More than the machine has. Whether it ends in SIGBUS or not: the program goes on.
static void test_end(void)
{
    unsigned char *at = map(300 * MIB, RW, MAP_NORESERVE);
    int signal = sigsetjmp(back, 1);
    for (volatile size_t i = 0; !signal && i < 300 * MIB; i += PAGE)
        at[i] = 1;
    printf("%s\n", signal == 0 || signal == SIGBUS ? "the end" : strsignal(signal));
    printf("munmap: %d\n", munmap(at, 300 * MIB));
    at = map(4 * MIB, RW, 0);
    memset(at, 3, 4 * MIB);
    printf("%u\n", at[4 * MIB - 1]);
}

int main(void)
{
    test_stack();
    test_large();
    test_calls();
    test_signals();
    test_threads();
    test_end();
    return 0;
}
