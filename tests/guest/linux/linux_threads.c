// Threads of musl: made, joined, detached, cancelled; locks, conditions, semaphores, streams, on several
// cores.
// SPDX-License-Identifier: MIT
// @variants musl
// @link tmpfs
// @memory 256
// @timeout 120
// @expect ^400 lines of 8 threads$
// @machines q35
// @run one core
// @smp 1,maxcpus=2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 1000, SOME = 8, ROUNDS = 2000, LINES = 50, MILLISECOND = 1000000 };

static pthread_t start(void *(*function)(void *), void *arg)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, function, arg) == 0);
    return thread;
}

static void *join(pthread_t thread)
{
    void *result;
    CHECK(pthread_join(thread, &result) == 0);
    return result;
}

static _Thread_local long own = 41;
static _Thread_local char zero[100];
static atomic_int made;

static void *count_own(void *arg)
{
    CHECK(own == 41 && zero[99] == 0);
    own += (long)arg;
    zero[99] = 1;
    atomic_fetch_add(&made, 1);
    return (void *)own;
}

// As many at once as have memory, then one after the other: what they had comes back.
static void test_many(void)
{
    static pthread_t threads[MANY];
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 32768) == 0);
    for (long i = 0; i < MANY; i++)
        CHECK(pthread_create(&threads[i], &small, count_own, (void *)i) == 0);
    for (long i = 0; i < MANY; i++)
        CHECK(join(threads[i]) == (void *)(41 + i));
    CHECK(atomic_load(&made) == MANY && own == 41);
    struct sysinfo before, after;
    CHECK(sysinfo(&before) == 0);
    for (long i = 0; i < MANY; i++)
        CHECK(join(start(count_own, (void *)i)) == (void *)(41 + i));
    CHECK(sysinfo(&after) == 0 && after.freeram + (1 << 20) > before.freeram);
}

// Their stacks are unmapped by nobody but themselves.
static void test_detached(void)
{
    struct sysinfo before, after;
    pthread_attr_t detached;
    CHECK(pthread_attr_init(&detached) == 0 &&
          pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) == 0);
    CHECK(sysinfo(&before) == 0);
    atomic_store(&made, 0);
    for (long i = 0; i < MANY; i++) {
        pthread_t thread;
        while (pthread_create(&thread, i % 2 ? &detached : NULL, count_own, (void *)i))
            sched_yield(); // those that end have memory yet
        if (i % 2 == 0)
            CHECK(pthread_detach(thread) == 0);
    }
    while (atomic_load(&made) < MANY)
        sched_yield();
    do { // the last ones are on their way out
        sched_yield();
        CHECK(sysinfo(&after) == 0);
    } while (after.freeram + (1 << 20) < before.freeram);
}

static struct {
    pthread_mutex_t lock, recursive;
    pthread_cond_t more, less;
    long sum, items, taken;
    atomic_bool over;
} shared = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .less = PTHREAD_COND_INITIALIZER};

static void *add(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_mutex_lock(&shared.lock) == 0);
        shared.sum += (long)arg;
        CHECK(pthread_mutex_unlock(&shared.lock) == 0);
        if (i % 100 == 0)
            sched_yield();
    }
    CHECK(pthread_mutex_lock(&shared.recursive) == 0 && pthread_mutex_lock(&shared.recursive) == 0);
    CHECK(pthread_mutex_unlock(&shared.recursive) == 0 && pthread_mutex_unlock(&shared.recursive) == 0);
    CHECK(pthread_mutex_unlock(&shared.recursive) == EPERM);
    return NULL;
}

static void test_mutex(void)
{
    pthread_t threads[SOME];
    pthread_mutexattr_t attributes;
    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE) == 0);
    CHECK(pthread_mutex_init(&shared.recursive, &attributes) == 0);
    for (long i = 0; i < SOME; i++)
        threads[i] = start(add, (void *)(i + 1));
    for (long i = 0; i < SOME; i++)
        join(threads[i]);
    CHECK(shared.sum == (long)ROUNDS * SOME * (SOME + 1) / 2);
}

