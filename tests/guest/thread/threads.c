// Threads: made, switched, joined; that wait for time, for each other and for work.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @memory 256
// @timeout 240
// @expect the count of 10000 threads is 1000000
//
// @run one
// @smp 1,maxcpus=2
// @run two
// @smp 2
// @run four
// @smp 4
// @machines q35
// @run many
// @smp 64
// @machines q35
// @cpus max
#include "check.h"

#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/futex.h>
#include <baremetal/thread.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <baremetal/waitqueue.h>
#include <baremetal/work.h>

#include <errno.h>
#include <fenv.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 10000, SWITCHES = 100, MILLISECOND = 1000000 };

static struct bm_thread *threads[THREADS];

static struct bm_thread *make(void *(*function)(void *), void *arg)
{
    struct bm_thread *thread;
    CHECK(bm_thread_create(&thread, function, arg, &(struct bm_thread_options){.stack_size = 16 << 10}) == 0);
    return thread;
}

static void *join(struct bm_thread *thread)
{
    void *result = NULL;
    CHECK(bm_thread_join(thread, &result, UINT64_MAX) == 0);
    return result;
}

// Each has its own errno, rounding mode and variables of its own.
static _Atomic(long) switched;
static _Thread_local long own = 41;

static void *switch_often(void *arg)
{
    long number = (long)arg;
    CHECK(own == 41 && errno == 0);
    own = number;
    errno = (int)(number % 100);
    for (int i = 0; i < SWITCHES; i++) {
        bm_thread_yield();
        switched++;
        CHECK(own == number && errno == (int)(number % 100));
    }
    return (void *)number;
}

static void check_many(void)
{
    for (long i = 0; i < THREADS; i++)
        threads[i] = make(switch_often, (void *)i);
    for (long i = 0; i < THREADS; i++)
        CHECK(join(threads[i]) == (void *)i);
    printf("the count of %d threads is %ld\n", THREADS, switched);
    CHECK(bm_thread_count() == 1);
}

// A futex mutex (Drepper, "Futexes are tricky", 2011), and a plain counter behind it.
static bm_futex mutex;

static void lock(void)
{
    uint32_t free = 0;
    if (atomic_compare_exchange_strong(&mutex, &free, 1))
        return;
    while (atomic_exchange(&mutex, 2))
        bm_futex_wait(&mutex, 2, BM_FUTEX_ALL, UINT64_MAX);
}

static void unlock(void)
{
    if (atomic_exchange(&mutex, 0) == 2)
        bm_futex_wake(&mutex, 1, BM_FUTEX_ALL);
}

static long counter;

static void *count_behind_mutex(void *arg)
{
    for (int i = 0; i < 500; i++) {
        lock();
        long before = counter;
        if (i % 8 == 0)
            bm_thread_yield(); // with the lock held: others have to wait
        counter = before + 1;
        unlock();
    }
    return arg;
}

static void check_mutex(void)
{
    enum { COUNT = 20 };
    for (int i = 0; i < COUNT; i++)
        threads[i] = make(count_behind_mutex, NULL);
    for (int i = 0; i < COUNT; i++)
        join(threads[i]);
    CHECK(counter == COUNT * 500);
}

// A token goes around in a ring of threads, by wait queues.
static struct ring {
    struct bm_waitqueue queue;
    _Atomic(long) tokens;
} ring[50];

static bool has_token(void *arg)
{
    return ((struct ring *)arg)->tokens != 0;
}

static void *pass_on(void *arg)
{
    struct ring *mine = arg, *next = &ring[(mine - ring + 1) % 50];
    for (int round = 0; round < 100; round++) {
        CHECK(bm_waitqueue_wait(&mine->queue, has_token, mine, UINT64_MAX));
        mine->tokens--;
        next->tokens++;
        bm_waitqueue_wake_one(&next->queue);
    }
    return NULL;
}

static void check_ring(void)
{
    for (int i = 0; i < 50; i++)
        threads[i] = make(pass_on, &ring[i]);
    ring[0].tokens = 1;
    bm_waitqueue_wake_all(&ring[0].queue);
    for (int i = 0; i < 50; i++)
        join(threads[i]);
    CHECK(ring[0].tokens == 1);
}

static bool never(void *arg)
{
    return arg == &mutex;
}

