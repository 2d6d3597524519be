// Shared memory of System V: shmget and its kin.
// SPDX-License-Identifier: MIT
//
// The machine has one address space, so a segment is mapped once, when it is attached first, and stays there
// until it ends: whoever attaches it again gets the same address.
#include "../file/credentials.h"
#include "sysv.h"

#include <baremetal/inode.h>

// Limits, by Linux' names: SHMMAX, SHMMNI.
#define SIZE_MAX_OF_ONE (UINT64_MAX - (1ull << 24))
enum { SEGMENTS = 4096 };
enum { HUGE_PAGES = 04000, READ_ONLY = 010000, ROUND = 020000, REMAP = 040000, DESTROYED = 01000 };
enum { LOCK = 11, UNLOCK = 12, STATUS_AT = 13, SYSTEM_INFORMATION = 14, STATUS_ANY = 15 };

struct segment {
    struct sysv_object object;  // first
    uint64_t size, address;     // bytes; 0: it is not mapped
    int64_t attached, detached; // times
    int maker, last;            // processes
    uint64_t count;             // of those that are attached
};

// struct shmid64_ds.
struct status {
    struct sysv_permissions permissions;
    uint64_t size;
    int64_t attached, detached, changed;
    int32_t maker, last;
    uint64_t count, unused[2];
};
_Static_assert(sizeof(struct status) == 112, "struct shmid64_ds of x86-64");

// struct shminfo64, struct shm_info.
struct limits {
    uint64_t max, min, segments, of_process, all, unused[4];
};
struct information {
    int32_t count, pad;
    uint64_t pages, resident, swapped, unused[2];
};

// Of all calls here, which map and unmap under it.
static struct bm_file_mutex busy;

static void segment_end(struct sysv_object *object)
{
    bm_inode_memory_free(object, sizeof(struct segment)); // what was mapped is gone already
}

static struct sysv_table segments = {
    .lock = BM_SPINLOCK_INIT, .highest = -1, .max = SEGMENTS, .end = segment_end};

static uint64_t pages_of(uint64_t size)
{
    return (size + BM_PAGE_SIZE - 1) & ~(uint64_t)(BM_PAGE_SIZE - 1);
}

static struct sysv_object *segment_make(long size)
{
    struct segment *segment = bm_inode_memory_allocate(sizeof *segment);
    if (!segment)
        return NULL;
    segment->size = (uint64_t)size;
    segment->maker = LINUX_PROCESS;
    return &segment->object;
}

static long segment_check(const struct sysv_object *object, long size)
{
    return (uint64_t)size > ((const struct segment *)object)->size ? -BM_EINVAL : 0;
}

static long segment_none(const struct sysv_object *object, long size)
{
    (void)object;
    (void)size;
    return 0;
}

long bm_linux_shmget(int key, size_t size, int flags)
{
    bm_file_mutex_acquire(&busy);
    long there = key ? bm_linux_sysv_get(&segments, key, 0, NULL, segment_none, 0) : -BM_ENOENT;
    long result = -BM_EINVAL; // a new one has a size that can be
    if (there >= 0 || !(flags & SYSV_CREATE || !key))
        result = size > INT64_MAX ? (there < 0 ? there : -BM_EINVAL)
                                  : bm_linux_sysv_get(&segments, key, flags, NULL, segment_check, (long)size);
    else if (size && size <= INT64_MAX - BM_PAGE_SIZE && !(flags & HUGE_PAGES))
        result = bm_linux_sysv_get(&segments, key, flags, segment_make, NULL, (long)size);
    bm_file_mutex_release(&busy);
    return result;
}

static struct segment *find(int number)
{
    bm_spinlock_acquire(&segments.lock);
    struct segment *segment = (struct segment *)bm_linux_sysv_find(&segments, number);
    bm_spinlock_release(&segments.lock);
    return segment;
}

// Ends one that is to be destroyed and that nobody has attached.
static void destroy(struct segment *segment)
{
    if (segment->count || !(segment->object.permissions.mode & DESTROYED))
        return;
    if (segment->address)
        bm_linux_munmap(segment->address, pages_of(segment->size));
    bm_spinlock_acquire(&segments.lock);
    bm_linux_sysv_remove(&segments, &segment->object);
    bm_spinlock_release(&segments.lock);
}

// Maps it where it is wanted, or anywhere with 0.
static long map(struct segment *segment, uint64_t wanted)
{
    enum { READ_WRITE = 3, PRIVATE = 2, ANONYMOUS = 0x20, FIXED_NOREPLACE = 0x100000 };
    if (segment->address)
        return !wanted || wanted == segment->address ? 0 : -BM_EINVAL;
    long result = bm_linux_mmap(wanted, pages_of(segment->size), READ_WRITE,
                                PRIVATE | ANONYMOUS | (wanted ? FIXED_NOREPLACE : 0), -1, 0);
    if (result < 0 && result > -(long)BM_PAGE_SIZE)
        return result == -BM_EEXIST ? -BM_EINVAL : result;
    segment->address = (uint64_t)result;
    return 0;
}

