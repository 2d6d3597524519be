// <threads.h> of picolibc and newlib: threads, mutexes, conditions, call_once, thread-specific storage.
// SPDX-License-Identifier: MIT
// @memory 64
// @machines q35
// @cpus max
// @run one
// @smp 1,maxcpus=2
// @run four
// @smp 4
#include "check.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

enum { THREADS = 8, ROUNDS = 2000, PLACES = 4, ITEMS = 4000 };

static int add_one(void *arg)
{
    return *(int *)arg + 1;
}

static int exit_early(void *arg)
{
    (void)arg;
    thrd_exit(-7);
}

static void test_life(void)
{
    thrd_t thread;
    int value = 41, result;
    CHECK(thrd_create(&thread, add_one, &value) == thrd_success);
    CHECK(thrd_join(thread, &result) == thrd_success && result == 42);
    CHECK(thrd_create(&thread, exit_early, NULL) == thrd_success);
    CHECK(!thrd_equal(thread, thrd_current()) && thrd_equal(thrd_current(), thrd_current()));
    CHECK(thrd_join(thread, &result) == thrd_success && result == -7);
    CHECK(thrd_join(thrd_current(), NULL) == thrd_error);
    CHECK(thrd_create(&thread, exit_early, NULL) == thrd_success && thrd_detach(thread) == thrd_success);
    struct timespec before, after, moment = {0, 20000000}, none = {0, -1};
    timespec_get(&before, TIME_UTC);
    CHECK(thrd_sleep(&moment, NULL) == 0 && thrd_sleep(&none, NULL) < -1);
    timespec_get(&after, TIME_UTC);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000l + after.tv_nsec - before.tv_nsec >= 20000000);
}

// --- Mutexes ---

static mtx_t plain, recursive;
static long counted;

static int count(void *arg)
{
    mtx_t *mutex = arg;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(mtx_lock(mutex) == thrd_success);
        bool again = mutex == &recursive && i % 2;
        if (again)
            CHECK(mtx_lock(mutex) == thrd_success && mtx_trylock(mutex) == thrd_success);
        long before = counted;
        if (i % 64 == 0)
            thrd_yield();
        counted = before + 1;
        if (again)
            CHECK(mtx_unlock(mutex) == thrd_success && mtx_unlock(mutex) == thrd_success);
        CHECK(mtx_unlock(mutex) == thrd_success);
    }
    return 0;
}

