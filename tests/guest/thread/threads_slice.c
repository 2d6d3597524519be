// Threads that compute without waiting give way to others: on one core all the same. What they compute, in
// every kind of register, is what it would be alone; locks keep what they protect.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked
// @memory 64
// @timeout 120
// @machines q35
// @run one
// @smp 1,maxcpus=2
// @run two
// @smp 2
#include "check.h"

#include <baremetal/core.h>
#include <baremetal/lock.h>
#include <baremetal/switch.h>
#include <baremetal/thread.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <baremetal/work.h>

#include <stdatomic.h>
#include <stdio.h>

enum { SPINNERS = 5, MILLISECOND = 1000000 };

static atomic_bool over;

static struct bm_thread *make(void *(*function)(void *), void *arg)
{
    struct bm_thread *thread;
    CHECK(bm_thread_create(&thread, function, arg, NULL) == 0);
    return thread;
}

static void *join(struct bm_thread *thread)
{
    void *result = NULL;
    CHECK(bm_thread_join(thread, &result, UINT64_MAX) == 0);
    return result;
}

static void *spin_until_over(void *arg)
{
    while (!atomic_load_explicit(&over, memory_order_relaxed))
        ;
    return arg;
}

static void *end_soon(void *arg)
{
    bm_thread_sleep(bm_time_monotonic() + 5 * MILLISECOND);
    atomic_store(&over, true);
    return arg;
}

// Nobody waits, and yet the sleeper gets its turn, on any core.
static void test_turns(void)
{
    struct bm_thread *spinners[SPINNERS];
    for (int i = 0; i < SPINNERS; i++)
        spinners[i] = make(spin_until_over, NULL);
    join(make(end_soon, NULL));
    for (int i = 0; i < SPINNERS; i++)
        join(spinners[i]);
}

// Each thread computes in general, x87 and vector registers, and below its stack pointer, for several slices.
static atomic_uint computing, most_computing;

static __attribute__((noinline)) uint64_t mix(uint64_t value) // a leaf: its array may lie in the red zone
{
    volatile uint64_t parts[8];
    for (unsigned i = 0; i < 8; i++)
        parts[i] = value * (2 * i + 1) + i;
    for (unsigned i = 0; i < 8; i++)
        value ^= parts[i] << i;
    return value;
}

static uint64_t compute(uint64_t seed, unsigned rounds)
{
    double sum = (double)seed;
    long double precise = 1 + (long double)seed / 7;
    typedef float vector __attribute__((vector_size(16)));
    vector lanes = {1, 2, 3, 4};
    uint64_t value = seed;
    for (unsigned i = 0; i < rounds; i++) {
        value = mix(value) + i;
        sum = sum * 0.999 + (double)(value & 1023);
        precise = precise * 0.9999L + (long double)(value >> 60);
        lanes = lanes * 0.5f + (float)(value & 7);
        __asm__("" : "+x"(lanes));
    }
    return value ^ (uint64_t)(sum * 1e6) ^ (uint64_t)(precise * 1e9L) ^
           (uint64_t)((lanes[0] + 2 * lanes[1] + 3 * lanes[2] + 5 * lanes[3]) * 1e3f);
}

struct job {
    uint64_t seed, result;
    unsigned rounds;
};

static void *compute_job(void *arg)
{
    struct job *job = arg;
    unsigned now = atomic_fetch_add(&computing, 1) + 1, before = atomic_load(&most_computing);
    while (before < now && !atomic_compare_exchange_weak(&most_computing, &before, now))
        ;
    job->result = compute(job->seed, job->rounds);
    atomic_fetch_sub(&computing, 1);
    return arg;
}

static void test_registers(void)
{
    struct job jobs[SPINNERS];
    struct bm_thread *threads[SPINNERS];
    uint64_t begin = bm_time_monotonic();
    unsigned rounds = 20000;
    while (compute(1, rounds) && bm_time_monotonic() - begin < 60 * MILLISECOND) {
        rounds *= 2;
        begin = bm_time_monotonic();
    }
    for (int i = 0; i < SPINNERS; i++) {
        jobs[i] = (struct job){.seed = (uint64_t)i * 77 + 5, .rounds = rounds};
        threads[i] = make(compute_job, &jobs[i]);
    }
    for (int i = 0; i < SPINNERS; i++)
        join(threads[i]);
    for (int i = 0; i < SPINNERS; i++)
        CHECK(jobs[i].result == compute(jobs[i].seed, rounds));
    printf("%u of %u were under way at once\n", atomic_load(&most_computing), SPINNERS);
    CHECK(atomic_load(&most_computing) > bm_core_count());
}

