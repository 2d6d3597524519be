// A program that makes code: the image has JIT.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, RX = PROT_READ | PROT_EXEC };
typedef int (*function)(void);

static sigjmp_buf back;

static void on_signal(int signal)
{
    siglongjmp(back, signal);
}

// movl $number, %eax; ret
static void make(unsigned char *at, int number)
{
    static const unsigned char code[6] = {0xb8, [5] = 0xc3};
    memcpy(at, code, sizeof code);
    memcpy(at + 1, &number, sizeof number);
}

// What the code returns, or 1000 and the signal in which it ends.
static int call(const void *at)
{
    function made;
    memcpy(&made, &at, sizeof made);
    int signal = sigsetjmp(back, 1);
    return signal ? 1000 + signal : made();
}

static int change(unsigned char *at)
{
    int signal = sigsetjmp(back, 1);
    if (!signal)
        *(volatile unsigned char *)at = 0x90;
    return signal;
}

static void *call_often(void *at)
{
    long sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += call(at);
    return (void *)sum;
}

// Made, protected, called, also by another thread; changed and made again.
static void test_protect(void)
{
    unsigned char *code = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t thread;
    void *sum;
    make(code, 42);
    printf("not yet: %d\n", call(code));
    printf("mprotect: %d\n", mprotect(code, PAGE, RX));
    printf("made: %d, to be written: %d\n", call(code), change(code));
    pthread_create(&thread, NULL, call_often, code);
    pthread_join(thread, &sum);
    printf("by a thread: %ld\n", (long)sum);
    for (int i = 0; i < 100; i++) {
        mprotect(code, PAGE, RW);
        make(code, i);
        mprotect(code, PAGE, RX);
        if (call(code) != i)
            printf("round %d is wrong\n", i);
    }
    mprotect(code, PAGE, RW);
    printf("no longer: %d\n", call(code));
    memcpy(code, "\x0f\x0b", 2); // ud2
    mprotect(code, 2 * PAGE, RX);
    printf("undefined: %d, zeros: %d\n", call(code), call(code + PAGE));
    mprotect(code, 2 * PAGE, PROT_NONE);
    printf("none: %d\n", call(code));
    munmap(code, 2 * PAGE);
}

int main(void)
{
    signal(SIGILL, on_signal);
    signal(SIGSEGV, on_signal);
    test_protect();
    unsigned char *both = mmap(NULL, 1 << 21, RW | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    make(both + (1 << 20), 7);
    printf("all at once: %d\n", call(both + (1 << 20)));
    both = mremap(both, 1 << 21, 1 << 22, MREMAP_MAYMOVE);
    printf("moved: %d\n", call(both + (1 << 20)));
    int file = open("/dev/shm/code", O_RDWR | O_CREAT, 0700);
    make(both, 8);
    printf("written: %zd\n", write(file, both, 6));
    printf("of a file: %d\n", call(mmap(NULL, PAGE, RX, MAP_PRIVATE, file, 0)));
    printf("shared: %d\n", call(mmap(NULL, PAGE, RX, MAP_SHARED, file, 0)));
    unlink("/dev/shm/code");
    return 0;
}