static void *sleep_for(void *arg)
{
    static struct bm_waitqueue nobody;
    static bm_futex word;
    uint64_t until = bm_time_monotonic() + (uint64_t)(long)arg * MILLISECOND;
    switch ((long)arg % 4) {
    case 0:
        bm_thread_sleep(until);
        break;
    case 1:
        CHECK(!bm_waitqueue_wait(&nobody, never, NULL, until));
        break;
    case 2:
        CHECK(bm_futex_wait(&word, 0, BM_FUTEX_ALL, until) == -BM_ETIMEDOUT);
        break;
    default:
        CHECK(!bm_wait_until(never, NULL, until));
    }
    CHECK(bm_time_monotonic() >= until);
    return NULL;
}

// Times that come in another order than they were asked for, beside a thread that runs all the time.
static _Atomic(bool) stop;

static void *spin(void *arg)
{
    while (!stop)
        bm_thread_yield();
    return arg;
}

static void check_sleep(void)
{
    struct bm_thread *spinner = make(spin, NULL);
    uint64_t begin = bm_time_monotonic();
    for (long i = 0; i < 200; i++)
        threads[i] = make(sleep_for, (void *)(i * 37 % 101));
    for (long i = 0; i < 200; i++)
        join(threads[i]);
    CHECK(bm_time_monotonic() >= begin + 100 * MILLISECOND);
    stop = true;
    join(spinner);
    CHECK(bm_thread_join(make(sleep_for, (void *)8), NULL, bm_time_monotonic() + MILLISECOND) ==
              -BM_ETIMEDOUT ||
          bm_core_count() > 1);
}

static atomic_bool told;

static void *tell(void *arg)
{
    told = true;
    return arg;
}

// A wait whose time has passed already lets others run all the same, also on one core.
static void check_no_time(void)
{
    static bm_futex word;
    struct bm_thread *thread = make(tell, NULL);
    while (!told)
        CHECK(bm_futex_wait(&word, 0, BM_FUTEX_ALL, 0) == -BM_ETIMEDOUT);
    join(thread);
    told = false;
    thread = make(tell, NULL);
    while (!told)
        bm_thread_sleep(0);
    join(thread);
}

static void check_futex(void)
{
    static bm_futex a, b;
    uint32_t one = 1, zero = 0;
    CHECK(bm_futex_wait(&a, 1, BM_FUTEX_ALL, UINT64_MAX) == -BM_EAGAIN);
    CHECK(bm_futex_wait(&a, 0, 0, UINT64_MAX) == -BM_EINVAL);
    CHECK(bm_futex_wait(&a, 0, BM_FUTEX_ALL, 0) == -BM_ETIMEDOUT);
    CHECK(bm_futex_wake(&a, 1, BM_FUTEX_ALL) == 0);
    CHECK(bm_futex_requeue(&a, 1, 1, &b, &one) == -BM_EAGAIN);
    CHECK(bm_futex_requeue(&a, 1, 1, &b, &zero) == 0);
}

static bm_futex gate, second;
static _Atomic(int) through;

static void *wait_at_gate(void *arg)
{
    uint32_t bits = (uint32_t)(long)arg;
    while (!gate)
        bm_futex_wait(&gate, 0, bits, UINT64_MAX);
    through++;
    return NULL;
}

static unsigned wake_until(unsigned wanted, uint32_t bits)
{
    unsigned woken = 0;
    while (woken < wanted) {
        bm_thread_yield();
        woken += bm_futex_wake(&gate, wanted - woken, bits);
    }
    return woken;
}

// Three wait by one bit, two by another: those with the bit go back to wait, since the gate is shut.
static void check_bits_and_requeue(void)
{
    for (long i = 0; i < 5; i++)
        threads[i] = make(wait_at_gate, (void *)(i < 3 ? 1l : 2l));
    CHECK(wake_until(2, 2) == 2 && through == 0);
    int moved = 0;
    while (moved < 5) { // some may be on their way back
        bm_thread_yield();
        moved += bm_futex_requeue(&gate, 0, INT32_MAX, &second, NULL);
    }
    CHECK(bm_futex_wake(&gate, INT32_MAX, BM_FUTEX_ALL) == 0);
    gate = 1;
    CHECK(bm_futex_wake(&second, INT32_MAX, 1) == 3);
    CHECK(bm_futex_wake(&second, INT32_MAX, 2) == 2);
    for (int i = 0; i < 5; i++)
        join(threads[i]);
    CHECK(through == 5);
}

// Threads that wait for work items which wait themselves; each item ends on the core where it began.
struct piece {
    struct bm_work work;
    bool done;
};

static void wait_in_item(void *arg)
{
    struct piece *piece = arg;
    unsigned core = bm_core_id();
    bm_thread_sleep(bm_time_monotonic() + MILLISECOND / 4);
    CHECK(bm_core_id() == core);
    piece->done = true;
}

