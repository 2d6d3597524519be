// The mount table.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/wait.h>

static struct bm_spinlock lock;
static struct bm_file_mutex making;
static BM_ATOMIC(struct bm_mount *) root, last;
static uint64_t devices;

// Links a mount that covers `place` (whose reference it takes), or is the root.
static int link_mount(struct bm_mount *mount, struct bm_inode *place)
{
    int error = 0;
    bm_spinlock_acquire(&lock);
    if (mount->device || (place && atomic_load(&place->covered))) {
        error = -BM_EBUSY;
    } else {
        mount->device = ++devices;
        mount->place = place;
        mount->next = atomic_load(&last);
        atomic_store(&last, mount);
        if (place)
            atomic_store(&place->covered, mount);
        else
            atomic_store(&root, mount);
    }
    bm_spinlock_release(&lock);
    return error;
}

int bm_mount_add(struct bm_mount *mount, const char *path)
{
    BM_ASSERT_MAY_WAIT();
    BM_ASSERT(mount->root && mount->root->ops, "a file system must have a root with operations");
    struct bm_inode *place;
    int error = bm_path_inode(BM_AT_FDCWD, path, 0, &place);
    if (error)
        return error;
    // The root of what is mounted there may be covered, too; the root of all may not.
    error = place->type != BM_FILE_DIRECTORY    ? -BM_ENOTDIR
            : place == atomic_load(&root)->root ? -BM_EBUSY
                                                : link_mount(mount, place);
    if (error)
        bm_inode_put(place);
    return error;
}

struct bm_mount *bm_mount_first(void)
{
    return atomic_load(&last);
}

// The files of the image, with /tmp and, when linked, /dev, /proc, /sys and /etc. What is mounted may be
// changed as its file system allows.
static void make_root(void)
{
    struct bm_mount *made = bm_tmpfs_root_make();
    if (!made || link_mount(made, NULL)) {
        bm_log_error("files", "out of memory: there is no root directory");
        return;
    }
    if (bm_devfs_mount)
        bm_devfs_mount();
    if (bm_procfs_mount)
        bm_procfs_mount();
    made->read_only = !&bm_files_writable;
}

// The first path makes the root. Nobody else sees it before /dev and the others are there, whose making walks
// to the root.
static void await_root(void)
{
    static BM_ATOMIC(unsigned) maker;
    static BM_ATOMIC(bool) ready;
    if (atomic_load_explicit(&ready, memory_order_acquire) || atomic_load(&maker) == bm_context_id())
        return;
    bm_file_mutex_acquire(&making);
    if (!atomic_load(&ready)) {
        atomic_store(&maker, bm_context_id());
        make_root();
        atomic_store(&maker, 0);
        atomic_store(&ready, atomic_load(&root) != NULL);
    }
    bm_file_mutex_release(&making);
}

struct bm_inode *bm_mount_root(void)
{
    BM_ASSERT_NO_HANDLER();
    await_root();
    struct bm_mount *mount = atomic_load(&root);
    return mount ? bm_inode_hold(mount->root) : NULL;
}