static void *consume(void *arg)
{
    (void)arg;
    for (;;) {
        CHECK(pthread_mutex_lock(&shared.lock) == 0);
        while (!shared.items && !shared.over)
            CHECK(pthread_cond_wait(&shared.more, &shared.lock) == 0);
        bool over = !shared.items;
        if (!over)
            shared.items--, shared.taken++;
        CHECK(pthread_cond_signal(&shared.less) == 0);
        CHECK(pthread_mutex_unlock(&shared.lock) == 0);
        if (over)
            return NULL;
    }
}

static void test_condition(void)
{
    pthread_t threads[SOME];
    for (int i = 0; i < SOME; i++)
        threads[i] = start(consume, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(pthread_mutex_lock(&shared.lock) == 0);
        while (shared.items >= 3)
            CHECK(pthread_cond_wait(&shared.less, &shared.lock) == 0);
        shared.items++;
        CHECK(pthread_cond_signal(&shared.more) == 0 && pthread_mutex_unlock(&shared.lock) == 0);
    }
    CHECK(pthread_mutex_lock(&shared.lock) == 0);
    shared.over = true;
    CHECK(pthread_cond_broadcast(&shared.more) == 0 && pthread_mutex_unlock(&shared.lock) == 0);
    for (int i = 0; i < SOME; i++)
        join(threads[i]);
    CHECK(shared.taken == ROUNDS && shared.items == 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static atomic_int inits, destroyed;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static long versions[2];

static void destroy(void *value)
{
    CHECK(value);
    atomic_fetch_add(&destroyed, 1);
}

static void initialize(void)
{
    struct timespec moment = {0, MILLISECOND};
    nanosleep(&moment, NULL);
    CHECK(pthread_key_create(&key, destroy) == 0);
    atomic_fetch_add(&inits, 1);
}

static void *use_all(void *arg)
{
    CHECK(pthread_once(&once, initialize) == 0 && atomic_load(&inits) == 1);
    CHECK(pthread_getspecific(key) == NULL && pthread_setspecific(key, arg) == 0);
    int result = pthread_barrier_wait(&barrier);
    CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
    for (int i = 0; i < ROUNDS / 10; i++) {
        if (i % 8 == 0) {
            CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
            versions[0]++;
            sched_yield();
            versions[1]++;
        } else {
            CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
            CHECK(versions[0] == versions[1]);
        }
        CHECK(pthread_rwlock_unlock(&rwlock) == 0);
    }
    CHECK(sem_wait(&semaphore) == 0 && pthread_getspecific(key) == arg);
    return result ? arg : NULL;
}

static void test_others(void)
{
    pthread_t threads[SOME];
    int serial = 0;
    CHECK(pthread_barrier_init(&barrier, NULL, SOME) == 0 && sem_init(&semaphore, 0, 2) == 0);
    for (long i = 0; i < SOME; i++)
        threads[i] = start(use_all, (void *)(i + 1));
    for (int i = 0; i < SOME - 2; i++)
        CHECK(sem_post(&semaphore) == 0);
    for (int i = 0; i < SOME; i++)
        serial += join(threads[i]) != NULL;
    CHECK(serial == 1 && atomic_load(&destroyed) == SOME && versions[0] == SOME * ROUNDS / 80);
    CHECK(sem_trywait(&semaphore) < 0 && errno == EAGAIN);
}

// A stream that is opened when there are threads already has a lock, too.
static void *print_lines(void *arg)
{
    for (int i = 0; i < LINES; i++) {
        fprintf(arg, "a line that ");
        fprintf(arg, "may be broken\n");
        flockfile(arg);
        fputs("and one ", arg);
        sched_yield();
        fputs("that may not\n", arg);
        funlockfile(arg);
    }
    return NULL;
}

static void test_streams(void)
{
    pthread_t threads[SOME];
    char line[100];
    int whole = 0, bytes = 0;
    FILE *file = fopen("/tmp/lines", "w+");
    CHECK(file);
    setvbuf(file, NULL, _IOFBF, 64);
    for (int i = 0; i < SOME; i++)
        threads[i] = start(print_lines, file);
    for (int i = 0; i < SOME; i++)
        join(threads[i]);
    CHECK(fseek(file, 0, SEEK_SET) == 0);
    while (fgets(line, sizeof line, file)) {
        bytes += (int)strlen(line);
        whole += strstr(line, "and one that may not\n") != NULL;
    }
    CHECK(whole == SOME * LINES && bytes == SOME * LINES * (12 + 14 + 8 + 13));
    CHECK(fclose(file) == 0 && unlink("/tmp/lines") == 0);
    printf("%d lines of %d threads\n", whole, SOME);
}

static atomic_int cleaned;

static void clean(void *arg)
{
    atomic_fetch_add(&cleaned, (int)(long)arg);
}

static void unlock(void *lock)
{
    pthread_mutex_unlock(lock);
}

static void *wait_for_ever(void *arg)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    sem_t nothing;
    sem_init(&nothing, 0, 0);
    pthread_cleanup_push(clean, (void *)1);
    atomic_fetch_add(&made, 1);
    switch ((long)arg % 6) {
    case 0:
        pause();
        break;
    case 1:
        for (;;)
            sem_wait(&nothing);
    case 2:
        pthread_mutex_lock(&lock);
        pthread_cleanup_push(unlock, &lock);
        for (;;)
            pthread_cond_wait(&never, &lock);
        pthread_cleanup_pop(1);
        break;
    case 3:
        for (;;)
            nanosleep(&(struct timespec){1000, 0}, NULL);
    case 4:
        poll(NULL, 0, -1);
        break;
    default:
        for (;;) {
            pthread_testcancel();
            sched_yield();
        }
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static void *refuse_cancel(void *arg)
{
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
    atomic_fetch_add(&made, 1);
    while (atomic_load(&made) != 100)
        nanosleep(&(struct timespec){0, MILLISECOND}, NULL);
    return arg;
}

static void test_cancel(void)
{
    enum { ALL = 60 };
    pthread_t threads[ALL];
    atomic_store(&made, 0);
    for (long i = 0; i < ALL; i++)
        threads[i] = start(wait_for_ever, (void *)i);
    for (int i = 0; i < ALL / 2; i++) // some that may not have begun
        CHECK(pthread_cancel(threads[i]) == 0);
    while (atomic_load(&made) < ALL - ALL / 2)
        sched_yield();
    for (int i = ALL / 2; i < ALL; i++)
        CHECK(pthread_cancel(threads[i]) == 0);
    for (int i = 0; i < ALL; i++)
        CHECK(join(threads[i]) == PTHREAD_CANCELED);
    CHECK(atomic_load(&cleaned) >= ALL - ALL / 2);
    atomic_store(&made, 0);
    pthread_t refuses = start(refuse_cancel, &made);
    while (atomic_load(&made) == 0)
        sched_yield();
    CHECK(pthread_cancel(refuses) == 0);
    atomic_store(&made, 100);
    CHECK(join(refuses) == &made);
}

static atomic_int caught;
static atomic_long catcher;

static void catch (int number)
{
    atomic_store(&catcher, syscall(SYS_gettid));
    atomic_fetch_add(&caught, number);
}

static void *sleep_long(void *arg)
{
    struct timespec left = {0, 0};
    atomic_store((atomic_long *)arg, syscall(SYS_gettid));
    CHECK(nanosleep(&(struct timespec){3000, 0}, &left) < 0 && errno == EINTR);
    CHECK(left.tv_sec > 2000 && left.tv_sec < 3000);
    return NULL;
}

static void test_signals(void)
{
    struct sigaction action = {.sa_handler = catch};
    atomic_long number = 0;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t sleeper = start(sleep_long, &number);
    while (!atomic_load(&number))
        sched_yield();
    CHECK(pthread_kill(sleeper, 0) == 0 && pthread_kill(sleeper, SIGUSR1) == 0);
    join(sleeper);
    CHECK(atomic_load(&caught) == SIGUSR1 && atomic_load(&catcher) == atomic_load(&number));
    CHECK(syscall(SYS_tgkill, getpid(), (int)atomic_load(&number), 0) < 0 && errno == ESRCH);
    CHECK(atomic_load(&number) != getpid() && syscall(SYS_gettid) == getpid());
}

static void *read_byte(void *arg)
{
    char byte;
    atomic_fetch_add(&made, 1);
    CHECK(read(*(int *)arg, &byte, 1) == 1);
    return NULL;
}

// What all threads have to know of, while one waits where no signal ends its wait.
static void test_all_at_once(void)
{
    enum { QUERY = 0, GLOBAL = 1, PRIVATE = 8, REGISTER = 16 };
    int ends[2];
    CHECK(pipe(ends) == 0);
    atomic_store(&made, 0);
    pthread_t reader = start(read_byte, &ends[0]);
    while (!atomic_load(&made))
        sched_yield();
    CHECK(setuid(0) == 0 && setresgid(0, 0, 0) == 0);
    CHECK(syscall(SYS_membarrier, QUERY, 0) == (GLOBAL | PRIVATE | REGISTER));
    CHECK(membarrier(REGISTER, 0) == 0 && membarrier(PRIVATE, 0) == 0 && membarrier(GLOBAL, 0) == 0);
    CHECK(membarrier(PRIVATE, 1) < 0 && errno == EINVAL && membarrier(2, 0) < 0 && errno == EINVAL);
    CHECK(write(ends[1], "x", 1) == 1);
    join(reader);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void *write_late(void *arg)
{
    nanosleep(&(struct timespec){0, 20 * MILLISECOND}, NULL);
    CHECK(write(*(int *)arg, "x", 1) == 1);
    return NULL;
}

static void *count_up(void *arg)
{
    while (!atomic_load(&shared.over))
        atomic_fetch_add((atomic_long *)arg, 1), sched_yield();
    return NULL;
}

// Others run while one waits, for time or for a descriptor.
static void test_waiting(void)
{
    int ends[2];
    char byte;
    atomic_long count = 0;
    struct timespec before, after, until;
    shared.over = false;
    CHECK(pipe(ends) == 0);
    pthread_t counter = start(count_up, &count), writer = start(write_late, &ends[1]);
    struct pollfd wait = {ends[0], POLLIN, 0};
    CHECK(poll(&wait, 1, -1) == 1 && read(ends[0], &byte, 1) == 1);
    long seen = atomic_load(&count);
    CHECK(seen > 100);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 30 * MILLISECOND}, NULL) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000l + after.tv_nsec - before.tv_nsec >= 30 * MILLISECOND);
    CHECK(atomic_load(&count) > seen + 100);
    CHECK(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_nsec += 20 * MILLISECOND;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    CHECK(pthread_mutex_lock(&shared.lock) == 0);
    CHECK(pthread_cond_timedwait(&shared.more, &shared.lock, &until) == ETIMEDOUT);
    CHECK(pthread_mutex_unlock(&shared.lock) == 0 && sem_timedwait(&semaphore, &until) < 0 &&
          errno == ETIMEDOUT);
    shared.over = true;
    join(counter), join(writer);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static int c11(void *arg)
{
    mtx_lock(arg);
    mtx_unlock(arg);
    return 7;
}

static void test_c11_and_system(void)
{
    thrd_t thread;
    mtx_t lock;
    int result;
    cpu_set_t cores;
    CHECK(mtx_init(&lock, mtx_plain) == thrd_success);
    CHECK(thrd_create(&thread, c11, &lock) == thrd_success && thrd_join(thread, &result) == thrd_success);
    CHECK(result == 7);
    CHECK(sched_getaffinity(0, sizeof cores, &cores) == 0 &&
          CPU_COUNT(&cores) == sysconf(_SC_NPROCESSORS_ONLN));
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    static char stack[65536] __attribute__((aligned(16)));
    CHECK(pthread_attr_setstack(&attributes, stack, sizeof stack) == 0);
    pthread_t on_own;
    CHECK(pthread_create(&on_own, &attributes, count_own, NULL) == 0 && join(on_own) == (void *)41);
}

static void *end_the_program(void *arg)
{
    join(*(pthread_t *)arg); // main
    exit(passed());
}

int main(void)
{
    static pthread_t self;
    test_many();
    test_detached();
    test_mutex();
    test_condition();
    test_others();
    test_streams();
    test_cancel();
    test_signals();
    test_all_at_once();
    test_waiting();
    test_c11_and_system();
    self = pthread_self();
    start(end_the_program, &self);
    pthread_exit(NULL); // the others go on
}
