// Locking memory: nothing is paged out, so it is a matter of limits, and of what is told.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "../space/space.h"
#include "limits.h"
#include "linux.h"
#include "map.h"

#include <baremetal/memory.h>

enum { CURRENT = 1, FUTURE = 2, ON_FAULT = 4 };

static _Atomic(bool) locks_all; // mlockall(MCL_FUTURE): what is mapped from now on

static uint64_t pages(uint64_t length)
{
    return (length + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
}

static uint64_t limit(void)
{
    return bm_may(BM_CAP_IPC_LOCK) ? UINT64_MAX : bm_linux_limit_get(LINUX_LIMIT_LOCKED);
}

static long lock(uint64_t address, uint64_t length, bool locked)
{
    uint64_t begin = address & ~(BM_PAGE_SIZE - 1), end = pages(address + length);
    if (end < begin || address + length < address)
        return -BM_EINVAL;
    if (!bm_linux_is_mapped(begin, end - begin))
        return -BM_ENOMEM;
    return bm_space_lock_pages(begin, end - begin, locked, limit());
}

// Who has no limit for it may not do it at all.
long bm_linux_mlock(uint64_t address, uint64_t length)
{
    return limit() ? lock(address, length, true) : -BM_EPERM;
}

long bm_linux_mlock2(uint64_t address, uint64_t length, int flags)
{
    enum { ONFAULT = 1 };
    return flags & ~ONFAULT ? -BM_EINVAL : bm_linux_mlock(address, length);
}

long bm_linux_munlock(uint64_t address, uint64_t length)
{
    return lock(address, length, false);
}

long bm_linux_mlockall(int flags)
{
    if (!(flags & (CURRENT | FUTURE)) || flags & ~(CURRENT | FUTURE | ON_FAULT))
        return -BM_EINVAL;
    if (!limit())
        return -BM_EPERM;
    int error = flags & CURRENT ? bm_space_lock_pages(0, UINT64_MAX, true, limit()) : 0;
    if (!error)
        atomic_store(&locks_all, flags & FUTURE);
    return error;
}

long bm_linux_munlockall(void)
{
    atomic_store(&locks_all, false);
    return bm_space_lock_pages(0, UINT64_MAX, false, 0);
}

long bm_linux_lock_mapped(long mapped, uint64_t length, int flags)
{
    if (bm_linux_is_error(mapped) || !(flags & LINUX_MAP_LOCKED || atomic_load(&locks_all)))
        return mapped;
    if (bm_space_lock_pages((uint64_t)mapped, length, true, limit()) == 0)
        return mapped;
    bm_space_unmap((uint64_t)mapped, length);
    return -BM_EAGAIN;
}
