// Robust locks: who waits for one whose owner has ended gets it, and is told. The same source passes on
// Linux.
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
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAIT = 0, OWNER_DIED = 0x40000000 };
#define WAITERS 0x80000000u

static pthread_mutex_t mutex;

static void *end_with_mutex(void *arg)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    return arg;
}

static void test_mutex(void)
{
    pthread_mutexattr_t attributes;
    pthread_t thread;
    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
    CHECK(pthread_create(&thread, NULL, end_with_mutex, NULL) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD && pthread_mutex_consistent(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_lock(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    CHECK(pthread_create(&thread, NULL, end_with_mutex, NULL) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(pthread_mutex_trylock(&mutex) == EOWNERDEAD && pthread_mutex_unlock(&mutex) == 0);
    CHECK(pthread_mutex_lock(&mutex) == ENOTRECOVERABLE && pthread_mutex_destroy(&mutex) == 0);
}

// What the kernel does for a thread that does nothing itself.
struct entry {
    struct entry *next;
    _Atomic(uint32_t) word;
};
static struct {
    struct entry *first;
    long offset;
    struct entry *pending;
} head;
static struct entry entries[3];
static atomic_int ready;

static void *end_at_once(void *arg)
{
    uint32_t self = (uint32_t)syscall(SYS_gettid);
    void *told = NULL;
    size_t size = 0;
    head.first = &entries[0];
    head.offset = (long)offsetof(struct entry, word);
    head.pending = &entries[2];
    entries[0].next = &entries[1];
    entries[1].next = (struct entry *)&head;
    atomic_store(&entries[0].word, self | WAITERS);
    atomic_store(&entries[1].word, self + 1); // another's
    atomic_store(&entries[2].word, self);
    CHECK(syscall(SYS_set_robust_list, &head, 8) < 0 && errno == EINVAL);
    CHECK(syscall(SYS_set_robust_list, &head, sizeof head) == 0);
    CHECK(syscall(SYS_get_robust_list, 0, &told, &size) == 0 && told == &head && size == sizeof head);
    atomic_store(&ready, (int)self);
    usleep(2000);
    syscall(SYS_exit, 0);
    return arg;
}

static void test_list(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
    CHECK(pthread_create(&thread, &attributes, end_at_once, NULL) == 0);
    while (!atomic_load(&ready))
        sched_yield();
    uint32_t self = (uint32_t)atomic_load(&ready), value;
    while ((value = atomic_load(&entries[0].word)) == (self | WAITERS))
        syscall(SYS_futex, &entries[0].word, WAIT, value, NULL, NULL, 0);
    CHECK(value == (WAITERS | OWNER_DIED));
    while (atomic_load(&entries[2].word) == self)
        sched_yield();
    CHECK(atomic_load(&entries[2].word) == OWNER_DIED && atomic_load(&entries[1].word) == self + 1);
    CHECK(syscall(SYS_get_robust_list, 999999, &value, &value) < 0 && errno == ESRCH);
}

// Locks that inherit priorities, of which Linux keeps the waiters.
enum { THREADS = 4, ROUNDS = 2000, LOCK_PI = 6, UNLOCK_PI = 7, TRYLOCK_PI = 8 };
static int counter;

static void *counts(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        int before = counter;
        if (i % 64 == 0)
            sched_yield(); // while others wait
        counter = before + 1;
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    return arg;
}

static void *times_out(void *arg)
{
    struct timespec soon;
    uint32_t *word = arg;
    CHECK(clock_gettime(CLOCK_REALTIME, &soon) == 0);
    soon.tv_sec -= 1;
    CHECK(pthread_mutex_trylock(&mutex) == EBUSY && pthread_mutex_timedlock(&mutex, &soon) == ETIMEDOUT);
    CHECK_ERRNO(syscall(SYS_futex, word, TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
    CHECK_ERRNO(syscall(SYS_futex, word, LOCK_PI, 0, &soon, NULL, 0), ETIMEDOUT);
    CHECK_ERRNO(syscall(SYS_futex, word, UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
    return arg;
}

static void test_inheritance(void)
{
    pthread_mutexattr_t attributes;
    pthread_t threads[THREADS];
    uint32_t word = 0, self = (uint32_t)syscall(SYS_gettid);
    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0);
    CHECK(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0);
    CHECK(pthread_mutex_destroy(&mutex) == 0 && pthread_mutex_init(&mutex, &attributes) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, counts, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(counter == THREADS * ROUNDS);

    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == EDEADLK);
    CHECK(syscall(SYS_futex, &word, LOCK_PI, 0, NULL, NULL, 0) == 0 && word == self);
    CHECK_ERRNO(syscall(SYS_futex, &word, LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    CHECK(pthread_create(&threads[0], NULL, times_out, &word) == 0 && pthread_join(threads[0], NULL) == 0);
    CHECK(syscall(SYS_futex, &word, UNLOCK_PI, 0, NULL, NULL, 0) == 0 && (word & ~WAITERS) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == EPERM);
    CHECK_ERRNO(syscall(SYS_futex, &word, 3 /* FUTEX_REQUEUE */, -1, 1L, &counter, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex, &word, 3, 1, -1L, &counter, 0), EINVAL);
    word = 999999; // nobody
    CHECK_ERRNO(syscall(SYS_futex, &word, LOCK_PI, 0, NULL, NULL, 0), ESRCH);
}

int main(void)
{
    test_mutex();
    test_list();
    test_inheritance();
    return passed();
}
