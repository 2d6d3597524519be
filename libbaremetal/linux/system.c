// The machine and its one process, as programs ask for them.
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

#include <baremetal/core.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>

enum { PROCESS = LINUX_PROCESS, NAME = 65 };

static void put(char *to, const char *text)
{
    size_t size = 0;
    while (text[size] && size < NAME - 1)
        size++;
    __builtin_memset(to, 0, NAME);
    __builtin_memcpy(to, text, size);
}

// The release is that of the Linux whose calls are meant.
long bm_linux_uname(char *names)
{
    static const char *const words[] = {"Linux", "baremetal", "6.1.0-baremetal", "#1", "x86_64", ""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        put(names + i * NAME, words[i]);
    for (int i = 0; bm_linux_host_name && i < 2; i++)
        if (bm_linux_host_name(i))
            put(names + (i ? 5 : 1) * NAME, bm_linux_host_name(i));
    return 0;
}

struct information {
    int64_t uptime;
    uint64_t loads[3], total, free, shared, buffers, total_swap, free_swap;
    uint16_t processes, pad;
    uint64_t total_high, free_high;
    uint32_t unit;
};

long bm_linux_sysinfo(void *buffer)
{
    struct bm_memory_statistics memory = bm_memory_statistics_get();
    struct information information = {.uptime = (int64_t)(bm_time_monotonic() / 1000000000),
                                      .total = memory.total,
                                      .free = memory.free,
                                      .processes = 1,
                                      .unit = 1};
    __builtin_memcpy(buffer, &information, sizeof information);
    return 0;
}

long bm_linux_getpid(void)
{
    return PROCESS;
}

long bm_linux_getppid(void)
{
    return 0;
}

long bm_linux_getpgid(int process)
{
    return process == 0 || process == PROCESS ? PROCESS : -BM_ESRCH;
}

long bm_linux_getsid(int process)
{
    return bm_linux_getpgid(process);
}

// The process leads its group already.
long bm_linux_setsid(void)
{
    return -BM_EPERM;
}

long bm_linux_setpgid(int process, int group)
{
    (void)group;
    return process == 0 || process == PROCESS ? 0 : -BM_ESRCH;
}

// One user, who may do what there is to do.
#define ROOT(name)                                                                                           \
    long bm_linux_##name(void)                                                                               \
    {                                                                                                        \
        return 0;                                                                                            \
    }
ROOT(getuid)
ROOT(geteuid)
ROOT(getgid)
ROOT(getegid)
ROOT(getgroups)

// The one user can become nobody else.
#define BECOME(name, count)                                                                                  \
    long bm_linux_##name(int first, int second, int third)                                                   \
    {                                                                                                        \
        int wanted[3] = {first, second, third};                                                              \
        for (int i = 0; i < (count); i++)                                                                    \
            if (wanted[i] != 0 && wanted[i] != -1)                                                           \
                return -BM_EPERM;                                                                            \
        return 0;                                                                                            \
    }
BECOME(setuid, 1)
BECOME(setgid, 1)
BECOME(setreuid, 2)
BECOME(setregid, 2)
BECOME(setresuid, 3)
BECOME(setresgid, 3)

long bm_linux_setgroups(size_t count, const uint32_t *groups)
{
    (void)groups;
    return count ? -BM_EPERM : 0;
}

static long three_zeros(uint32_t *a, uint32_t *b, uint32_t *c)
{
    *a = *b = *c = 0;
    return 0;
}

long bm_linux_getresuid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
    return three_zeros(real, effective, saved);
}

long bm_linux_getresgid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
    return three_zeros(real, effective, saved);
}

enum {
    LIMITS = 16,
    LIMIT_STACK = 3,
    LIMIT_CORE = 4,
    LIMIT_FILES = 7,
    LIMIT_MEMORY = 9,
    LIMIT_SIGNALS = 11,
    STACK_SIZE = 128 << 10,
    EXECUTABLE_STACK_SIZE = 8 << 20, // whose memory comes when it is touched
    SIGNALS_MAX = 1024
};

// Of signals that may be pending at once.
static _Atomic(uint64_t) signals_soft = SIGNALS_MAX, signals_hard = SIGNALS_MAX;

unsigned bm_linux_signals_max(void)
{
    return (unsigned)signals_soft;
}

static uint64_t limit_of(unsigned resource)
{
    switch (resource) {
    case LIMIT_STACK: // of main, and of threads unless they are told otherwise
        return bm_executable_map_text ? EXECUTABLE_STACK_SIZE : STACK_SIZE;
    case LIMIT_CORE:
        return 0;
    case LIMIT_FILES:
        return BM_FILES_MAX;
    case LIMIT_SIGNALS:
        return SIGNALS_MAX;
    case LIMIT_MEMORY:
        return UINT64_MAX;
    default:
        return UINT64_MAX;
    }
}

// Limits are the machine's; lower ones are taken and mean nothing, but that of pending signals.
long bm_linux_prlimit64(int process, unsigned resource, const struct bm_linux_limit *wanted,
                        struct bm_linux_limit *old)
{
    if (process != 0 && process != PROCESS)
        return -BM_ESRCH;
    if (resource >= LIMITS)
        return -BM_EINVAL;
    uint64_t max = limit_of(resource);
    bool signals = resource == LIMIT_SIGNALS;
    if (old) {
        old->soft = signals ? signals_soft : max;
        old->hard = signals ? signals_hard : max;
    }
    if (!wanted)
        return 0;
    if (wanted->soft > wanted->hard)
        return -BM_EINVAL;
    if (wanted->hard > max)
        return -BM_EPERM;
    if (signals) {
        signals_soft = wanted->soft;
        signals_hard = wanted->hard;
    }
    return 0;
}

long bm_linux_getrlimit(unsigned resource, struct bm_linux_limit *limit)
{
    return bm_linux_prlimit64(0, resource, NULL, limit);
}

long bm_linux_setrlimit(unsigned resource, const struct bm_linux_limit *limit)
{
    return bm_linux_prlimit64(0, resource, limit, NULL);
}

enum { USAGE_CHILDREN = -1, USAGE_THREAD = 1 };

// The program is all that runs, so what passed is its time.
long bm_linux_getrusage(int who, int64_t usage[18])
{
    if (who < USAGE_CHILDREN || who > USAGE_THREAD)
        return -BM_EINVAL;
    __builtin_memset(usage, 0, 18 * sizeof *usage);
    if (who == USAGE_CHILDREN)
        return 0;
    uint64_t now = bm_time_monotonic();
    struct bm_memory_statistics memory = bm_memory_statistics_get();
    usage[0] = (int64_t)(now / 1000000000);
    usage[1] = (int64_t)(now % 1000000000 / 1000);
    usage[4] = (int64_t)((memory.total - memory.free) / 1024);
    return 0;
}

// There are no children.
long bm_linux_wait4(int process, int *status, int options, void *usage)
{
    (void)process;
    (void)status;
    (void)options;
    (void)usage;
    return -BM_ECHILD;
}

long bm_linux_waitid(int type, int process, void *information, int options)
{
    (void)type;
    (void)process;
    (void)information;
    (void)options;
    return -BM_ECHILD;
}

long bm_linux_getpriority(int which, int who)
{
    (void)which;
    (void)who;
    return 20; // nice 0
}

long bm_linux_setpriority(int which, int who, int nice)
{
    (void)which;
    (void)who;
    (void)nice;
    return 0;
}