long bm_linux_shmat(int number, uint64_t address, int flags)
{
    const uint64_t within = address & (BM_PAGE_SIZE - 1);
    if ((within && !(flags & ROUND)) || (!address && flags & REMAP))
        return -BM_EINVAL;
    bm_file_mutex_acquire(&busy);
    struct segment *segment = find(number);
    long result =
        segment ? bm_linux_sysv_permit(&segment->object, flags & READ_ONLY ? 4 : 4 | 2) : -BM_EINVAL;
    if (!result)
        result = map(segment, address - within);
    if (!result) {
        segment->count++;
        segment->attached = bm_linux_sysv_now();
        segment->last = LINUX_PROCESS;
        result = (long)segment->address;
    }
    bm_file_mutex_release(&busy);
    return result;
}

long bm_linux_shmdt(uint64_t address)
{
    struct segment *found = NULL;
    bm_file_mutex_acquire(&busy);
    bm_spinlock_acquire(&segments.lock);
    for (int i = 0; !found && segments.count && i <= segments.highest; i++) {
        struct segment *segment = (struct segment *)bm_linux_sysv_at(&segments, i);
        if (segment && segment->count && segment->address == address)
            found = segment;
    }
    bm_spinlock_release(&segments.lock);
    if (found) {
        found->count--;
        found->detached = bm_linux_sysv_now();
        found->last = LINUX_PROCESS;
        destroy(found);
    }
    bm_file_mutex_release(&busy);
    return found ? 0 : -BM_EINVAL;
}

// The highest place in use.
static long tell_limits(int command, void *buffer)
{
    struct information told = {.count = segments.count};
    bm_spinlock_acquire(&segments.lock);
    for (int i = 0; segments.count && i <= segments.highest; i++) {
        const struct segment *segment = (struct segment *)bm_linux_sysv_at(&segments, i);
        told.pages += segment ? pages_of(segment->size) / BM_PAGE_SIZE : 0;
        told.resident += segment && segment->address ? pages_of(segment->size) / BM_PAGE_SIZE : 0;
    }
    long highest = segments.count ? segments.highest : 0;
    bm_spinlock_release(&segments.lock);
    if (command == SYSTEM_INFORMATION)
        *(struct information *)buffer = told;
    else
        *(struct limits *)buffer = (struct limits){.max = SIZE_MAX_OF_ONE,
                                                   .min = 1,
                                                   .segments = SEGMENTS,
                                                   .of_process = SEGMENTS,
                                                   .all = SIZE_MAX_OF_ONE};
    return highest;
}

static long permit_control(const struct segment *segment, int command)
{
    const struct sysv_permissions *of = &segment->object.permissions;
    switch (command) {
    case STATUS_ANY:
        return 0;
    case LOCK:
    case UNLOCK:
        return bm_permission_own_of ? bm_permission_own_of(of->user, of->maker, BM_CAP_IPC_LOCK) : 0;
    case SYSV_REMOVE:
    case SYSV_SET:
        return bm_linux_sysv_permit_change(&segment->object);
    default:
        return bm_linux_sysv_permit(&segment->object, 4);
    }
}

static long control(struct segment *segment, int command, void *buffer)
{
    long error = permit_control(segment, command);
    if (error)
        return error;
    switch (command) {
    case LOCK:
    case UNLOCK: // memory is never paged out
        return 0;
    case SYSV_REMOVE: // who has it attached keeps it
        segment->object.permissions.mode |= DESTROYED;
        segment->object.permissions.key = 0;
        destroy(segment);
        return 0;
    case SYSV_SET:
        bm_linux_sysv_set(&segment->object, &((const struct status *)buffer)->permissions);
        return 0;
    default:
        *(struct status *)buffer = (struct status){.permissions = segment->object.permissions,
                                                   .size = segment->size,
                                                   .attached = segment->attached,
                                                   .detached = segment->detached,
                                                   .changed = segment->object.changed,
                                                   .maker = segment->maker,
                                                   .last = segment->last,
                                                   .count = segment->count};
        return command == SYSV_STATUS ? 0 : segment->object.number;
    }
}

long bm_linux_shmctl(int number, int command, void *buffer)
{
    command &= ~SYSV_64;
    bool at = command == STATUS_AT || command == STATUS_ANY;
    bool limits = command == SYSV_INFORMATION || command == SYSTEM_INFORMATION;
    bool none = command == SYSV_REMOVE || command == LOCK || command == UNLOCK;
    if (number < 0 || (!at && !limits && !none && command != SYSV_SET && command != SYSV_STATUS))
        return -BM_EINVAL;
    if (!buffer && !none)
        return -BM_EFAULT;
    bm_file_mutex_acquire(&busy);
    long result = -BM_EINVAL;
    bm_spinlock_acquire(&segments.lock);
    struct segment *segment =
        (struct segment *)(at ? bm_linux_sysv_at(&segments, number) : bm_linux_sysv_find(&segments, number));
    bm_spinlock_release(&segments.lock);
    if (limits)
        result = tell_limits(command, buffer);
    else if (segment)
        result = control(segment, command, buffer);
    bm_file_mutex_release(&busy);
    return result;
}