static void count_with(mtx_t *mutex)
{
    thrd_t threads[THREADS];
    counted = 0;
    for (int i = 0; i < THREADS; i++)
        CHECK(thrd_create(&threads[i], count, mutex) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        CHECK(thrd_join(threads[i], NULL) == thrd_success);
    CHECK(counted == (long)THREADS * ROUNDS);
}

static struct timespec in_nanoseconds(long nanoseconds)
{
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    time.tv_nsec += nanoseconds;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static int find_taken(void *arg)
{
    mtx_t *mutex = arg;
    struct timespec soon = in_nanoseconds(10000000), bad = {0, 1000000000}, past = {0, 0};
    CHECK(mtx_trylock(mutex) == thrd_busy);
    CHECK(mtx_timedlock(mutex, &past) == thrd_timedout && mtx_timedlock(mutex, &bad) == thrd_error);
    CHECK(mtx_timedlock(mutex, &soon) == thrd_timedout);
    struct timespec late = in_nanoseconds(0);
    late.tv_sec = soon.tv_sec + 1000;
    CHECK(mtx_timedlock(mutex, &late) == thrd_success); // its holder waits for a moment only
    return mtx_unlock(mutex);
}

static void test_mutexes(void)
{
    thrd_t thread;
    CHECK(mtx_init(&plain, mtx_timed) == thrd_success && mtx_init(&plain, 99) == thrd_error);
    CHECK(mtx_init(&recursive, mtx_timed | mtx_recursive) == thrd_success);
    count_with(&plain);
    count_with(&recursive);
    for (mtx_t *mutex = &plain; mutex; mutex = mutex == &plain ? &recursive : NULL) {
        struct timespec moment = {0, 50000000};
        CHECK(mtx_lock(mutex) == thrd_success);
        CHECK(thrd_create(&thread, find_taken, mutex) == thrd_success);
        CHECK(thrd_sleep(&moment, NULL) == 0 && mtx_unlock(mutex) == thrd_success);
        CHECK(thrd_join(thread, NULL) == thrd_success);
        CHECK(mtx_trylock(mutex) == thrd_success && mtx_unlock(mutex) == thrd_success);
        mtx_destroy(mutex);
    }
}

// --- Conditions: a ring of a few places between makers and takers ---

static struct {
    mtx_t mutex;
    cnd_t filled, freed;
    int places[PLACES];
    unsigned made, taken;
} ring;
static atomic_long sum;

static int make(void *arg)
{
    for (int i = 0; i < ITEMS; i++) {
        mtx_lock(&ring.mutex);
        while (ring.made - ring.taken == PLACES)
            CHECK(cnd_wait(&ring.freed, &ring.mutex) == thrd_success);
        ring.places[ring.made++ % PLACES] = i;
        mtx_unlock(&ring.mutex);
        cnd_signal(&ring.filled);
    }
    (void)arg;
    return 0;
}

static int take(void *arg)
{
    for (int i = 0; i < ITEMS; i++) {
        mtx_lock(&ring.mutex);
        while (ring.made == ring.taken)
            CHECK(cnd_wait(&ring.filled, &ring.mutex) == thrd_success);
        atomic_fetch_add(&sum, ring.places[ring.taken++ % PLACES]);
        mtx_unlock(&ring.mutex);
        cnd_signal(&ring.freed);
    }
    (void)arg;
    return 0;
}

static bool open;
static int pass_gate(void *arg)
{
    mtx_lock(&recursive);
    mtx_lock(&recursive); // cnd_wait gives it back whole
    while (!open)
        CHECK(cnd_wait(arg, &recursive) == thrd_success);
    mtx_unlock(&recursive);
    return mtx_unlock(&recursive);
}

static void test_conditions(void)
{
    thrd_t threads[THREADS];
    cnd_t gate;
    CHECK(mtx_init(&ring.mutex, mtx_plain) == thrd_success && cnd_init(&ring.filled) == thrd_success);
    CHECK(cnd_init(&ring.freed) == thrd_success && cnd_init(&gate) == thrd_success);
    for (int i = 0; i < 4; i++)
        CHECK(thrd_create(&threads[i], i % 2 ? make : take, NULL) == thrd_success);
    for (int i = 0; i < 4; i++)
        CHECK(thrd_join(threads[i], NULL) == thrd_success);
    CHECK(atomic_load(&sum) == 2 * ((long)ITEMS * (ITEMS - 1) / 2));
    struct timespec soon = in_nanoseconds(5000000), bad = {0, -1};
    mtx_lock(&ring.mutex);
    CHECK(cnd_timedwait(&ring.filled, &ring.mutex, &soon) == thrd_timedout);
    CHECK(cnd_timedwait(&ring.filled, &ring.mutex, &bad) == thrd_error);
    CHECK(mtx_trylock(&ring.mutex) == thrd_busy);
    mtx_unlock(&ring.mutex);
    mtx_init(&recursive, mtx_recursive);
    for (int i = 0; i < THREADS; i++)
        CHECK(thrd_create(&threads[i], pass_gate, &gate) == thrd_success);
    for (int i = 0; i < 20; i++)
        thrd_yield();
    mtx_lock(&recursive);
    open = true;
    mtx_unlock(&recursive);
    CHECK(cnd_broadcast(&gate) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        CHECK(thrd_join(threads[i], NULL) == thrd_success);
    cnd_destroy(&gate);
}

// --- call_once, and values of a thread's own ---

static once_flag flag = ONCE_FLAG_INIT;
static atomic_int calls, destroyed;
static tss_t keys[3];
static thread_local int own = 5;

static void call_slowly(void)
{
    for (int i = 0; i < 10; i++)
        thrd_yield();
    atomic_fetch_add(&calls, 1);
}

static int ten = 10;

static void destroy(void *value)
{
    atomic_fetch_add(&destroyed, *(int *)value);
    if (tss_get(keys[1]) == NULL && *(int *)value == 1)
        tss_set(keys[1], &ten); // for a round more
}

static int have_values(void *arg)
{
    static int one = 1;
    call_once(&flag, call_slowly);
    CHECK(atomic_load(&calls) == 1);
    CHECK(tss_get(keys[0]) == NULL && tss_set(keys[0], &one) == thrd_success);
    CHECK(tss_set(keys[2], arg) == thrd_success && own == 5);
    own = (int)(intptr_t)arg;
    thrd_yield();
    CHECK(tss_get(keys[0]) == &one && tss_get(keys[2]) == arg && own == (int)(intptr_t)arg);
    return 0;
}

static void test_values(void)
{
    thrd_t threads[THREADS];
    tss_t more[64], stale;
    unsigned made = 0;
    CHECK(tss_create(&keys[0], destroy) == thrd_success && tss_create(&keys[1], destroy) == thrd_success);
    CHECK(tss_create(&keys[2], NULL) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        CHECK(thrd_create(&threads[i], have_values, (void *)(intptr_t)(i + 1)) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        CHECK(thrd_join(threads[i], NULL) == thrd_success);
    CHECK(atomic_load(&calls) == 1 && atomic_load(&destroyed) == THREADS * 11);
    while (made < 64 && tss_create(&more[made], NULL) == thrd_success)
        made++;
    CHECK(made == 61);
    CHECK(tss_set(more[0], &made) == thrd_success && tss_get(more[0]) == &made);
    tss_delete(stale = more[0]);
    CHECK(tss_set(stale, &made) == thrd_error && tss_create(&more[0], NULL) == thrd_success);
    CHECK(more[0] != stale && tss_get(more[0]) == NULL);
}

// Main ends; the last thread ends the program, as by exit(EXIT_SUCCESS).
static int be_last(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++)
        thrd_yield();
    passed();
    return 77;
}

int main(void)
{
    thrd_t last;
    test_life();
    test_mutexes();
    test_conditions();
    test_values();
    CHECK(thrd_create(&last, be_last, NULL) == thrd_success && thrd_detach(last) == thrd_success);
    thrd_exit(5);
}
