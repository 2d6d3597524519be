// Linux' calls under musl: memory, signals, directories, limits, and those that are not there.
// SPDX-License-Identifier: MIT
// @variants musl
// @file ../files/tree /tree
// @expect ^warning: linux: the program called fork, which is not there$
// @forbid called fork,[^~]*called fork,
// @machines q35
// @cpus max
// @run one core
// @run four cores
// @smp 4

#define _GNU_SOURCE
#include "check.h"

#include <baremetal/wait.h>
#include <baremetal/work.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#ifndef __linux__
#error "programs are told that this is Linux"
#endif

enum { PAGE = 4096, PAGES = 600 };

static char *map(size_t size, int protection)
{
    char *at = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static void test_mappings(void)
{
    char *at = map(PAGES * PAGE, PROT_READ | PROT_WRITE);
    for (int i = 0; i < PAGES; i++) {
        CHECK(at[i * PAGE] == 0 && at[i * PAGE + PAGE - 1] == 0);
        at[i * PAGE] = (char)i;
    }
    // A hole in the middle; its addresses are given out again, as zeros.
    CHECK(munmap(at + 100 * PAGE, 10 * PAGE) == 0);
    CHECK_ERRNO(mprotect(at + 95 * PAGE, 10 * PAGE, PROT_READ), ENOMEM);
    char *hole = mmap(at + 100 * PAGE, 10 * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(hole == at + 100 * PAGE && hole[0] == 0 && at[99 * PAGE] == 99 && at[110 * PAGE] == 110);
    CHECK(mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
    CHECK(errno == EEXIST);
    // Contents stay while there is no access.
    CHECK(mprotect(at, 20 * PAGE, PROT_NONE) == 0 && mprotect(at, 20 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(at[19 * PAGE] == 19);
    char *moved = mremap(at, 50 * PAGE, 4000 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved != at && moved[49 * PAGE] == 49 && moved[3999 * PAGE] == 0);
    CHECK(at[50 * PAGE] == 50);
    CHECK(madvise(moved, 2 * PAGE, MADV_DONTNEED) == 0 && moved[PAGE] == 0 && moved[2 * PAGE] == 2);
    // What shrinks may have several protections, what grows may not.
    CHECK(mprotect(at + 60 * PAGE, PAGE, PROT_READ) == 0);
    CHECK(mremap(at + 50 * PAGE, 20 * PAGE, 30 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(at + 50 * PAGE, 20 * PAGE, 5 * PAGE, 0) == at + 50 * PAGE && at[54 * PAGE] == 54);
    CHECK_ERRNO(msync(at + 50 * PAGE, 20 * PAGE, MS_SYNC), ENOMEM);
    CHECK(msync(at + 50 * PAGE, 5 * PAGE, MS_SYNC) == 0);
    CHECK(munmap(moved, 4000 * PAGE) == 0 && munmap(at, PAGES * PAGE) == 0);
    CHECK(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(errno == EACCES);
    CHECK(mmap(NULL, 1ul << 36, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(errno == ENOMEM);
    char *reserved = map(1ul << 37, PROT_NONE); // costs no memory
    CHECK(mprotect(reserved + (1ul << 36), PAGE, PROT_READ | PROT_WRITE) == 0);
    reserved[1ul << 36] = 1;
    CHECK(munmap(reserved, 1ul << 37) == 0);
}

static unsigned long free_memory(void)
{
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    return info.freeram * info.mem_unit;
}

// A change that memory does not suffice for changes nothing: neither contents nor protections nor memory.
static void test_whole_or_not(void)
{
    const size_t size = 1ul << 34; // 4 million pages: more than the machine has
    char *at = map(size, PROT_NONE);
    CHECK(mprotect(at, 16 * PAGE, PROT_READ | PROT_WRITE) == 0);
    memset(at, 7, 16 * PAGE);
    CHECK(mprotect(at, 8 * PAGE, PROT_NONE) == 0 && mprotect(at + 12 * PAGE, PAGE, PROT_READ) == 0);
    unsigned long before = free_memory();
    for (int i = 0; i < 2; i++)
        CHECK_ERRNO(mprotect(at, size, PROT_READ | PROT_WRITE), ENOMEM);
    for (int i = 0; i < 2; i++)
        CHECK(mremap(at + 16 * PAGE, PAGE, 4 * size, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK(free_memory() == before);
    CHECK(mprotect(at, 32 * PAGE, PROT_READ | PROT_WRITE) == 0);
    for (int i = 0; i < 32; i++)
        CHECK(at[i * PAGE] == (i < 16 ? 7 : 0) && at[i * PAGE + PAGE - 1] == (i < 16 ? 7 : 0));
    CHECK(mprotect(at, size, PROT_NONE) == 0 && munmap(at + PAGE, size - PAGE) == 0);
    CHECK(mprotect(at, PAGE, PROT_READ) == 0 && *at == 7 && munmap(at, size) == 0);
    CHECK(free_memory() >= before + 16 * PAGE);
    CHECK(munmap(at, size) == 0 && munmap((void *)(1ul << 40), PAGE) == 0); // there is nothing
    CHECK_ERRNO(munmap(at + 1, PAGE), EINVAL);
}

// What is mapped and unmapped gives its memory back.
static void test_memory_comes_back(void)
{
    struct sysinfo before, after;
    CHECK(sysinfo(&before) == 0);
    for (int i = 0; i < 40; i++) {
        char *at = map(1 << 20, PROT_READ | PROT_WRITE);
        at[i] = 1;
        CHECK(munmap(at, 1 << 20) == 0);
    }
    CHECK(sysinfo(&after) == 0);
    CHECK(after.freeram + (1 << 20) > before.freeram);
}

static void touch(size_t begin, size_t end, void *arg)
{
    int *sum = arg;
    for (size_t i = begin; i < end; i++) {
        char *block = malloc(100 + i * 531 % 300000);
        CHECK(block);
        memset(block, (int)i, 100);
        block = realloc(block, 200000);
        CHECK(block && block[99] == (char)i);
        free(block);
        __atomic_add_fetch(sum, 1, __ATOMIC_RELAXED);
    }
}

static void test_malloc_on_all_cores(void)
{
    int sum = 0;
    bm_parallel_for(0, 80, 5, touch, &sum);
    CHECK(sum == 80);
}

static void print_parts(size_t begin, size_t end, void *arg)
{
    for (size_t i = begin; i < end; i++)
        for (int part = 0; part < 200; part++)
            fputs("a part of a line\n", arg);
}

// A stream that is opened behind the start of the cores has a lock.
static void test_stream_on_all_cores(void)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    CHECK(stream);
    bm_parallel_for(0, 80, 5, print_parts, stream);
    CHECK(fclose(stream) == 0 && size == 80 * 200 * 17);
    for (size_t i = 0; i < size; i += 17)
        CHECK(memcmp(text + i, "a part of a line\n", 17) == 0);
    free(text);
}

static volatile int caught, caught_sender, caught_code;

static void handler(int number, siginfo_t *information, void *context)
{
    (void)context;
    caught += number;
    caught_sender = information->si_signo;
    caught_code = information->si_code;
}

static void test_signals(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, old;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR1, NULL, &old) == 0);
    CHECK(old.sa_sigaction == handler);
    CHECK(raise(SIGUSR1) == 0 && caught == SIGUSR1 && caught_sender == SIGUSR1);
    sigset_t set, was;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, &was) == 0 && kill(getpid(), SIGUSR1) == 0);
    CHECK(caught == SIGUSR1 && sigpending(&set) == 0 && sigismember(&set, SIGUSR1));
    CHECK(caught_code == SI_TKILL);
    CHECK(sigprocmask(SIG_SETMASK, &was, NULL) == 0 && caught == 2 * SIGUSR1 && caught_code == SI_USER);
    CHECK(sigprocmask(SIG_BLOCK, &set, &was) == 0 && raise(SIGUSR1) == 0);
    CHECK(sigprocmask(SIG_SETMASK, &was, NULL) == 0 && caught == 3 * SIGUSR1 && caught_code == SI_TKILL);
    CHECK(kill(getpid(), SIGSTOP) == 0 && raise(SIGSTOP) == 0); // there is nobody to let it go on
    action.sa_flags |= SA_RESETHAND;
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0 && raise(SIGUSR2) == 0);
    CHECK(sigaction(SIGUSR2, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
    CHECK(kill(getpid(), SIGCHLD) == 0); // ignored, as Linux has it
    CHECK_ERRNO(kill(7, SIGUSR1), ESRCH);
    CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
}

static void block_on_others(size_t begin, size_t end, void *arg)
{
    _Atomic(unsigned) *blocked = arg;
    sigset_t set, was;
    (void)begin, (void)end;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    if (bm_context_id() == 1) { // main, as the only one, waits until another core has blocked it
        while (bm_core_count() > 1 && !*blocked)
            __builtin_ia32_pause();
        return;
    }
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && sigprocmask(SIG_BLOCK, NULL, &was) == 0);
    CHECK(sigismember(&was, SIGUSR2));
    ++*blocked;
}

// What a core blocks in an item of work is not blocked in main; and signals to a core by itself there are
// not.
static void test_signals_of_cores(void)
{
    _Atomic(unsigned) blocked = 0;
    sigset_t set;
    bm_parallel_for(0, 40, 1, block_on_others, (void *)&blocked);
    CHECK(bm_core_count() == 1 || blocked);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && !sigismember(&set, SIGUSR2));
    CHECK_ERRNO(syscall(SYS_tkill, 2, SIGUSR2), ESRCH);
    CHECK_ERRNO(syscall(SYS_tkill, 2, 0), ESRCH);
}

static void test_directory(void)
{
    DIR *directory = opendir("/tree");
    CHECK(directory);
    int entries = 0, dots = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat status;
        CHECK(fstatat(dirfd(directory), entry->d_name, &status, 0) == 0);
        CHECK(S_ISDIR(status.st_mode) == (entry->d_type == DT_DIR));
        dots += entry->d_name[0] == '.';
        entries++;
    }
    CHECK(dots >= 2 && entries > dots);
    rewinddir(directory);
    CHECK(readdir(directory) && closedir(directory) == 0);
    CHECK_ERRNO(open("/tree", O_RDWR), EISDIR);
    CHECK_ERRNO(mkdir("/new", 0777), EROFS);
    CHECK(!opendir("/none") && errno == ENOENT);
}

// A file of the image, whose last page ends in zeros.
static void test_mapped_file(void)
{
    enum { BYTES = 10000, MAPPED = 3 * PAGE };
    int file = open("/tree/deep/bytes.bin", O_RDONLY);
    unsigned char *at = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, file, 0);
    unsigned char *second = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, PAGE);
    CHECK(at != MAP_FAILED && second != MAP_FAILED && close(file) == 0);
    for (int i = 0; i < MAPPED; i++)
        CHECK(at[i] == (i < BYTES ? (unsigned char)(i * i / 7 + i) : 0));
    CHECK(memcmp(second, at + PAGE, MAPPED - PAGE) == 0 && second[BYTES - PAGE] == 0);
    second[0]++;
    CHECK(second[0] == (unsigned char)(at[PAGE] + 1));
    CHECK(munmap(at, BYTES) == 0 && munmap(second, BYTES) == 0);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 1, 0) == MAP_FAILED && errno == ENODEV);
}

