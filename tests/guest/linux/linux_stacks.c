// Large stacks of threads: their memory comes when it is used, wherever the program and the kernel's text on
// it meet a page that has none yet, and the time slices of a thread do not end with it.
// SPDX-License-Identifier: MIT
// @variants musl
// @link tmpfs
// @memory 128
// @timeout 120
// @machines q35
// @run one core
// @smp 1,maxcpus=2
// @run two cores
// @smp 2

#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { PAGE = 4096, MANY = 32, KIB = 1024, MIB = 1024 * KIB, SHARED = 64 * PAGE };

static char *shared; // pages of a file, by which their locks are taken in faults

static pthread_t start(void *(*function)(void *), void *arg, size_t stack)
{
    pthread_t thread;
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, stack) == 0);
    CHECK(pthread_create(&thread, &attributes, function, arg) == 0);
    return thread;
}

static uint64_t free_bytes(void)
{
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    return info.freeram;
}

// What takes the locks of the address space, of the frames, and of files.
static void call_all(int file, unsigned round)
{
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    page[round % PAGE] = 1;
    CHECK(pwrite(file, page, PAGE, (off_t)(round % 64) * PAGE) == PAGE);
    shared[round * 977ul * PAGE % SHARED] = (char)round;
    if (round % 16 == 0)
        CHECK(madvise(shared, SHARED, MADV_DONTNEED) == 0 && ftruncate(file, SHARED) == 0);
    CHECK(munmap(page, PAGE) == 0);
}

// Calls with as much below as a page fault may meet: the frame is not touched before.
static OPAQUE unsigned go_down(int file, unsigned depth, unsigned step)
{
    volatile char *frame = __builtin_alloca(step);
    __asm__ volatile("" : : "r"(frame) : "memory");
    call_all(file, depth);
    unsigned below = depth ? go_down(file, depth - 1, step) : 0;
    frame[0] = 1;
    return below + 1;
}

static void *use_stack(void *arg)
{
    unsigned number = *(unsigned *)arg;
    char name[32];
    snprintf(name, sizeof name, "/tmp/stack%u", number);
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0);
    CHECK(go_down(file, 60, 6000 + 1360 * number) == 61);
    CHECK(close(file) == 0 && unlink(name) == 0);
    return NULL;
}

static void test_calls(void)
{
    pthread_t threads[4];
    unsigned numbers[4];
    for (unsigned i = 0; i < 4; i++) {
        numbers[i] = i;
        threads[i] = start(use_stack, &numbers[i], 2 * MIB);
    }
    for (unsigned i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static atomic_bool go_on;

static void *wait_long(void *arg)
{
    (void)arg;
    while (!atomic_load(&go_on))
        usleep(1000);
    return NULL;
}

// 256 MiB of stacks in 128 MiB.
static void test_many(void)
{
    static pthread_t threads[MANY];
    uint64_t before = free_bytes();
    atomic_store(&go_on, false);
    for (unsigned i = 0; i < MANY; i++)
        threads[i] = start(wait_long, NULL, 8 * MIB);
    CHECK(free_bytes() + MANY * 192 * KIB > before);
    atomic_store(&go_on, true);
    for (unsigned i = 0; i < MANY; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(free_bytes() + 256 * KIB > before);
}

static atomic_uint turn;

static OPAQUE void spin_at(unsigned wanted, size_t down)
{
    volatile char *frame = __builtin_alloca(down);
    __asm__ volatile("" : : "r"(frame) : "memory");
    while (atomic_load(&turn) != wanted)
        ;
}

// Computes at depths around those where the stack has no memory yet; the other one needs the same core.
static void *spin(void *arg)
{
    (void)arg;
    for (unsigned i = 1; i <= 12; i++)
        spin_at(i, i * (64 * KIB - PAGE / 2));
    return NULL;
}

static void test_slices(void)
{
    pthread_t thread = start(spin, NULL, 4 * MIB);
    for (unsigned i = 1; i <= 12; i++) {
        usleep(11000);
        atomic_store(&turn, i);
    }
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *map_a_page(void *arg)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED && munmap(page, PAGE) == 0);
    return arg;
}

// A small one has its memory at once, and not much of it.
static void test_small(void)
{
    CHECK(pthread_join(start(map_a_page, NULL, 8 * KIB), NULL) == 0);
}

int main(void)
{
    int file = open("/tmp/shared", O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0 && ftruncate(file, SHARED) == 0);
    shared = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(shared != MAP_FAILED);
    test_small();
    test_many();
    test_slices();
    test_calls();
    return passed();
}
