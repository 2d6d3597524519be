// Users and groups: calls that make the program somebody else. A program that has none of them stays root.
// SPDX-License-Identifier: MIT
#include "../file/credentials.h"
#include "linux.h"

static const char *const credentials_needed __attribute__((used)) = &bm_credentials_linked;

enum { NONE = -1, GROUPS_MAX = 65536 };

// What goes with the user of files: its capabilities that are about them.
#define FILE_CAPABILITIES                                                                                    \
    (1ull << BM_CAP_CHOWN | 1ull << BM_CAP_DAC_OVERRIDE | 1ull << BM_CAP_DAC_READ_SEARCH |                   \
     1ull << BM_CAP_FOWNER | 1ull << BM_CAP_FSETID | 1ull << BM_CAP_LINUX_IMMUTABLE | 1ull << BM_CAP_MKNOD | \
     1ull << BM_CAP_MAC_OVERRIDE)

// Whether an id is among the first `count` of those that there are; NONE, which changes nothing, is.
static bool is_among(const uint32_t ids[BM_IDS], unsigned count, uint32_t id)
{
    bool found = id == (uint32_t)NONE;
    for (unsigned i = 0; i < count && !found; i++)
        found = ids[i] == id;
    return found;
}

static bool may_set(unsigned capability)
{
    return bm_credentials.effective >> capability & 1;
}

// setuid, setgid: who may sets all of them, others go to the real or the saved one.
static long become_one(uint32_t ids[BM_IDS], bool may, const uint32_t wanted[3])
{
    uint32_t id = wanted[0];
    if (id == (uint32_t)NONE)
        return -BM_EINVAL;
    if (may)
        ids[BM_ID_REAL] = ids[BM_ID_SAVED] = id;
    else if (id != ids[BM_ID_REAL] && id != ids[BM_ID_SAVED])
        return -BM_EPERM;
    ids[BM_ID_EFFECTIVE] = ids[BM_ID_FILES] = id;
    return 0;
}

// setreuid, setregid: the saved one becomes the effective one when the real one is set, or the effective one
// to what the real one was not.
static long become_two(uint32_t ids[BM_IDS], bool may, const uint32_t wanted[3])
{
    uint32_t real = wanted[0], effective = wanted[1], before = ids[BM_ID_REAL];
    if (!may && (!is_among(ids, BM_ID_EFFECTIVE + 1, real) || !is_among(ids, BM_ID_SAVED + 1, effective)))
        return -BM_EPERM;
    if (real != (uint32_t)NONE)
        ids[BM_ID_REAL] = real;
    if (effective != (uint32_t)NONE)
        ids[BM_ID_EFFECTIVE] = effective;
    if (real != (uint32_t)NONE || (effective != (uint32_t)NONE && effective != before))
        ids[BM_ID_SAVED] = ids[BM_ID_EFFECTIVE];
    ids[BM_ID_FILES] = ids[BM_ID_EFFECTIVE];
    return 0;
}

// setresuid, setresgid.
static long become_three(uint32_t ids[BM_IDS], bool may, const uint32_t wanted[3])
{
    for (unsigned i = 0; i < 3 && !may; i++)
        if (!is_among(ids, BM_ID_SAVED + 1, wanted[i]))
            return -BM_EPERM;
    for (unsigned i = 0; i < 3; i++)
        if (wanted[i] != (uint32_t)NONE)
            ids[i] = wanted[i];
    ids[BM_ID_FILES] = ids[BM_ID_EFFECTIVE];
    return 0;
}

// setfsuid, setfsgid: tell what it was, whatever comes of it.
static long become_for_files(uint32_t ids[BM_IDS], bool may, const uint32_t wanted[3])
{
    uint32_t before = ids[BM_ID_FILES], id = wanted[0];
    if (id != (uint32_t)NONE && (may || is_among(ids, BM_IDS, id)))
        ids[BM_ID_FILES] = id;
    return before;
}

static bool has_root(const uint32_t ids[BM_IDS])
{
    return is_among(ids, BM_ID_SAVED + 1, 0);
}

// Who stops being root loses what root may (capabilities(7), "Effect of user ID changes on capabilities").
static void capabilities_follow(struct bm_credentials *now, const uint32_t to[BM_IDS])
{
    const uint32_t *from = now->user;
    bool keeps = bm_linux_keeps_capabilities && bm_linux_keeps_capabilities();
    if (has_root(from) && !has_root(to) && !keeps)
        now->permitted = now->effective = 0;
    if (from[BM_ID_EFFECTIVE] == 0 && to[BM_ID_EFFECTIVE] != 0)
        now->effective = 0;
    if (from[BM_ID_EFFECTIVE] != 0 && to[BM_ID_EFFECTIVE] == 0)
        now->effective = now->permitted;
}