// Six values stand on the stack of x87 registers all the while; a thread that begins meanwhile finds it
// empty.
static atomic_bool summed;

static void *hold_x87(void *arg)
{
    double sum;
    __asm__ volatile("fld1; fld1; fld1; fld1; fld1; fld1\n"
                     "1: cmpb $0, %1; je 1b\n"
                     "faddp; faddp; faddp; faddp; faddp; fstpl %0"
                     : "=m"(sum)
                     : "m"(summed)
                     : "cc", "memory");
    CHECK(sum == 6);
    return arg;
}

static void *sum_soon(void *arg)
{
    bm_thread_sleep(bm_time_monotonic() + 60 * MILLISECOND);
    atomic_store(&summed, true);
    return arg;
}

static void test_x87(void)
{
    struct bm_thread *threads[SPINNERS];
    for (int i = 0; i < SPINNERS; i++)
        threads[i] = make(hold_x87, NULL);
    join(make(sum_soon, NULL));
    for (int i = 0; i < SPINNERS; i++)
        join(threads[i]);
}

// A lock, and a core that is kept: neither is torn apart.
static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static volatile uint64_t locked_pair[2];
static volatile uint64_t kept_pairs[BM_CORES_MAX][2];

static bool pair_count(volatile uint64_t pair[2])
{
    bool equal = pair[0] == pair[1];
    pair[0]++;
    for (unsigned i = 0; i < 50; i++)
        __asm__ volatile("");
    pair[1]++;
    return equal;
}

static void *count_pairs(void *arg)
{
    uint64_t end = bm_time_monotonic() + 100 * MILLISECOND;
    uintptr_t torn = 0;
    while (bm_time_monotonic() < end) {
        if (!bm_spinlock_try(&lock))
            bm_spinlock_acquire(&lock);
        torn += !pair_count(locked_pair);
        bm_spinlock_release(&lock);
        bm_switch_forbid();
        torn += !pair_count(kept_pairs[bm_core_id()]);
        bm_switch_allow();
    }
    (void)arg;
    return (void *)torn; // NOLINT
}

static void test_locks(void)
{
    struct bm_thread *threads[SPINNERS];
    for (int i = 0; i < SPINNERS; i++)
        threads[i] = make(count_pairs, NULL);
    for (int i = 0; i < SPINNERS; i++)
        CHECK(join(threads[i]) == NULL);
    CHECK(locked_pair[0] == locked_pair[1] && locked_pair[0] > 100);
}

// An item of work runs to its end on its core: threads wait for it.
static atomic_bool item_ran_through;

static void item(void *arg)
{
    uint64_t end = bm_time_monotonic() + 50 * MILLISECOND;
    unsigned context = bm_context_id();
    bool same = true;
    while (bm_time_monotonic() < end)
        same = same && bm_context_id() == context;
    atomic_store(&item_ran_through, same && !atomic_load((atomic_bool *)arg));
}

static void *set_flag(void *arg)
{
    bm_thread_sleep(bm_time_monotonic() + MILLISECOND);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void test_work(void)
{
    static atomic_bool flag;
    struct bm_work work;
    struct bm_thread *thread;
    if (bm_core_count() > 1)
        return; // another core runs the thread
    thread = make(set_flag, &flag);
    bm_work_init(&work, item, &flag);
    bm_work_submit(&work);
    bm_work_wait(&work);
    CHECK(atomic_load(&item_ran_through));
    join(thread);
}

// The first thread of all may be made by an item on another core, while main computes.
static void make_first(void *arg)
{
    *(struct bm_thread **)arg = make(spin_until_over, NULL);
}

static void test_first(void)
{
    struct bm_thread *thread = NULL;
    struct bm_work work;
    if (bm_core_count() == 1)
        return;
    bm_work_init(&work, make_first, &thread);
    bm_work_submit_on(1, &work);
    while (!bm_work_done(&work))
        __builtin_ia32_pause();
    atomic_store(&over, true);
    uint64_t end = bm_time_monotonic() + 10000ull * MILLISECOND;
    while (bm_thread_count() > 1) // main does not wait: the other core runs it
        CHECK(bm_time_monotonic() < end);
    atomic_store(&over, false);
    join(thread);
}

int main(void)
{
    test_first();
    test_turns();
    test_registers();
    test_x87();
    test_locks();
    test_work();
    return passed();
}
