// Handlers of signals: what they are told, on which stack they run, what is as before behind them; signals
// that end calls, that come while a thread computes, and faults.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK = 65536 };

static char stack[STACK] __attribute__((aligned(64)));
static atomic_int seen, depth;
static sigjmp_buf back;

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, &action, NULL))
        printf("sigaction: %s\n", strerrorname_np(errno));
}

static int on_stack(const void *address)
{
    return (const char *)address >= stack && (const char *)address < stack + STACK;
}

static void tell(int signal, siginfo_t *what, void *context)
{
    ucontext_t *user = context;
    char local, text[32] = "";
    int length = snprintf(text, sizeof text, "  in the handler\n");
    fflush(stdout);
    if (write(1, text, (size_t)length) != length) // of its own stack
        return;
    printf("  %d %d code %d of us %d, own stack %d, aligned %d, context's %d\n", signal, what->si_signo,
           what->si_code, what->si_pid == getpid(), on_stack(&local),
           (int)((uintptr_t)__builtin_frame_address(0) % 16), user->uc_stack.ss_size == STACK);
    seen++;
}

static void nest(int signal, siginfo_t *what, void *context)
{
    (void)what;
    (void)context;
    int now = ++depth;
    if (signal == SIGUSR1)
        raise(SIGUSR2);
    printf("  %s at depth %d\n", sigabbrev_np(signal), now);
    depth--;
}

static void spoil(int signal, siginfo_t *what, void *context)
{
    (void)signal;
    (void)what;
    (void)context;
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm9, %%xmm9; fninit; fldz" ::: "xmm0", "xmm9");
    seen++;
}

// Registers that Linux keeps over the call, and those of vectors, with a handler that changes them.
static void show_vectors(void)
{
    uint64_t first = 0x1234567890, ninth = 0x9876543210, one = 0, nine = 0;
    long number = SYS_tgkill;
    __asm__ volatile("movq %2, %%xmm0; movq %3, %%xmm9; syscall; movq %%xmm0, %0; movq %%xmm9, %1"
                     : "=&r"(one), "=&r"(nine)
                     : "r"(first), "r"(ninth), "a"(number), "D"((long)getpid()), "S"((long)gettid()),
                       "d"((long)SIGUSR1)
                     : "rcx", "r11", "memory", "xmm0", "xmm9");
    printf("vectors kept: %d\n", one == first && nine == ninth);
}

static void skip(int signal, siginfo_t *what, void *context)
{
    ucontext_t *user = context;
    printf("  %s of address %p, code %d, written %d\n", sigabbrev_np(signal), what->si_addr, what->si_code,
           (int)(user->uc_mcontext.gregs[REG_ERR] >> 1 & 1));
    user->uc_mcontext.gregs[REG_RIP] += 2; // of `movl %eax, (%rcx)`
    user->uc_mcontext.gregs[REG_RBX] = 4711;
}

static void jump(int signal, siginfo_t *what, void *context)
{
    (void)what;
    (void)context;
    siglongjmp(back, signal);
}

static void show_faults(void)
{
    int *bad = (int *)16;
    long result = 0;
    install(SIGSEGV, skip, 0);
    __asm__ volatile("xorl %%ebx, %%ebx; movl %%eax, (%%rcx); movq %%rbx, %0"
                     : "=r"(result)
                     : "c"(bad), "a"(1)
                     : "rbx", "memory");
    printf("behind it: %ld\n", result);
    install(SIGSEGV, jump, SA_ONSTACK);
    volatile int *volatile worse = (volatile int *)8;
    if (!sigsetjmp(back, 1)) {
        *worse = 1;
        printf("it was written\n");
    }
    printf("back of a fault\n");
    install(SIGFPE, jump, 0);
    volatile int zero = 0;
    if (!sigsetjmp(back, 1))
        printf("%d\n", 100 / zero);
    printf("back of a division\n");
    install(SIGILL, jump, 0);
    if (!sigsetjmp(back, 1))
        __asm__ volatile("ud2");
    printf("back of an instruction\n");
}

static atomic_int ready;

// Waits for a byte that comes, or for a signal.
static void *wait_for_byte(void *arg)
{
    char byte = 0;
    ready = gettid();
    ssize_t result = read(*(int *)arg, &byte, 1);
    printf("read: %s %d\n", result < 0 ? strerrorname_np(errno) : "done", byte);
    return NULL;
}

static void *compute(void *arg)
{
    (void)arg;
    ready = gettid();
    while (!seen)
        ;
    return NULL;
}

static void pause_shortly(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

static void count(int signal, siginfo_t *what, void *context)
{
    (void)signal;
    (void)what;
    (void)context;
    seen++;
}

static void show_threads(void)
{
    int pipes[2];
    pthread_t thread;
    if (pipe(pipes))
        return;
    for (int restart = 0; restart < 2; restart++) {
        install(SIGUSR1, count, restart ? SA_RESTART : 0);
        ready = seen = 0;
        pthread_create(&thread, NULL, wait_for_byte, &pipes[0]);
        while (!ready)
            pause_shortly(1);
        pause_shortly(20);
        pthread_kill(thread, SIGUSR1);
        while (!seen)
            pause_shortly(1);
        if (restart && write(pipes[1], "x", 1) != 1)
            return;
        pthread_join(thread, NULL);
    }
    ready = seen = 0;
    pthread_create(&thread, NULL, compute, NULL);
    while (!ready)
        pause_shortly(1);
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
    printf("one that computes took it: %d\n", seen);
}

int main(void)
{
    stack_t own = {.ss_sp = stack, .ss_size = STACK}, old;
    sigset_t set, before;
    printf("sigaltstack: %d\n", sigaltstack(&own, NULL));
    install(SIGUSR1, tell, 0);
    raise(SIGUSR1);
    install(SIGUSR1, tell, SA_ONSTACK);
    kill(getpid(), SIGUSR1);
    install(SIGUSR1, nest, SA_ONSTACK);
    install(SIGUSR2, nest, 0);
    raise(SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, &before);
    raise(SIGUSR2);
    printf("blocked\n");
    sigprocmask(SIG_SETMASK, &before, NULL);
    printf("not blocked\n");
    seen = 0;
    install(SIGUSR1, spoil, 0);
    show_vectors();
    show_faults();
    show_threads();
    install(SIGPIPE, count, 0);
    int pipes[2];
    seen = 0;
    if (pipe(pipes) == 0) {
        close(pipes[0]);
        ssize_t result = write(pipes[1], "x", 1);
        printf("a pipe without a reader: %s, told %d\n", result < 0 ? strerrorname_np(errno) : "done", seen);
    }
    sigaltstack(NULL, &old);
    printf("stack %d flags %d\n", old.ss_sp == stack, old.ss_flags);
    signal(SIGSEGV, SIG_DFL);
    return 0;
}
