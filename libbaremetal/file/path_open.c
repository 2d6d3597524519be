// Opening by path.
// SPDX-License-Identifier: MIT
#include "credentials.h"
#include "service.h"

// The inode to open, made if wanted: one round, since what was not there may be there when it is to be made.
static int open_last(struct bm_walk *walk, int flags, unsigned mode, struct bm_inode **inode, bool *made)
{
    int error = bm_walk_last(walk, inode);
    if (error != -BM_ENOENT || !(flags & BM_O_CREAT) || walk->last != BM_WALK_NAME)
        return error;
    struct bm_inode *directory = walk->directory;
    if (directory->mount->read_only || !directory->ops->create)
        return -BM_EROFS;
    struct bm_inode_new what = {.mode = BM_FILE_REGULAR | bm_path_mode(mode)};
    error = bm_permit(directory, 2 | 1, false);
    if (error)
        return error;
    if (bm_permission_own)
        bm_permission_own(&what);
    error = directory->ops->create(directory, walk->name, walk->length, &what, inode);
    *made = error == 0;
    return error == -BM_EEXIST ? -BM_EAGAIN : error;
}

static int open_walk(struct bm_walk *walk, int flags, unsigned mode, struct bm_inode **inode, bool *made)
{
    for (;;) {
        if (flags & BM_O_CREAT && walk->slashes && walk->last == BM_WALK_NAME)
            return -BM_EISDIR;
        int error = open_last(walk, flags, mode, inode, made);
        if (error == -BM_EAGAIN)
            continue;
        if (error)
            return error;
        bool exclusive = (flags & (BM_O_CREAT | BM_O_EXCL)) == (BM_O_CREAT | BM_O_EXCL);
        if ((*inode)->type != BM_FILE_LINK || exclusive || (flags & BM_O_NOFOLLOW && !walk->slashes))
            return 0;
        if ((error = bm_walk_follow(walk, *inode)))
            return error;
    }
}

// The permissions that opening asks for: none of what it has made.
static int permit_open(struct bm_inode *inode, int flags, bool made)
{
    static const uint8_t wanted[] = {
        [BM_O_RDONLY] = 4, [BM_O_WRONLY] = 2, [BM_O_RDWR] = 6, [BM_O_ACCMODE] = 6};
    unsigned cut = flags & BM_O_TRUNC ? 2 : 0;
    int error = made ? 0 : bm_permit(inode, wanted[flags & BM_O_ACCMODE] | cut, false);
    return !error && flags & BM_O_NOATIME && bm_permission_owner ? bm_permission_owner(inode) : error;
}

// The reasons against opening what was found, in Linux' order.
static int refuse_open(struct bm_inode *inode, int flags, bool made, bool slashes)
{
    bool directory = inode->type == BM_FILE_DIRECTORY;
    bool writes = (flags & BM_O_ACCMODE) != BM_O_RDONLY || flags & BM_O_TRUNC;
    if (flags & BM_O_CREAT && flags & BM_O_EXCL && !made)
        return -BM_EEXIST;
    if (flags & BM_O_CREAT && directory)
        return -BM_EISDIR;
    if ((flags & BM_O_DIRECTORY || slashes) && !directory)
        return -BM_ENOTDIR;
    if (inode->type == BM_FILE_LINK)
        return flags & BM_O_PATH ? 0 : -BM_ELOOP;
    if (flags & BM_O_PATH)
        return 0;
    if (directory && writes)
        return -BM_EISDIR;
    if (writes && inode->mount->read_only && inode->type == BM_FILE_REGULAR)
        return -BM_EROFS;
    return permit_open(inode, flags, made);
}

static int open_inode(struct bm_inode *inode, struct bm_inode *directory, int flags, bool made)
{
    struct bm_inode_change cut = {.which = BM_CHANGE_SIZE};
    struct bm_file *file;
    int error = bm_inode_open(inode, directory, flags, &file);
    if (error)
        return error;
    int descriptor = 0;
    if (flags & BM_O_TRUNC && !(flags & BM_O_PATH) && !made && inode->type == BM_FILE_REGULAR)
        descriptor = bm_inode_change(inode, &cut);
    if (descriptor == 0)
        descriptor = bm_file_install(file, 0);
    if (descriptor < 0 && file->ops->close)
        file->ops->close(file);
    else if (flags & BM_O_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

// O_TMPFILE: a file without a name, in the file system of a directory.
static int open_nameless(int at, const char *path, int flags, unsigned mode)
{
    struct bm_inode *directory, *inode;
    if (!(flags & BM_O_DIRECTORY) || flags & BM_O_CREAT || (flags & BM_O_ACCMODE) == BM_O_RDONLY)
        return -BM_EINVAL;
    int error = bm_path_inode(at, path, flags & BM_O_NOFOLLOW ? BM_AT_SYMLINK_NOFOLLOW : 0, &directory);
    if (error)
        return error;
    struct bm_inode_new what = {.mode = BM_FILE_REGULAR | bm_path_mode(mode)};
    error = directory->type != BM_FILE_DIRECTORY ? -BM_ENOTDIR
            : directory->mount->read_only        ? -BM_EROFS
                                                 : bm_permit(directory, 2 | 1, false);
    if (bm_permission_own)
        bm_permission_own(&what);
    if (!error)
        error = !directory->ops->create_nameless
                    ? -BM_EOPNOTSUPP
                    : directory->ops->create_nameless(directory, &what, !(flags & BM_O_EXCL), &inode);
    if (!error) {
        error = open_inode(inode, NULL, flags, true);
        bm_inode_put(inode);
    }
    bm_inode_put(directory);
    return error;
}

int bm_path_open(int at, const char *path, int flags, unsigned mode)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_walk walk;
    struct bm_inode *inode;
    bool made = false;
    if (flags & BM_O_PATH)
        flags &= BM_O_PATH | BM_O_DIRECTORY | BM_O_NOFOLLOW | BM_O_CLOEXEC;
    if (flags & BM_O_TMPFILE & ~BM_O_DIRECTORY)
        return open_nameless(at, path, flags, mode);
    if ((flags & (BM_O_CREAT | BM_O_DIRECTORY)) == (BM_O_CREAT | BM_O_DIRECTORY))
        return -BM_EINVAL;
    int error = bm_walk_begin(&walk, at, path);
    if (error)
        return error;
    error = open_walk(&walk, flags, mode, &inode, &made);
    if (!error) {
        error = refuse_open(inode, flags, made, walk.slashes);
        if (!error)
            error = open_inode(inode, walk.directory, flags, made);
        bm_inode_put(inode);
    }
    bm_walk_end(&walk);
    return error;
}