static void test_system(void)
{
    struct utsname names;
    struct rlimit limit;
    struct rusage usage;
    CHECK(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0 && strcmp(names.machine, "x86_64") == 0);
    CHECK(getauxval(AT_PAGESZ) == PAGE && getauxval(AT_RANDOM) && sysconf(_SC_PAGESIZE) == PAGE);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) == (long)bm_core_count());
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 1024);
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
    CHECK_ERRNO(fork(), ENOSYS); // told once
    CHECK_ERRNO(fork(), ENOSYS);
    CHECK_ERRNO(syscall(SYS_futex, &limit, 11 /* FUTEX_WAIT_REQUEUE_PI */, 0, NULL, NULL, 0), ENOSYS);
    CHECK(getuid() == 0 && getgroups(0, NULL) == 0);
    CHECK(isatty(1) == 1 && isatty(7) == 0 && errno == EBADF);
    struct pollfd descriptors[2] = {{.fd = 1, .events = POLLOUT}, {.fd = 99, .events = POLLIN}};
    CHECK(poll(descriptors, 2, 0) == 2 && descriptors[0].revents == POLLOUT &&
          descriptors[1].revents == POLLNVAL);
}

// A process' and a thread's own clocks, whose numbers are negative.
static void test_clocks(void)
{
    clockid_t clock;
    struct timespec now = {0, 0};
    CHECK(clock_getcpuclockid(0, &clock) == 0 && clock < 0 && clock_gettime(clock, &now) == 0);
    CHECK(now.tv_sec || now.tv_nsec);
    CHECK(clock_getcpuclockid(getpid(), &clock) == 0 && clock_getcpuclockid(77, &clock) == EINVAL);
    CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0 && clock_gettime(clock, &now) == 0);
    CHECK_ERRNO(clock_gettime(-1, &now), EINVAL); // of a descriptor
}

static void test_waiting(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec until, now;
    CHECK(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_nsec += 30000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    CHECK(pthread_mutex_lock(&mutex) == 0);
    CHECK(pthread_cond_timedwait(&condition, &mutex, &until) == ETIMEDOUT);
    CHECK(pthread_mutex_unlock(&mutex) == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0);
    CHECK(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
}

int main(void)
{
    test_mappings();
    test_whole_or_not();
    test_memory_comes_back();
    test_malloc_on_all_cores();
    test_stream_on_all_cores();
    test_signals();
    test_signals_of_cores();
    test_directory();
    test_mapped_file();
    test_system();
    test_clocks();
    test_waiting();
    return passed();
}
