// Limits of resources: kept and told, and kept to where README.md says so.
// SPDX-License-Identifier: MIT
#include "limits.h"
#include "../file/credentials.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/inode.h>
#include <baremetal/message_queue.h>

enum { STACK_SIZE = 128 << 10, SIGNALS_MAX = 1024 };

#define NONE UINT64_MAX
#define UNLIMITED                                                                                            \
    {                                                                                                        \
        NONE, NONE                                                                                           \
    }

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static struct bm_linux_limit limits[LINUX_LIMITS] = {
    UNLIMITED,                            // time of the processor
    UNLIMITED,                            // size of a file
    UNLIMITED,                            // data
    {STACK_SIZE, NONE},                   // the stack: that of main is what it is
    {0, NONE},                            // core files: there are none
    UNLIMITED,                            // resident memory
    UNLIMITED,                            // processes
    {BM_FILES_DEFAULT, BM_FILES_MAX},     // descriptors
    UNLIMITED,                            // locked memory
    UNLIMITED,                            // the address space
    UNLIMITED,                            // locks
    {SIGNALS_MAX, SIGNALS_MAX},           // signals that are pending
    {BM_MESSAGE_BYTES, BM_MESSAGE_BYTES}, // message queues
    {0, 0},                               // nice
    {0, 0},                               // real-time priorities
    UNLIMITED,                            // time of the processor in one piece
};

uint64_t bm_linux_limit_get(unsigned resource)
{
    return __atomic_load_n(&limits[resource].soft, __ATOMIC_RELAXED);
}

unsigned bm_linux_signals_max(void)
{
    enum { MAX = 1 << 24 };
    uint64_t soft = bm_linux_limit_get(LINUX_LIMIT_SIGNALS);
    return soft < MAX ? (unsigned)soft : MAX;
}

// What others look at by themselves.
static void apply(unsigned resource, uint64_t soft)
{
    if (resource == LINUX_LIMIT_FILES)
        bm_file_limit_set((int)soft);
    else if (resource == LINUX_LIMIT_FILE_SIZE)
        atomic_store(&bm_inode_size_max, soft < INT64_MAX ? soft : INT64_MAX);
}

// Who may raises hard limits, but for descriptors above what the table holds.
long bm_linux_prlimit64(int process, unsigned resource, const struct bm_linux_limit *wanted,
                        struct bm_linux_limit *old)
{
    if (process != 0 && process != LINUX_PROCESS)
        return -BM_ESRCH;
    if (resource >= LINUX_LIMITS)
        return -BM_EINVAL;
    if (wanted && wanted->soft > wanted->hard)
        return -BM_EINVAL;
    if (wanted && resource == LINUX_LIMIT_FILES && wanted->hard > BM_FILES_MAX)
        return -BM_EPERM;
    const bool raises = bm_may(BM_CAP_SYS_RESOURCE);
    const struct bm_linux_limit after = wanted ? *wanted : (struct bm_linux_limit){0, 0};
    bm_spinlock_acquire(&lock);
    struct bm_linux_limit before = limits[resource];
    bool refused = wanted && after.hard > before.hard && !raises;
    if (wanted && !refused) {
        limits[resource] = after;
        apply(resource, after.soft);
    }
    bm_spinlock_release(&lock);
    if (refused)
        return -BM_EPERM;
    if (old)
        *old = before;
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
