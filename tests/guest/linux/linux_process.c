// Small calls: what a process says of itself, its names, times and ranges. The same source passes on Linux.
// SPDX-License-Identifier: MIT
// @variants musl
// @link tmpfs
// @script linux_oracle.py
// @machines q35

#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MACHINE = 1 }; // the number of the process in a machine of its own

static void test_prctl(void)
{
    char name[17] = "";
    int signal = 7;
    CHECK(prctl(PR_SET_NAME, "a name that is too long") == 0 && prctl(PR_GET_NAME, name) == 0);
    CHECK(strcmp(name, "a name that is ") == 0);
    CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == 0);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGHUP) == 0 && prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGHUP);
    CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
    CHECK(prctl(PR_SET_PDEATHSIG, 0) == 0);
    CHECK(prctl(PR_GET_DUMPABLE) == 1 && prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 3), EINVAL);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK(prctl(PR_SET_TIMERSLACK, 1234) == 0 && prctl(PR_GET_TIMERSLACK) == 1234);
    CHECK_ERRNO(prctl(12345, 0, 0, 0, 0), EINVAL);
}

static void test_process(void)
{
    struct {
        uint32_t version;
        int process;
    } header = {0x20080522, 0}, wrong = {1, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2];
    int before = personality(0xffffffff);
    CHECK(before >= 0 && personality(ADDR_NO_RANDOMIZE) == before);
    CHECK(personality(before) == ADDR_NO_RANDOMIZE && personality(0xffffffff) == before);
    CHECK(getpgrp() > 0 && syscall(SYS_getpgrp) == getpgrp());
    CHECK(syscall(SYS_capget, &header, data) == 0 && data[0].inheritable == 0);
    CHECK(syscall(SYS_capset, &header, data) == 0);
    CHECK(syscall(SYS_capget, &wrong, data) < 0 && errno == EINVAL && wrong.version == 0x20080522);
    CHECK(syscall(SYS_reboot, 1, 2, 3, 0) < 0);
    struct utsname names;
    if (getpid() == MACHINE) {
        CHECK(sethostname("machine", 7) == 0 && uname(&names) == 0 && strcmp(names.nodename, "machine") == 0);
        CHECK_ERRNO(sethostname("x", 65), EINVAL);
    }
    CHECK(uname(&names) == 0 && strcmp(names.sysname, "Linux") == 0);
}

static void test_time(void)
{
    struct timex adjustment = {0};
    struct timespec interval;
    int64_t told = 0, now = syscall(SYS_time, &told);
    CHECK(told == now && time(NULL) - now <= 1);
    CHECK(adjtimex(&adjustment) >= 0 && adjustment.tick == 10000 && adjustment.time.tv_sec - now <= 1);
    CHECK(sched_rr_get_interval(0, &interval) == 0 && interval.tv_sec == 0 && interval.tv_nsec >= 0);
    CHECK_ERRNO(sched_rr_get_interval(-1, &interval), EINVAL);
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t times[3];
        uint32_t clamp[2];
    } attributes = {0};
    CHECK(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0);
    CHECK(attributes.size >= 48 && attributes.policy == SCHED_OTHER && attributes.priority == 0);
    CHECK(syscall(SYS_sched_setattr, 0, &attributes, 0) == 0);
    CHECK(syscall(SYS_sched_getattr, 0, &attributes, 8, 0) < 0 && errno == EINVAL);
    CHECK(syscall(SYS_sched_setattr, 0, &attributes, 77) < 0 && errno == EINVAL);
}

static void test_ranges(void)
{
    unsigned char there[4] = {0};
    char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && memset(memory, 1, 4 * PAGE));
    CHECK(mincore(memory, 4 * PAGE, there) == 0 && there[0] & 1 && there[3] & 1);
    CHECK_ERRNO(mincore(memory + 1, PAGE, there), EINVAL);
    CHECK(munmap(memory + PAGE, PAGE) == 0);
    CHECK_ERRNO(mincore(memory, 4 * PAGE, there), ENOMEM);
    int ends[2], file = open("/tmp/linux_process", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(pipe(ends) == 0);
    if (file >= 0) { // without a file system there is none
        CHECK(write(file, "abc", 3) == 3 && readahead(file, 0, 3) == 0);
        CHECK(sync_file_range(file, 0, 3, SYNC_FILE_RANGE_WRITE) == 0);
        CHECK_ERRNO(sync_file_range(file, -1, 3, 0), EINVAL);
        CHECK(close(file) == 0 && unlink("/tmp/linux_process") == 0);
    }
    CHECK_ERRNO(readahead(ends[0], 0, 3), EINVAL);
    CHECK_ERRNO(readahead(999, 0, 3), EBADF);
    CHECK_ERRNO(sync_file_range(ends[0], 0, 3, 0), ESPIPE);
    CHECK(syscall(SYS_close_range, ends[0], ends[1], 4) == 0 && fcntl(ends[1], F_GETFD) == FD_CLOEXEC);
    CHECK(syscall(SYS_close_range, ends[0], ends[0], 0) == 0);
    CHECK_ERRNO(fcntl(ends[0], F_GETFD), EBADF);
    CHECK(fcntl(ends[1], F_GETFD) == FD_CLOEXEC && syscall(SYS_close_range, ends[1], ~0u, 0) == 0);
    CHECK_ERRNO(fcntl(ends[1], F_GETFD), EBADF);
    CHECK(syscall(SYS_close_range, 5, 4, 0) < 0 && errno == EINVAL);
    CHECK(syscall(SYS_close_range, 5, 6, 64) < 0 && errno == EINVAL);
}

