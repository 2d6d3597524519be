// Futexes in memory that is mapped at two addresses: one futex when it is shared. The same source passes on
// Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @link tmpfs
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
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    PLACE = 0x40, // of the word in its page
    WAIT = 0,
    WAKE = 1,
    REQUEUE = 3,
    CMP_REQUEUE = 4,
    LOCK_PI = 6,
    UNLOCK_PI = 7,
    WAIT_BITSET = 9,
    WAKE_BITSET = 10,
    PRIVATE = 128
};

// Two mappings of the file, the second one from its second page on, and a private one.
static char *first, *second, *own;

static _Atomic(uint32_t) *word(char *at)
{
    return (_Atomic(uint32_t) *)(at + PLACE);
}

static long futex(void *address, int operation, uint32_t value, uint32_t moves, void *other, uint32_t third)
{
    return syscall(SYS_futex, address, operation, value, (uint64_t)moves, other, third);
}

struct wait {
    pthread_t thread;
    void *address;
    int operation;
};

static void *wait(void *arg)
{
    const struct wait *self = arg;
    CHECK(futex(self->address, self->operation, 0, 0, NULL, UINT32_MAX) == 0);
    return NULL;
}

static struct wait begin(void *address, int operation)
{
    return (struct wait){.address = address, .operation = operation};
}

static void start(struct wait *wait_)
{
    CHECK(pthread_create(&wait_->thread, NULL, wait, wait_) == 0);
}

// Until the waiter is there and woken.
static void wake(void *address, int operation)
{
    while (futex(address, operation, 1, 0, NULL, UINT32_MAX) != 1)
        sched_yield();
}

static void test_aliases(void)
{
    static const int operations[][2] = {{WAIT, WAKE}, {WAIT_BITSET, WAKE_BITSET}};
    for (unsigned i = 0; i < 4; i++) {
        const int *operation = operations[i % 2];
        struct wait waiter = begin(word(i < 2 ? first + PAGE : second), operation[0]);
        start(&waiter);
        wake(word(i < 2 ? second : first + PAGE), operation[1]);
        CHECK(pthread_join(waiter.thread, NULL) == 0);
    }
    struct wait alone = begin(word(own), WAIT);
    start(&alone);
    wake(word(own), WAKE);
    CHECK(pthread_join(alone.thread, NULL) == 0);
}

// What waits by its address is found there alone, whatever stands behind it.
static void test_others(void)
{
    struct wait waiter = begin(word(second), WAIT);
    start(&waiter);
    while (futex(word(first + PAGE), REQUEUE, 0, 1, word(first), 0) != 1) // it waits now
        sched_yield();
    CHECK(futex(word(first), WAKE | PRIVATE, 1, 0, NULL, 0) == 0);
    CHECK(futex(word(own), WAKE, 1, 0, NULL, 0) == 0);
    CHECK(futex(word(second), WAKE, 1, 0, NULL, 0) == 0);
    CHECK(futex(word(first), CMP_REQUEUE, 0, 1, word(first + PAGE), 1) < 0 && errno == EAGAIN);
    CHECK(futex(word(first), CMP_REQUEUE, 0, 1, word(first + PAGE), 0) == 1);
    CHECK(futex(word(first), WAKE, 1, 0, NULL, 0) == 0);
    CHECK(futex(word(second) + 1, WAKE, 1, 0, NULL, 0) == 0);
    CHECK(futex(word(second), WAKE, 1, 0, NULL, 0) == 1);
    CHECK(pthread_join(waiter.thread, NULL) == 0);
    waiter.operation = WAIT | PRIVATE;
    start(&waiter);
    wake(word(second), WAKE | PRIVATE);
    CHECK(pthread_join(waiter.thread, NULL) == 0);
}

// A page that leaves the file and comes back is the same place of the file.
static void test_cut(int file)
{
    struct wait waiter = begin(word(second), WAIT);
    start(&waiter);
    while (futex(word(first + PAGE), REQUEUE, 0, 1, word(second), 0) != 1) // it waits now
        sched_yield();
    CHECK(ftruncate(file, PAGE) == 0 && ftruncate(file, 3 * PAGE) == 0);
    CHECK(atomic_load(word(first + 2 * PAGE)) == 0); // takes the page that was given back, maybe
    CHECK(atomic_load(word(second)) == 0);
    CHECK(futex(word(first + PAGE), WAKE, 1, 0, NULL, 0) == 1);
    CHECK(pthread_join(waiter.thread, NULL) == 0);
}

// --- Of the C library ---

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    sem_t go;
    atomic_int turns;
};

static struct shared *shared(char *at)
{
    return (struct shared *)(at + 1024);
}

