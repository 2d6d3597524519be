// Limits of resources that are kept to, scheduling classes and nice values, and old entries of directories.
// The same source passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @script linux_oracle.py
// @link tmpfs
// @machines q35
// @run one core
// @smp 1,maxcpus=2
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void limit_set(int resource, rlim_t soft)
{
    struct rlimit limit, after;
    CHECK(getrlimit(resource, &limit) == 0);
    limit.rlim_cur = soft;
    CHECK(setrlimit(resource, &limit) == 0);
    CHECK(getrlimit(resource, &after) == 0);
    CHECK(after.rlim_cur == soft && after.rlim_max == limit.rlim_max);
}

// A limit of 10,032 is what Redis asks for.
static void test_descriptors(void)
{
    enum { FEW = 42, MANY = 10032 };
    struct rlimit before;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0 && before.rlim_cur >= 1024);
    int high = fcntl(1, F_DUPFD, 500), last = -1, next;
    CHECK(high == 500);
    limit_set(RLIMIT_NOFILE, FEW);
    CHECK(sysconf(_SC_OPEN_MAX) == FEW);
    while ((next = dup(1)) >= 0)
        last = next;
    CHECK(errno == EMFILE && last == FEW - 1);
    CHECK_ERRNO(fcntl(1, F_DUPFD, FEW), EINVAL);
    CHECK_ERRNO(dup2(1, FEW), EBADF);
    CHECK(dup2(high, high) == high && dup2(high, last) == last); // what is open above stays
    if (before.rlim_max >= MANY) {
        limit_set(RLIMIT_NOFILE, MANY);
        while ((next = dup(1)) >= 0)
            last = next;
        CHECK(errno == EMFILE && last == MANY - 1);
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int i = 3; i <= last; i++)
        close(i);
    CHECK(dup(1) == 3 && close(3) == 0);
}

static void test_values(void)
{
    struct rlimit limit = {2, 1}, before, after;
    CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EINVAL);
    CHECK_ERRNO(getrlimit(999, &limit), EINVAL);
    CHECK_ERRNO(prlimit(-5, RLIMIT_CORE, NULL, &limit), ESRCH);
    static const int kept[] = {RLIMIT_CPU, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_AS, RLIMIT_MEMLOCK};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        CHECK(getrlimit(kept[i], &before) == 0);
        limit = (struct rlimit){before.rlim_max < 1ul << 40 ? before.rlim_max : 1ul << 40, before.rlim_max};
        CHECK(prlimit(0, kept[i], &limit, &after) == 0 && after.rlim_cur == before.rlim_cur);
        CHECK(prlimit(getpid(), kept[i], &before, &after) == 0);
        CHECK(after.rlim_cur == limit.rlim_cur && after.rlim_max == limit.rlim_max);
    }
}

static atomic_int told;

static void note(int signal)
{
    CHECK(signal == SIGXFSZ);
    atomic_fetch_add(&told, 1);
}

static void check_refused(long result)
{
    CHECK(result == -1 && errno == EFBIG);
    CHECK(atomic_exchange(&told, 0) == 1);
}

static void test_file_size(void)
{
    static char bytes[100];
    const char *path = "/tmp/bm-limit";
    struct iovec pieces[2] = {{bytes, 60}, {bytes, 60}};
    struct stat status;
    signal(SIGXFSZ, note);
    mkdir("/tmp", 0777);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0 && write(file, bytes, 100) == 100);
    limit_set(RLIMIT_FSIZE, 150);
    CHECK(write(file, bytes, 100) == 50); // what fits
    check_refused(write(file, bytes, 1));
    CHECK(write(file, bytes, 0) == 0);
    check_refused(pwrite(file, bytes, 1, 150));
    check_refused(writev(file, pieces, 2));
    CHECK(pwrite(file, bytes, 100, 100) == 50 && pwritev(file, pieces, 2, 80) == 70);
    check_refused(ftruncate(file, 151));
    check_refused(truncate(path, 151));
    CHECK(ftruncate(file, 150) == 0 && atomic_load(&told) == 0);
    limit_set(RLIMIT_FSIZE, 10);
    CHECK(ftruncate(file, 20) == 0); // it does not grow
    check_refused(ftruncate(file, 21));
    limit_set(RLIMIT_FSIZE, RLIM_INFINITY);
    CHECK(pwrite(file, bytes, 100, 100) == 100);
    CHECK(fstat(file, &status) == 0 && status.st_size == 200);
    CHECK(close(file) == 0 && unlink(path) == 0);
}

// The calls themselves: musl has no functions for them.
static long scheduler_set(int thread, int policy, int priority)
{
    struct sched_param parameter = {.sched_priority = priority};
    return syscall(SYS_sched_setscheduler, thread, policy, &parameter);
}

static void check_class(int thread, int policy, int priority)
{
    int told_priority = -1;
    CHECK(syscall(SYS_sched_getscheduler, thread) == policy);
    CHECK(syscall(SYS_sched_getparam, thread, &told_priority) == 0 && told_priority == priority);
}

static void *inherits(void *arg)
{
    check_class(0, SCHED_RR, 7);
    check_class((int)syscall(SYS_gettid), SCHED_RR, 7);
    CHECK(kill((pid_t)syscall(SYS_gettid), 0) == 0); // the process
    CHECK(scheduler_set(0, SCHED_OTHER, 0) == 0);
    return arg;
}