static long huge(void *address, unsigned bits, int flags, int file)
{
    flags |= MAP_HUGETLB | (int)(bits << 26);
    void *at = mmap(address, 2 << 20, PROT_READ | PROT_WRITE, flags, file, 0);
    return at == MAP_FAILED ? -1 : munmap(at, 2 << 20);
}

static void test_huge(void)
{
    int file = open("/dev/null", O_RDONLY);
    char *place = mmap(NULL, 4 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *within = (char *)(((uintptr_t)place + (2 << 20)) & ~(uintptr_t)((2 << 20) - 1));
    CHECK(file >= 0 && place != MAP_FAILED);
    CHECK_ERRNO(huge(NULL, 13, MAP_PRIVATE | MAP_ANONYMOUS, -1), EINVAL);
    CHECK_ERRNO(huge(NULL, 0, MAP_ANONYMOUS, -1), EINVAL);
    CHECK_ERRNO(huge(within + PAGE, 21, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1), EINVAL);
    CHECK_ERRNO(huge(NULL, 0, MAP_PRIVATE, file), EINVAL);
    if (getpid() == MACHINE) { // a Linux may have some
        CHECK_ERRNO(huge(NULL, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1), ENOMEM);
        CHECK_ERRNO(huge(within, 21, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1), ENOMEM);
    }
    CHECK(close(file) == 0 && munmap(place, 4 << 20) == 0);
}

// What Linux refuses before it looks for somebody, or at what a descriptor is.
static void test_refused(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = 3};
    struct epoll_event event = {.events = EPOLLIN};
    uint64_t cores = 0;
    int folder = open("/", O_RDONLY), path = open("/", O_PATH), null = open("/dev/null", O_RDWR), ends[2];
    int epoll = epoll_create1(0), made = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = -1;
    struct sockaddr_un address;
    CHECK(folder >= 0 && path >= 0 && null >= 0 && epoll >= 0 && made >= 0 && pipe(ends) == 0);
    CHECK_ERRNO(fcntl(null, F_SETLK, &lock), EINVAL);
    CHECK_ERRNO(waitpid(-1, NULL, 0x100), EINVAL);
    CHECK_ERRNO(waitpid(INT_MIN, NULL, 0), ESRCH);
    CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
    CHECK_ERRNO(syscall(SYS_waitid, P_ALL, 0, NULL, WNOHANG, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_waitid, P_ALL, 0, NULL, WNOHANG | WEXITED, NULL), ECHILD);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 99999999, sizeof cores, &cores), ESRCH);
    CHECK(syscall(SYS_sched_getaffinity, 0, sizeof cores, &cores) > 0 && cores != 0);
    CHECK_ERRNO(readahead(folder, 0, PAGE), EINVAL);
    CHECK_ERRNO(readahead(null, 0, PAGE), EINVAL);
    CHECK_ERRNO(sync_file_range(ends[0], 0, 1, 0), ESPIPE);
    CHECK_ERRNO(sync_file_range(null, 0, 1, 0), ESPIPE);
    CHECK_ERRNO(ioctl(path, FIONREAD, &size), EBADF);
    CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, path, &event), EBADF);
    CHECK_ERRNO(getsockname(made, (struct sockaddr *)&address, &size), EINVAL);
    CHECK_ERRNO(getsockopt(made, SOL_SOCKET, SO_TYPE, &cores, &size), EINVAL);
    CHECK_ERRNO(socket(AF_INET, 15, 0), EINVAL);
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED && errno == EBADF);
    CHECK(mmap(NULL, SIZE_MAX - PAGE, PROT_READ, MAP_PRIVATE, null, PAGE) == MAP_FAILED && errno == ENOMEM);
    const int opened[] = {folder, path, null, ends[0], ends[1], epoll, made};
    for (unsigned i = 0; i < sizeof opened / sizeof *opened; i++)
        CHECK(close(opened[i]) == 0);
}

int main(void)
{
    test_huge();
    test_prctl();
    test_process();
    test_time();
    test_ranges();
    test_refused();
    return passed();
}
