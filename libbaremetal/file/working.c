// Where paths begin: the working directory, directories of descriptors; and the path of an inode.
// SPDX-License-Identifier: MIT
#include "credentials.h"
#include "service.h"

#include <baremetal/lock.h>

static struct {
    struct bm_spinlock lock;
    struct bm_inode *directory; // NULL: the root
} working;

int bm_path_base(int at, bool absolute, struct bm_inode **found)
{
    struct bm_inode *root = bm_mount_root();
    if (!root)
        return -BM_ENOMEM;
    *found = root;
    if (absolute)
        return 0;
    if (at == BM_AT_FDCWD) {
        bm_spinlock_acquire(&working.lock);
        struct bm_inode *directory = working.directory ? bm_inode_hold(working.directory) : NULL;
        bm_spinlock_release(&working.lock);
        if (!directory)
            return 0;
        *found = directory;
        bm_inode_put(root);
        return 0;
    }
    bm_inode_put(root);
    struct bm_file *file = bm_file_acquire(at);
    if (!file)
        return -BM_EBADF;
    if (file->inode)
        *found = bm_inode_hold(file->inode);
    bool has = file->inode;
    bm_file_release(file);
    return has ? 0 : -BM_ENOTDIR;
}

int bm_path_chdir(int at, const char *path, int flags)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_inode *inode;
    int error = bm_path_inode(at, path, flags, &inode);
    if (error)
        return error;
    error = inode->type == BM_FILE_DIRECTORY ? bm_permit(inode, 1, false) : -BM_ENOTDIR;
    if (error) {
        bm_inode_put(inode);
        return error;
    }
    bm_spinlock_acquire(&working.lock);
    struct bm_inode *old = working.directory;
    working.directory = inode;
    bm_spinlock_release(&working.lock);
    if (old)
        bm_inode_put(old);
    return 0;
}

// The child may be covered by a mount.
int bm_inode_name(struct bm_inode *directory, const struct bm_inode *child, struct bm_inode_entry *entry)
{
    int more;
    for (uint64_t after = 2; (more = directory->ops->entry(directory, after, entry)) > 0;
         after = entry->cookie)
        if (entry->number == child->number)
            return 0;
    return more ? more : -BM_ENOENT;
}

// Writes "/name" of each directory from `inode` up to the root before *at. Takes the inode's reference.
static int prepend_all(struct bm_inode *inode, char *begin, char **at, struct bm_inode_entry *entry)
{
    for (;;) {
        while (inode == inode->mount->root && inode->mount->place) {
            struct bm_inode *place = bm_inode_hold(inode->mount->place);
            bm_inode_put(inode);
            inode = place;
        }
        struct bm_inode *above;
        bool root = inode == inode->mount->root;
        int error = root ? 0 : inode->ops->parent(inode, &above);
        if (!root && !error) {
            error = bm_inode_name(above, inode, entry);
            if (error)
                bm_inode_put(above);
        }
        if (!root && !error && (size_t)(*at - begin) < entry->length + 1) {
            bm_inode_put(above);
            error = -BM_ENAMETOOLONG;
        }
        bm_inode_put(inode);
        if (root || error)
            return error;
        *at -= entry->length;
        __builtin_memcpy(*at, entry->name, entry->length);
        *--*at = '/';
        inode = above;
    }
}

long bm_path_of(struct bm_inode *inode, const char *name, size_t length, char *buffer, size_t size)
{
    struct {
        struct bm_inode_entry entry;
        char path[BM_PATH_MAX];
    } *work = bm_file_allocate(sizeof *work);
    if (!work) {
        bm_inode_put(inode);
        return -BM_ENOMEM;
    }
    char *at = work->path + BM_PATH_MAX - 1; // a NUL
    if (length) {
        at -= length;
        __builtin_memcpy(at, name, length);
        *--at = '/';
    }
    long result = prepend_all(inode, work->path, &at, &work->entry);
    if (result == 0) {
        if (!*at)
            *--at = '/';
        size_t whole = (size_t)(work->path + BM_PATH_MAX - at);
        result = whole > size ? -BM_ERANGE : (long)whole;
        if (result > 0)
            __builtin_memcpy(buffer, at, whole);
    }
    bm_file_free(work, sizeof *work);
    return result;
}

long bm_path_getcwd(char *buffer, size_t size)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_inode *directory;
    int error = bm_path_base(BM_AT_FDCWD, false, &directory);
    return error ? error : bm_path_of(directory, NULL, 0, buffer, size);
}

// To a last component that is no link, and its inode.
static int walk_real(struct bm_walk *walk, struct bm_inode **found)
{
    int error;
    while ((error = bm_walk_last(walk, found)) == 0 && (*found)->type == BM_FILE_LINK)
        if ((error = bm_walk_follow(walk, *found)))
            return error;
    if (error)
        return error;
    if (!walk->slashes || (*found)->type == BM_FILE_DIRECTORY)
        return 0;
    bm_inode_put(*found);
    return -BM_ENOTDIR;
}

long bm_path_real(const char *path, char *buffer, size_t size)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_walk walk;
    struct bm_inode *found;
    long result = bm_walk_begin(&walk, BM_AT_FDCWD, path);
    if (result)
        return result;
    result = walk_real(&walk, &found);
    if (result == 0) {
        if (found->type == BM_FILE_DIRECTORY) {
            result = bm_path_of(found, NULL, 0, buffer, size);
        } else {
            bm_inode_put(found);
            result = bm_path_of(bm_inode_hold(walk.directory), walk.name, walk.length, buffer, size);
        }
    }
    bm_walk_end(&walk);
    return result;
}