// … and of setfsuid alone.
static void file_capabilities_follow(struct bm_credentials *now, const uint32_t to[BM_IDS])
{
    if (now->user[BM_ID_FILES] == 0 && to[BM_ID_FILES] != 0)
        now->effective &= ~FILE_CAPABILITIES;
    if (now->user[BM_ID_FILES] != 0 && to[BM_ID_FILES] == 0)
        now->effective |= now->permitted & FILE_CAPABILITIES;
}

typedef long become(uint32_t ids[BM_IDS], bool may, const uint32_t wanted[3]);

static long become_user(become *how, uint32_t first, uint32_t second, uint32_t third)
{
    struct bm_credentials *now = &bm_credentials;
    const uint32_t wanted[3] = {first, second, third};
    uint32_t ids[BM_IDS];
    bm_spinlock_acquire(&now->lock);
    __builtin_memcpy(ids, now->user, sizeof ids);
    long result = how(ids, may_set(BM_CAP_SETUID), wanted);
    if (result >= 0 && how == become_for_files)
        file_capabilities_follow(now, ids);
    else if (result >= 0)
        capabilities_follow(now, ids);
    if (result >= 0)
        __builtin_memcpy(now->user, ids, sizeof ids);
    bm_spinlock_release(&now->lock);
    return result;
}

static long become_group(become *how, uint32_t first, uint32_t second, uint32_t third)
{
    struct bm_credentials *now = &bm_credentials;
    const uint32_t wanted[3] = {first, second, third};
    bm_spinlock_acquire(&now->lock);
    long result = how(now->group, may_set(BM_CAP_SETGID), wanted);
    bm_spinlock_release(&now->lock);
    return result;
}

long bm_linux_setuid(unsigned user)
{
    return become_user(become_one, user, 0, 0);
}

long bm_linux_setgid(unsigned group)
{
    return become_group(become_one, group, 0, 0);
}

long bm_linux_setreuid(unsigned real, unsigned effective)
{
    return become_user(become_two, real, effective, 0);
}

long bm_linux_setregid(unsigned real, unsigned effective)
{
    return become_group(become_two, real, effective, 0);
}

long bm_linux_setresuid(unsigned real, unsigned effective, unsigned saved)
{
    return become_user(become_three, real, effective, saved);
}

long bm_linux_setresgid(unsigned real, unsigned effective, unsigned saved)
{
    return become_group(become_three, real, effective, saved);
}

long bm_linux_setfsuid(unsigned user)
{
    return become_user(become_for_files, user, 0, 0);
}

long bm_linux_setfsgid(unsigned group)
{
    return become_group(become_for_files, group, 0, 0);
}

// Puts a list in place of the groups that there are, and frees those.
static void groups_set(uint32_t *groups, unsigned count)
{
    struct bm_credentials *now = &bm_credentials;
    bm_file_mutex_acquire(&now->groups_busy);
    bm_spinlock_acquire(&now->lock);
    uint32_t *old = now->groups;
    size_t size = now->group_count * sizeof *old;
    now->groups = groups;
    now->group_count = count;
    bm_spinlock_release(&now->lock);
    bm_file_mutex_release(&now->groups_busy);
    bm_inode_memory_free(old, size);
}

long bm_linux_setgroups(int count, const uint32_t *groups)
{
    if (!bm_credentials_may(BM_CAP_SETGID))
        return -BM_EPERM;
    if ((unsigned)count > GROUPS_MAX)
        return -BM_EINVAL;
    size_t size = (unsigned)count * sizeof *groups;
    uint32_t *copy = count ? bm_inode_memory_allocate(size) : NULL;
    if (count && !copy)
        return -BM_ENOMEM;
    for (int i = 0; i < count; i++) {
        copy[i] = groups[i];
        if (copy[i] == (uint32_t)NONE) {
            bm_inode_memory_free(copy, size);
            return -BM_EINVAL;
        }
    }
    groups_set(copy, (unsigned)count);
    return 0;
}

// Under a lock that may be held over a page fault of the program's.
long bm_linux_groups_tell(unsigned size, uint32_t *groups)
{
    struct bm_credentials *now = &bm_credentials;
    bm_file_mutex_acquire(&now->groups_busy);
    long result = now->group_count;
    if (size && size < now->group_count)
        result = -BM_EINVAL;
    else if (size && now->group_count && !groups)
        result = -BM_EFAULT;
    else if (size)
        for (unsigned i = 0; i < now->group_count; i++)
            groups[i] = now->groups[i];
    bm_file_mutex_release(&now->groups_busy);
    return result;
}
