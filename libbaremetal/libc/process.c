// What is left of processes and the system: one program, one user, no signals from outside.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESS = 1 };

static int refuse(int error)
{
    errno = error;
    return -1;
}

pid_t getpid(void)
{
    return PROCESS;
}

pid_t getppid(void)
{
    return 0;
}

// A signal that nobody handles ends the program. picolibc's raise knows the handlers; newlib's raise calls
// kill for those signals that have none.
int kill(pid_t process, int number)
{
    if (number < 0 || number >= NSIG)
        return refuse(EINVAL);
    if (process != PROCESS && process != 0 && process != -1)
        return refuse(ESRCH);
    if (number == 0)
        return 0;
#ifdef BM_LIBC_PICOLIBC
    return raise(number);
#else
    _exit(128 + number);
#endif
}

// No signal comes from outside, so there is nothing to hold back.
#undef sigprocmask
int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)how;
    (void)set;
    if (old)
        memset(old, 0, sizeof *old);
    return 0;
}

long sysconf(int name)
{
    struct bm_memory_statistics memory;
    switch (name) {
    case _SC_PAGESIZE:
        return BM_PAGE_SIZE;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return (long)bm_core_count();
    case _SC_PHYS_PAGES:
    case _SC_AVPHYS_PAGES:
        memory = bm_memory_statistics_get();
        return (long)((name == _SC_PHYS_PAGES ? memory.total : memory.free) / BM_PAGE_SIZE);
    case _SC_OPEN_MAX:
        return BM_FILES_DEFAULT;
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    case _SC_MONOTONIC_CLOCK:
    case _SC_VERSION:
        return 200809;
    default:
        return refuse(EINVAL);
    }
}

int getpagesize(void)
{
    return BM_PAGE_SIZE;
}

uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}

// There is no second process.
pid_t fork(void)
{
    return refuse(ENOSYS);
}

int execve(const char *path, char *const argv[], char *const environment[])
{
    (void)path;
    (void)argv;
    (void)environment;
    return refuse(ENOSYS);
}

pid_t wait(int *status)
{
    (void)status;
    return refuse(ECHILD);
}

pid_t waitpid(pid_t process, int *status, int options)
{
    (void)process;
    (void)status;
    (void)options;
    return refuse(ECHILD);
}
