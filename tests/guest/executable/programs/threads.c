// Threads of glibc: thread-local variables, locks, threads that compute without a call beside others, and
// what their vector registers hold meanwhile.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 3000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long total;
static int turn;
static __thread int own = 5;
static atomic_int stop;

static void *spin(void *arg)
{
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        ;
    return arg;
}

static void *count(void *arg)
{
    own += (int)(long)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        total++;
        pthread_mutex_unlock(&lock);
        if (i % 500 == 0)
            free(malloc(100 + (size_t)i));
    }
    return (void *)(long)own;
}

static void *take_turns(void *arg)
{
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&lock);
        while (turn % THREADS != (int)(long)arg)
            pthread_cond_wait(&changed, &lock);
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

// Computes in registers across many time slices, and across calls that wait.
static void *compute(void *arg)
{
    double a = (double)(long)arg, b = 1;
    struct timespec short_time = {0, 100000};
    for (int i = 0; i < 20000000; i++) {
        a = a * 1.0000000001 + b;
        b = -b;
        long number = SYS_nanosleep;
        if (i % 4000000 == 0)
            __asm__ volatile("syscall" : "+a"(number) : "D"(&short_time), "S"(NULL) : "rcx", "r11", "memory");
    }
    double *result = malloc(sizeof *result);
    *result = a;
    return result;
}

static void run(void *(*function)(void *), void (*show)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, function, (void *)i))
            printf("no thread %ld\n", i);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        if (show)
            show(result);
    }
}

static void show_number(void *result)
{
    printf("%ld\n", (long)result);
}

static void show_double(void *result)
{
    printf("%.17g\n", *(double *)result);
    free(result);
}

// CLONE_CHILD_SETTID, which pthread_create does not ask for, and a thread pointer that is no address.
static void raw(void)
{
    enum { SHARED = 0x10f00, SETTLS = 0x80000, CLEAR_SET = 0x1200000 };
    static char stack[4096] __attribute__((aligned(16)));
    static _Atomic(int) word = -1;
    static int seen;
    long made = SYS_clone;
    register long child __asm__("r10") = (long)&word, pointer __asm__("r8") = 0;
    __asm__ volatile(
        "syscall\n\ttest %%eax, %%eax\n\tjnz 1f\n\t"
        "movl (%%r10), %%eax\n\tmovl %%eax, %[seen]\n\tmovl $60, %%eax\n\txorl %%edi, %%edi\n\tsyscall\n1:"
        : "+a"(made), [seen] "=m"(seen)
        : "D"((long)SHARED | CLEAR_SET), "S"(stack + sizeof stack), "d"(0l), "r"(child), "r"(pointer)
        : "rcx", "r11", "memory");
    while (atomic_load(&word))
        syscall(SYS_sched_yield);
    printf("a thread knows its number: %d\n", made > 0 && seen == made);
    long result = syscall(SYS_clone, (long)SHARED | SETTLS, stack + sizeof stack, 0, 0, 1l << 63);
    printf("a thread pointer that is no address: %s\n", result < 0 ? "refused" : "taken");
}

static atomic_int handled, ended;

static void handle(int signal)
{
    (void)signal;
    atomic_store(&handled, 1);
}

static void *take_late(void *lock)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    long error = pthread_mutex_timedlock(lock, &until);
    atomic_store(&ended, 1);
    return (void *)error;
}

// Signals while a thread waits for a lock that inherits priorities: their handler runs, and it waits on.
static void interrupt(pthread_mutex_t *inherits)
{
    const struct sigaction action = {.sa_handler = handle};
    const struct timespec pause = {.tv_nsec = 20000000};
    pthread_t thread;
    void *error;
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&thread, NULL, take_late, inherits);
    while (!atomic_load(&ended)) {
        pthread_kill(thread, SIGUSR1);
        nanosleep(&pause, NULL);
    }
    pthread_join(thread, &error);
    printf("interrupted: %ld %d\n", (long)error, atomic_load(&handled));
}

// A lock that inherits priorities, which glibc asks the kernel for; and users, which are a thread's on Linux:
// glibc has each thread repeat such a call by a signal.
static void ask(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t inherits;
    const uid_t self = getuid(), other = self ? self : 1000;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    printf("inherits: %d", pthread_mutex_init(&inherits, &attributes));
    printf(" %d\n", pthread_mutex_lock(&inherits));
    interrupt(&inherits);
    printf("left: %d\n", pthread_mutex_unlock(&inherits));
    printf("another user: %d", setresuid(other, other, self));
    printf(" %d\n", getuid() == other && geteuid() == other);
    printf("the same again: %d", setresuid(self, self, self));
    printf(" %d\n", getuid() == self && geteuid() == self);
}

int main(void)
{
    raw();
    pthread_t spinner;
    pthread_create(&spinner, NULL, spin, NULL);
    ask();
    run(count, show_number);
    printf("counted %ld, own %d\n", total, own);
    run(take_turns, NULL);
    printf("turns %d\n", turn);
    run(compute, show_double);
    atomic_store(&stop, 1);
    pthread_join(spinner, NULL);
    return 0;
}