static void *turn(void *arg)
{
    struct shared *self = shared(second);
    (void)arg;
    for (int i = 0; i < 100; i++) {
        CHECK(pthread_mutex_lock(&self->mutex) == 0);
        while (self->turns % 2 == 0)
            CHECK(pthread_cond_wait(&self->condition, &self->mutex) == 0);
        self->turns++;
        CHECK(pthread_cond_signal(&self->condition) == 0 && pthread_mutex_unlock(&self->mutex) == 0);
        CHECK(sem_wait(&self->go) == 0);
    }
    return NULL;
}

static void test_library(void)
{
    struct shared *self = shared(first + PAGE);
    pthread_mutexattr_t of_mutex;
    pthread_condattr_t of_condition;
    pthread_t thread;
    CHECK(pthread_mutexattr_init(&of_mutex) == 0 && pthread_condattr_init(&of_condition) == 0);
    CHECK(pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(&self->mutex, &of_mutex) == 0 && sem_init(&self->go, 1, 0) == 0);
    CHECK(pthread_cond_init(&self->condition, &of_condition) == 0);
    CHECK(pthread_create(&thread, NULL, turn, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(pthread_mutex_lock(&self->mutex) == 0);
        while (self->turns % 2 == 1)
            CHECK(pthread_cond_wait(&self->condition, &self->mutex) == 0);
        self->turns++;
        CHECK(pthread_cond_signal(&self->condition) == 0 && pthread_mutex_unlock(&self->mutex) == 0);
        CHECK(sem_post(&self->go) == 0);
    }
    CHECK(pthread_join(thread, NULL) == 0 && self->turns == 200);
}

// --- The kernel's own wakes ---

static void *lock_second(void *arg)
{
    CHECK(futex(word(second), LOCK_PI, 0, 0, NULL, 0) == 0 &&
          futex(word(second), UNLOCK_PI, 0, 0, NULL, 0) == 0);
    return arg;
}

static void test_inheriting(void)
{
    const uint32_t waiters = 0x80000000;
    pthread_mutexattr_t attributes; // musl links such locks for who asks for them
    pthread_t thread;
    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0);
    CHECK(futex(word(first + PAGE), LOCK_PI, 0, 0, NULL, 0) == 0);
    CHECK(pthread_create(&thread, NULL, lock_second, NULL) == 0);
    while (!(atomic_load(word(second)) & waiters))
        sched_yield();
    CHECK(futex(word(first + PAGE), UNLOCK_PI, 0, 0, NULL, 0) == 0);
    CHECK(pthread_join(thread, NULL) == 0 && atomic_load(word(second)) == 0);
}

static _Thread_local struct {
    void *first;
    long offset;
    void *pending;
} list;

static atomic_int is_owner;

// Ends with a lock held that somebody waits for by another address.
static void *die_as_owner(void *arg)
{
    const uint32_t waiters = 0x80000000;
    list.first = &list;
    list.pending = first + PAGE + PLACE - 16;
    list.offset = 16;
    CHECK(syscall(SYS_set_robust_list, &list, sizeof list) == 0);
    atomic_store(word(first + PAGE), (uint32_t)syscall(SYS_gettid) | waiters);
    atomic_store(&is_owner, 1);
    while (atomic_load(&is_owner) != 2)
        sched_yield();
    return arg;
}

static void *await_death(void *arg)
{
    const uint32_t died = 0x40000000;
    uint32_t value;
    while (!((value = atomic_load(word(second))) & died)) {
        atomic_store(&is_owner, 2);
        futex(word(second), WAIT, value, 0, NULL, 0);
    }
    return arg;
}

static void test_robust(void)
{
    pthread_t owner, other;
    CHECK(pthread_create(&owner, NULL, die_as_owner, NULL) == 0);
    while (!atomic_load(&is_owner))
        sched_yield();
    CHECK(pthread_create(&other, NULL, await_death, NULL) == 0);
    CHECK(pthread_join(owner, NULL) == 0 && pthread_join(other, NULL) == 0);
    atomic_store(word(second), 0);
}

int main(void)
{
    const int access = PROT_READ | PROT_WRITE;
    int file = (int)syscall(SYS_memfd_create, "words", 0);
    CHECK(file >= 0 && ftruncate(file, 3 * PAGE) == 0);
    first = mmap(NULL, 3 * PAGE, access, MAP_SHARED, file, 0);
    second = mmap(NULL, PAGE, access, MAP_SHARED, file, PAGE);
    own = mmap(NULL, PAGE, access, MAP_PRIVATE, file, PAGE);
    CHECK(first != MAP_FAILED && second != MAP_FAILED && own != MAP_FAILED);
    test_aliases();
    test_others();
    test_cut(file);
    test_library();
    test_inheriting();
    for (int i = 0; i < 20; i++) {
        atomic_store(&is_owner, 0);
        test_robust();
    }
    return passed();
}