static void *is_as_wanted(void *arg)
{
    check_class(0, SCHED_FIFO, 3);
    return arg;
}

static void *begins_anew(void *arg)
{
    check_class(0, SCHED_OTHER, 0);
    return arg;
}

static void thread_run(void *(*function)(void *), const pthread_attr_t *attributes)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, attributes, function, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void test_classes(void)
{
    enum { RESET = 0x40000000 };
    struct sched_param parameter = {.sched_priority = 3};
    struct timespec interval;
    pthread_attr_t attributes;
    int policy;
    check_class(0, SCHED_OTHER, 0);
    CHECK_ERRNO(scheduler_set(0, SCHED_OTHER, 1), EINVAL);
    CHECK_ERRNO(scheduler_set(0, SCHED_FIFO, 0), EINVAL);
    CHECK_ERRNO(scheduler_set(0, SCHED_FIFO, 100), EINVAL);
    CHECK_ERRNO(scheduler_set(0, 77, 0), EINVAL);
    CHECK(sched_get_priority_max(SCHED_RR) == 99 && sched_get_priority_min(SCHED_RR) == 1);
    CHECK(sched_get_priority_max(6) == 0 && sched_get_priority_min(6) == 0); // SCHED_DEADLINE
    CHECK_ERRNO(sched_get_priority_max(4), EINVAL);
    CHECK_ERRNO(scheduler_set(-1, SCHED_OTHER, 0), EINVAL);
    CHECK_ERRNO(scheduler_set(999999, SCHED_OTHER, 0), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_getscheduler, 999999), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_setparam, 0, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_rr_get_interval, 0, NULL), EFAULT);
    CHECK(scheduler_set(0, SCHED_BATCH, 0) == 0);
    check_class(0, SCHED_BATCH, 0);
    CHECK(scheduler_set(0, SCHED_RR, 7) == 0);
    check_class(getpid(), SCHED_RR, 7);
    CHECK(pthread_getschedparam(pthread_self(), &policy, &parameter) == 0);
    CHECK(policy == SCHED_RR && parameter.sched_priority == 7);
    CHECK(syscall(SYS_sched_rr_get_interval, 0, &interval) == 0 && interval.tv_nsec > 0);
    thread_run(inherits, NULL);
    check_class(0, SCHED_RR, 7); // of that thread alone

    parameter.sched_priority = 3;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED) == 0);
    CHECK(pthread_attr_setschedpolicy(&attributes, SCHED_FIFO) == 0);
    CHECK(pthread_attr_setschedparam(&attributes, &parameter) == 0);
    thread_run(is_as_wanted, &attributes);
    CHECK(pthread_attr_destroy(&attributes) == 0);

    CHECK(scheduler_set(0, SCHED_RR | RESET, 7) == 0);
    check_class(0, SCHED_RR | RESET, 7);
    thread_run(begins_anew, NULL);
    CHECK(scheduler_set(0, SCHED_OTHER, 0) == 0);
}

static void test_nice(void)
{
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 0) == 0 && errno == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(nice(3) == 8 && nice(100) == 19 && setpriority(PRIO_PROCESS, 0, -100) == 0);
    CHECK(getpriority(PRIO_PROCESS, 0) == -20 && setpriority(PRIO_PROCESS, 0, 0) == 0);
    CHECK_ERRNO(getpriority(77, 0), EINVAL);
    CHECK_ERRNO(setpriority(PRIO_PROCESS, 999999, 0), ESRCH);
}

static void test_group(void)
{
    CHECK_ERRNO(setpgid(0, -1), EINVAL);
    CHECK_ERRNO(setpgid(0, 999999), EPERM);
    CHECK_ERRNO(setpgid(999999, 0), ESRCH);
    CHECK_ERRNO(kill(999999, 0), ESRCH);
}

struct old_entry {
    unsigned long number, next;
    unsigned short size;
    char name[];
};

static void test_old_entries(void)
{
    char buffer[2048];
    long size;
    int files = 0, directories = 0;
    CHECK(mkdir("/tmp/bm-old", 0700) == 0 && mkdir("/tmp/bm-old/folder", 0700) == 0);
    CHECK(close(creat("/tmp/bm-old/file", 0600)) == 0);
    int directory = open("/tmp/bm-old", O_RDONLY | O_DIRECTORY);
    CHECK_ERRNO(syscall(SYS_getdents, directory, buffer, 8), EINVAL);
    while ((size = syscall(SYS_getdents, directory, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < size;) {
            const struct old_entry *entry = (const struct old_entry *)(buffer + at);
            char type = buffer[at + entry->size - 1];
            CHECK(entry->size % 8 == 0 && entry->number != 0);
            files += strcmp(entry->name, "file") == 0 && type == DT_REG;
            directories += (strcmp(entry->name, "folder") == 0 || entry->name[0] == '.') && type == DT_DIR;
            at += entry->size;
        }
    CHECK(size == 0 && files == 1 && directories == 3);
    CHECK(close(directory) == 0 && unlink("/tmp/bm-old/file") == 0);
    CHECK(rmdir("/tmp/bm-old/folder") == 0 && rmdir("/tmp/bm-old") == 0);
}

int main(void)
{
    test_descriptors();
    test_values();
    test_file_size();
    test_classes();
    test_nice();
    test_group();
    test_old_entries();
    return passed();
}
