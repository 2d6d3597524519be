// The machine and its one process, as programs ask for them.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "linux.h"

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
    if (group < 0)
        return -BM_EINVAL;
    if (process != 0 && process != PROCESS)
        return -BM_ESRCH;
    return group == 0 || group == PROCESS ? 0 : -BM_EPERM;
}

// Root, in a program that asks to be nobody else.
#define TELL(name, ids, which)                                                                               \
    long bm_linux_##name(void)                                                                               \
    {                                                                                                        \
        return &bm_credentials ? bm_credentials.ids[which] : 0;                                              \
    }
TELL(getuid, user, BM_ID_REAL)
TELL(geteuid, user, BM_ID_EFFECTIVE)
TELL(getgid, group, BM_ID_REAL)
TELL(getegid, group, BM_ID_EFFECTIVE)

long bm_linux_getgroups(int size, uint32_t *groups)
{
    if (size < 0)
        return -BM_EINVAL;
    return bm_linux_groups_tell ? bm_linux_groups_tell((unsigned)size, groups) : 0;
}

static long tell_three(const uint32_t *ids, uint32_t *real, uint32_t *effective, uint32_t *saved)
{
    *real = ids ? ids[BM_ID_REAL] : 0;
    *effective = ids ? ids[BM_ID_EFFECTIVE] : 0;
    *saved = ids ? ids[BM_ID_SAVED] : 0;
    return 0;
}

long bm_linux_getresuid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
    return tell_three(&bm_credentials ? bm_credentials.user : NULL, real, effective, saved);
}

long bm_linux_getresgid(uint32_t *real, uint32_t *effective, uint32_t *saved)
{
    return tell_three(&bm_credentials ? bm_credentials.group : NULL, real, effective, saved);
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
enum { NO_HANG = 1, STOPPED = 2, EXITED = 4, CONTINUED = 8, NO_WAIT = 0x1000000, KINDS = (int)0xe0000000 };

long bm_linux_wait4(int process, int *status, int options, void *usage)
{
    (void)status;
    (void)usage;
    if (options & ~(NO_HANG | STOPPED | CONTINUED | KINDS))
        return -BM_EINVAL;
    return process == INT32_MIN ? -BM_ESRCH : -BM_ECHILD;
}

long bm_linux_waitid(int type, int process, void *information, int options)
{
    enum { ALL = 0, PROCESS_FILE = 3 };
    (void)information;
    if (options & ~(NO_HANG | STOPPED | EXITED | CONTINUED | NO_WAIT | KINDS) ||
        !(options & (STOPPED | EXITED | CONTINUED)) || type < ALL || type > PROCESS_FILE ||
        (type != ALL && process < 0))
        return -BM_EINVAL;
    return -BM_ECHILD;
}