static void *wait_for_items(void *arg)
{
    for (int i = 0; i < 5; i++) {
        struct piece pieces[3] = {0};
        for (int k = 0; k < 3; k++) {
            bm_work_init(&pieces[k].work, wait_in_item, &pieces[k]);
            bm_work_submit(&pieces[k].work);
        }
        for (int k = 3; k-- > 0;) {
            bm_work_wait(&pieces[k].work);
            CHECK(pieces[k].done);
        }
    }
    return arg;
}

static void check_work(void)
{
    for (int i = 0; i < 20; i++)
        threads[i] = make(wait_for_items, NULL);
    for (int i = 0; i < 20; i++)
        join(threads[i]);
}

// Detached, on a stack of the caller's, with the word that is cleared at the end.
static void *end_at_once(void *arg)
{
    struct bm_thread *self = bm_thread_self();
    char name[BM_THREAD_NAME_SIZE];
    bm_thread_name_get(self, name);
    CHECK(strcmp(name, "a-name-that-is-") == 0);
    CHECK(bm_thread_id(self) >= 258 && bm_context_id() == bm_thread_id(self));
    char *local = (char *)&local;
    CHECK(local > (char *)arg && local < (char *)arg + (32 << 10));
    bm_thread_exit(arg);
}

static void check_options(void)
{
    static char stack[32 << 10] __attribute__((aligned(16)));
    for (int i = 0; i < 20; i++) {
        bm_futex left = 1;
        struct bm_thread *thread;
        struct bm_thread_options options = {.name = "a-name-that-is-too-long",
                                            .stack = stack + sizeof stack,
                                            .stack_size = sizeof stack,
                                            .detached = true,
                                            .clear = &left};
        CHECK(bm_thread_create(&thread, end_at_once, stack, &options) == 0);
        while (left)
            bm_futex_wait(&left, 1, BM_FUTEX_ALL, UINT64_MAX);
    }
    struct bm_thread *self = bm_thread_self();
    CHECK(bm_thread_id(self) == 1);
    CHECK(bm_thread_join(self, NULL, UINT64_MAX) == -BM_EDEADLK);
    struct bm_thread *thread;
    CHECK(bm_thread_create(&thread, spin, NULL, &(struct bm_thread_options){.stack_size = 1ul << 45}) ==
          -BM_ENOMEM);
}

// A stream's lock is a context's, not a core's: who has it may go to another core meanwhile.
static void *print_slowly(void *arg)
{
    for (int i = 0; i < 20; i++) {
        flockfile(stdout);
        bm_thread_yield();
        printf("%s", "");
        sched_yield();
        funlockfile(stdout);
    }
    return arg;
}

static void check_stream_lock(void)
{
    puts("streams"); // newlib makes a stream's lock with the first output
    for (int i = 0; i < 10; i++)
        threads[i] = make(print_slowly, NULL);
    for (int i = 0; i < 10; i++)
        join(threads[i]);
}

// An item of work ends on the core where it began, also when main becomes a thread within it and another core
// wakes it.
static struct {
    bm_futex stop;
    _Atomic(unsigned) core; // the waker's, plus one
} item;

static void *wake_from_other_core(void *arg)
{
    atomic_store(&item.core, bm_core_id() + 1);
    while (!bm_futex_wake(&item.stop, 1, BM_FUTEX_ALL))
        ;
    return arg;
}

static void become_thread(void *arg)
{
    unsigned core = bm_core_id();
    struct bm_thread *thread = make(wake_from_other_core, NULL);
    while (bm_core_count() > 1 && !atomic_load(&item.core)) // until another core has taken it
        __builtin_ia32_pause();
    CHECK(bm_futex_wait(&item.stop, 0, BM_FUTEX_ALL, UINT64_MAX) == 0);
    CHECK(bm_core_id() == core);
    join(thread);
    CHECK(bm_core_id() == core);
    *(bool *)arg = true;
}

static void check_main_in_item(void)
{
    bool ended = false;
    struct bm_work work;
    bm_work_init(&work, become_thread, &ended);
    bm_work_submit_on(bm_core_id(), &work);
    bm_work_wait(&work);
    CHECK(ended);
}

int main(void)
{
    check_main_in_item(); // first: main is no thread yet
    check_futex();
    check_mutex();
    check_ring();
    check_sleep();
    check_no_time();
    check_bits_and_requeue();
    check_options();
    check_work();
    check_stream_lock();
    check_many();
    return passed();
}
