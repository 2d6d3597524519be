// Files in memory without a name, and their seals.
// SPDX-License-Identifier: MIT
#include "../file/service.h"
#include "../space/space.h"
#include "linux.h"
#include "map.h"

#include <baremetal/lock.h>

enum { CLOEXEC = 1, ALLOW_SEALING = 2, NOEXEC_SEAL = 8, EXEC = 16 };
enum {
    NAME_MAX_HERE = 249,
    SEALS = BM_SEAL_SEAL | BM_SEAL_SHRINK | BM_SEAL_GROW | BM_SEAL_WRITE | BM_SEAL_FUTURE_WRITE | BM_SEAL_EXEC
};

// The file system of them all, which nobody mounts; NULL when memory is short.
static struct bm_mount *mount_get(void)
{
    static struct bm_file_mutex mutex;
    static struct bm_mount *mount;
    bm_file_mutex_acquire(&mutex);
    if (!mount)
        mount = bm_tmpfs_make(0);
    bm_file_mutex_release(&mutex);
    return mount;
}

static int open_new(struct bm_inode *inode, unsigned flags)
{
    struct bm_file *file;
    uint32_t seals = flags & (ALLOW_SEALING | NOEXEC_SEAL) ? BM_SEAL_ALLOWED : 0;
    atomic_store(&inode->seals, flags & NOEXEC_SEAL ? seals | BM_SEAL_EXEC : seals);
    int error = bm_inode_open(inode, NULL, BM_O_RDWR, &file);
    if (error)
        return error;
    int descriptor = bm_file_install(file, 0);
    if (descriptor < 0)
        file->ops->close(file);
    else if (flags & CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

long bm_linux_memfd_create(const char *name, unsigned flags)
{
    enum { BOTH = NOEXEC_SEAL | EXEC };
    if (flags & ~(unsigned)(CLOEXEC | ALLOW_SEALING | BOTH) || (flags & BOTH) == BOTH ||
        __builtin_strlen(name) > NAME_MAX_HERE)
        return -BM_EINVAL;
    struct bm_mount *mount = mount_get();
    struct bm_inode_new what = {.mode = BM_FILE_REGULAR | (flags & NOEXEC_SEAL ? 0666 : 0777)};
    struct bm_inode *inode;
    int result = mount ? mount->root->ops->create_nameless(mount->root, &what, false, &inode) : -BM_ENOMEM;
    if (result)
        return result;
    result = open_new(inode, flags);
    bm_inode_put(inode);
    return result;
}

// Writers and mappings of the file wait meanwhile.
static int add_seals(struct bm_inode *inode, uint32_t wanted)
{
    uint32_t seals = atomic_load(&inode->seals);
    if (!(seals & BM_SEAL_ALLOWED) || seals & BM_SEAL_SEAL)
        return -BM_EPERM;
    if (wanted & BM_SEAL_WRITE && !(seals & BM_SEAL_WRITE) && bm_space_object_written(inode))
        return -BM_EBUSY;
    atomic_store(&inode->seals, seals | wanted);
    return 0;
}

long bm_linux_seals(struct bm_file *file, bool add, long wanted)
{
    struct bm_inode *inode = file->inode;
    if (!inode || inode->type != BM_FILE_REGULAR || !inode->ops->shares)
        return -BM_EINVAL;
    if (!add) {
        uint32_t seals = atomic_load(&inode->seals);
        return seals & BM_SEAL_ALLOWED ? (long)(seals & SEALS) : BM_SEAL_SEAL;
    }
    if ((file->flags & LINUX_O_ACCMODE) == LINUX_O_RDONLY)
        return -BM_EPERM;
    if (wanted & ~(long)SEALS)
        return -BM_EINVAL;
    bm_file_mutex_acquire(&inode->busy);
    int result = add_seals(inode, (uint32_t)wanted);
    bm_file_mutex_release(&inode->busy);
    return result;
}
