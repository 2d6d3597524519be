// Faults of the program as signals: where and why is told, handlers jump away or mend and return. The same
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

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64 };

static _Thread_local sigjmp_buf away;
static _Thread_local siginfo_t told;
static _Thread_local ucontext_t where;

static void leave(int signal, siginfo_t *information, void *context)
{
    told = *information;
    where.uc_mcontext = ((ucontext_t *)context)->uc_mcontext;
    siglongjmp(away, signal);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

// The signal that `what` ends with; 0: none.
#define SIGNAL_OF(what)                                                                                      \
    __extension__({                                                                                          \
        int signal_ = sigsetjmp(away, 1);                                                                    \
        if (!signal_) {                                                                                      \
            what;                                                                                            \
        }                                                                                                    \
        signal_;                                                                                             \
    })

static OPAQUE int read_at(const volatile int *address)
{
    return *address;
}

static OPAQUE void write_at(volatile int *address)
{
    *address = 1;
}

static OPAQUE long divide(volatile long by)
{
    return 1000 / by;
}

static char *map(size_t size, int protection)
{
    char *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static volatile size_t length;

static void test_addresses(void)
{
    char *memory = map(4 * PAGE, PROT_READ | PROT_WRITE);
    CHECK(SIGNAL_OF(read_at(hidden(0x10))) == SIGSEGV);
    CHECK(told.si_code == SEGV_MAPERR && told.si_addr == (void *)0x10);
    CHECK(where.uc_mcontext.gregs[REG_TRAPNO] == 14 && where.uc_mcontext.gregs[REG_CR2] == 0x10);
    CHECK(where.uc_mcontext.gregs[REG_RIP] >= (long)(intptr_t)read_at &&
          where.uc_mcontext.gregs[REG_RIP] < (long)(intptr_t)read_at + 32);
    CHECK(mprotect(memory + PAGE, PAGE, PROT_READ) == 0 && mprotect(memory + 2 * PAGE, PAGE, PROT_NONE) == 0);
    CHECK(SIGNAL_OF(write_at((int *)(memory + PAGE + 8))) == SIGSEGV);
    CHECK(told.si_code == SEGV_ACCERR && told.si_addr == memory + PAGE + 8);
    CHECK(where.uc_mcontext.gregs[REG_ERR] & 2);
    CHECK(SIGNAL_OF(read_at((int *)(memory + 2 * PAGE))) == SIGSEGV && told.si_code == SEGV_ACCERR);
    CHECK(munmap(memory + 3 * PAGE, PAGE) == 0);
    CHECK(SIGNAL_OF(read_at((int *)(memory + 3 * PAGE))) == SIGSEGV && told.si_code == SEGV_MAPERR);
    CHECK(told.si_addr == memory + 3 * PAGE);
    CHECK(SIGNAL_OF(read_at(hidden(0x8000000000000000))) == SIGSEGV); // an address that is none
    CHECK(told.si_code == SI_KERNEL && told.si_addr == NULL);
    // The C library does it for the program.
    CHECK(SIGNAL_OF(memset(memory + PAGE, 1, 64)) == SIGSEGV && told.si_addr >= (void *)(memory + PAGE));
    CHECK(SIGNAL_OF(memcpy(memory, memory + 2 * PAGE, 100)) == SIGSEGV && told.si_code == SEGV_ACCERR);
    CHECK(SIGNAL_OF(length = strlen(hidden(8))) == SIGSEGV && told.si_addr < (void *)PAGE);
    void (*nowhere)(void) = (void (*)(void))hidden(0x20);
    CHECK(SIGNAL_OF(nowhere()) == SIGSEGV && told.si_addr == (void *)0x20);
    CHECK(where.uc_mcontext.gregs[REG_RIP] == 0x20);
    CHECK(munmap(memory, 3 * PAGE) == 0);
}

static void test_others(void)
{
    CHECK(SIGNAL_OF(divide(0)) == SIGFPE && told.si_code == FPE_INTDIV);
    CHECK((long)told.si_addr == where.uc_mcontext.gregs[REG_RIP]);
    CHECK(SIGNAL_OF(__asm__ volatile("ud2")) == SIGILL && told.si_code == ILL_ILLOPN);
    CHECK(SIGNAL_OF(__asm__ volatile("int3")) == SIGTRAP && told.si_code == SI_KERNEL);
    // x87, as QEMU's processor raises nothing for vector registers. The handler finds it initialised.
    const uint16_t control = 0x37f & ~4; // division by zero
    CHECK(SIGNAL_OF(__asm__ volatile("fldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait"
                                     :
                                     : "m"(control))) == SIGFPE);
    CHECK(told.si_code == FPE_FLTDIV);
    __asm__ volatile("fninit");
}

// What a garbage collector does: pages are protected, and a write makes its page writable and is done again.
static char *heap;
static atomic_int barriers;

static void mend(int signal, siginfo_t *information, void *context)
{
    char *page = (char *)((uintptr_t)information->si_addr & ~(uintptr_t)(PAGE - 1));
    (void)context;
    CHECK(signal == SIGSEGV && page >= heap && page < heap + PAGES * PAGE);
    CHECK(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0);
    atomic_fetch_add(&barriers, 1);
}

static void *write_all(void *arg)
{
    for (int i = 0; i < PAGES; i++)
        *(volatile char *)(heap + i * PAGE + (intptr_t)arg) += 1;
    return NULL;
}

static void test_barrier(void)
{
    heap = map(PAGES * PAGE, PROT_READ | PROT_WRITE);
    handle(SIGSEGV, mend, 0);
    for (int round = 0; round < 3; round++) {
        pthread_t threads[4];
        atomic_store(&barriers, 0);
        CHECK(mprotect(heap, PAGES * PAGE, PROT_READ) == 0);
        for (intptr_t i = 0; i < 4; i++)
            CHECK(pthread_create(&threads[i], NULL, write_all, (void *)i) == 0);
        for (int i = 0; i < 4; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(atomic_load(&barriers) >= PAGES);
    }
    for (int i = 0; i < 4; i++)
        CHECK(heap[i] == 3 && heap[(PAGES - 1) * PAGE + i] == 3);
    handle(SIGSEGV, leave, SA_ONSTACK);
}

static volatile int deep;

static OPAQUE int overflow(int depth)
{
    volatile char room[512];
    room[0] = (char)depth;
    deep = depth;
    return depth < 1 << 20 ? overflow(depth + 1) + room[0] : 0; // the stack ends long before
}

// A thread whose stack ends: the handler runs on the other one.
static void *overflow_thread(void *arg)
{
    stack_t stack = {.ss_sp = malloc(64 << 10), .ss_size = 64 << 10}, now;
    CHECK(stack.ss_sp && sigaltstack(&stack, NULL) == 0);
    for (int i = 0; i < 2; i++) {
        deep = 0;
        CHECK(SIGNAL_OF(overflow(0)) == SIGSEGV && deep > 50);
        CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0);
    }
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
    free(stack.ss_sp);
    return arg;
}

static void test_overflow(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 128 << 10) == 0);
    CHECK(pthread_create(&thread, &attributes, overflow_thread, NULL) == 0 &&
          pthread_join(thread, NULL) == 0);
}

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        handle(signals[i], leave, SA_ONSTACK);
    test_addresses();
    test_others();
    test_barrier();
    test_overflow();
    return passed();
}
