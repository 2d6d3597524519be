// The calls by path.
// SPDX-License-Identifier: MIT
#include "credentials.h"
#include "service.h"

static BM_ATOMIC(unsigned) umask = 022;

unsigned bm_path_umask(unsigned mask)
{
    return atomic_exchange(&umask, mask & 0777);
}

unsigned bm_path_mode(unsigned mode)
{
    return mode & 07777 & ~atomic_load(&umask);
}

// An inode of an empty path: the one that `at` is, of any type.
static int base_itself(int at, struct bm_inode **found)
{
    struct bm_file *file = at == BM_AT_FDCWD ? NULL : bm_file_acquire(at);
    if (!file)
        return at == BM_AT_FDCWD ? bm_path_base(at, false, found) : -BM_EBADF;
    bool has = file->inode;
    if (has)
        *found = bm_inode_hold(file->inode);
    bm_file_release(file);
    return has ? 0 : -BM_EINVAL;
}

static int find_as(int at, const char *path, int flags, bool real, struct bm_inode **found)
{
    if (flags & BM_AT_EMPTY_PATH && path && !(bm_path_reach && bm_path_reach(path)) && !*path)
        return base_itself(at, found);
    struct bm_walk walk;
    int error = bm_walk_begin_as(&walk, at, path, real);
    if (error)
        return error;
    while ((error = bm_walk_last(&walk, found)) == 0 && (*found)->type == BM_FILE_LINK &&
           (walk.slashes || !(flags & BM_AT_SYMLINK_NOFOLLOW)))
        if ((error = bm_walk_follow(&walk, *found)))
            break;
    if (error == 0 && walk.slashes && (*found)->type != BM_FILE_DIRECTORY) {
        bm_inode_put(*found);
        error = -BM_ENOTDIR;
    }
    bm_walk_end(&walk);
    return error;
}

int bm_path_inode(int at, const char *path, int flags, struct bm_inode **found)
{
    BM_ASSERT_MAY_WAIT();
    return find_as(at, path, flags, false, found);
}

int bm_path_status(int at, const char *path, int flags, struct bm_file_status *status)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_inode *inode;
    int error = bm_path_inode(at, path, flags, &inode);
    if (error)
        return error;
    error = bm_inode_status(inode, status);
    bm_inode_put(inode);
    return error;
}

int bm_path_change(int at, const char *path, int flags, const struct bm_inode_change *change)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_inode *inode;
    int error = bm_path_inode(at, path, flags, &inode);
    if (error)
        return error;
    error = bm_inode_change_permitted(inode, change);
    bm_inode_put(inode);
    return error;
}

int bm_path_access(int at, const char *path, int mode, int flags)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_inode *inode;
    if (mode & ~7)
        return -BM_EINVAL;
    bool real = !(flags & BM_AT_EACCESS);
    int error = find_as(at, path, flags, real, &inode);
    if (error)
        return error;
    struct bm_file_status status;
    error = bm_inode_status(inode, &status);
    if (!error && mode & 2 && inode->mount->read_only)
        error = -BM_EROFS;
    if (!error && mode & 1 && inode->type != BM_FILE_DIRECTORY && !(status.mode & 0111))
        error = -BM_EACCES;
    if (!error)
        error = bm_permit(inode, (unsigned)mode, real);
    bm_inode_put(inode);
    return error;
}

// Walks to where a name is to be made that must not be there.
static int begin_new(struct bm_walk *walk, int at, const char *path, bool directory)
{
    int error = bm_walk_begin(walk, at, path);
    if (error)
        return error;
    struct bm_inode *there;
    error = walk->last == BM_WALK_NAME ? bm_walk_last(walk, &there) : -BM_EEXIST;
    if (!error)
        bm_inode_put(there);
    error = !error ? -BM_EEXIST : error == -BM_ENOENT ? 0 : error;
    if (!error && walk->slashes && !directory)
        error = -BM_ENOENT;
    if (!error && (walk->directory->mount->read_only || !walk->directory->ops->create))
        error = -BM_EROFS;
    if (error)
        bm_walk_end(walk);
    return error;
}

// In a directory that may be written, as its user's. Takes what Linux' may_create and vfs_mknod refuse.
static int make_last(struct bm_walk *walk, struct bm_inode_new *what)
{
    struct bm_inode *made;
    unsigned type = what->mode & BM_FILE_TYPE;
    int error = bm_permit(walk->directory, 2 | 1, false);
    if (!error && (type == BM_FILE_CHARACTER || type == BM_FILE_BLOCK) && !bm_may(BM_CAP_MKNOD))
        error = -BM_EPERM;
    if (bm_permission_own)
        bm_permission_own(what);
    if (!error)
        error = walk->directory->ops->create(walk->directory, walk->name, walk->length, what, &made);
    if (!error)
        bm_inode_put(made);
    return error;
}

static int make(int at, const char *path, struct bm_inode_new what)
{
    struct bm_walk walk;
    int error = begin_new(&walk, at, path, (what.mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY);
    if (error)
        return error;
    error = make_last(&walk, &what);
    bm_walk_end(&walk);
    return error;
}

int bm_path_make(const char *path, const struct bm_inode_new *what)
{
    return make(BM_AT_FDCWD, path, *what);
}

int bm_path_mkdir(int at, const char *path, unsigned mode)
{
    BM_ASSERT_MAY_WAIT();
    return make(at, path, (struct bm_inode_new){.mode = BM_FILE_DIRECTORY | bm_path_mode(mode & 01777)});
}

int bm_path_mknod(int at, const char *path, unsigned mode, uint64_t special)
{
    BM_ASSERT_MAY_WAIT();
    unsigned type = mode & BM_FILE_TYPE ? mode & BM_FILE_TYPE : BM_FILE_REGULAR;
    switch (type) {
    case BM_FILE_DIRECTORY:
        return -BM_EPERM;
    case BM_FILE_REGULAR:
    case BM_FILE_CHARACTER:
    case BM_FILE_BLOCK:
    case BM_FILE_PIPE:
    case BM_FILE_SOCKET:
        break;
    default:
        return -BM_EINVAL;
    }
    bool device = type == BM_FILE_CHARACTER || type == BM_FILE_BLOCK;
    return make(at, path,
                (struct bm_inode_new){.mode = type | bm_path_mode(mode), .special = device ? special : 0});
}

int bm_path_symlink(const char *target, int at, const char *path)
{
    BM_ASSERT_MAY_WAIT();
    if (!target || (bm_path_reach && bm_path_reach(target)))
        return -BM_EFAULT;
    size_t length = bm_path_length(target);
    if (length == 0)
        return -BM_ENOENT;
    if (length >= BM_PATH_MAX)
        return -BM_ENAMETOOLONG;
    return make(at, path, (struct bm_inode_new){.mode = BM_FILE_LINK | 0777, .target = target});
}

long bm_path_readlink(int at, const char *path, char *buffer, size_t size)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_inode *inode;
    if (size == 0)
        return -BM_EINVAL;
    long result = bm_path_inode(at, path, BM_AT_SYMLINK_NOFOLLOW | BM_AT_EMPTY_PATH, &inode);
    if (result)
        return result;
    result = inode->type == BM_FILE_LINK ? inode->ops->target(inode, buffer, size)
             : *path                     ? -BM_EINVAL
                                         : -BM_ENOENT;
    bm_inode_put(inode);
    return result > (long)size ? (long)size : result;
}

static bool is_removed(struct bm_inode *directory)
{
    struct bm_file_status status;
    return bm_inode_status(directory, &status) == 0 && status.links == 0;
}

int bm_path_link(int from_at, const char *from, int to_at, const char *to, int flags)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_inode *inode;
    struct bm_walk walk;
    int follow = flags & BM_AT_SYMLINK_FOLLOW ? 0 : BM_AT_SYMLINK_NOFOLLOW;
    int error = bm_path_inode(from_at, from, follow | (flags & BM_AT_EMPTY_PATH), &inode);
    if (error)
        return error;
    error = begin_new(&walk, to_at, to, false);
    if (!error) {
        if (inode->mount != walk.directory->mount)
            error = -BM_EXDEV;
        else if ((error = bm_permit(walk.directory, 2 | 1, false)))
            ;
        else if (inode->type == BM_FILE_DIRECTORY || !walk.directory->ops->link)
            error = is_removed(walk.directory) ? -BM_ENOENT : -BM_EPERM;
        else
            error = walk.directory->ops->link(walk.directory, walk.name, walk.length, inode);
        bm_walk_end(&walk);
    }
    bm_inode_put(inode);
    return error;
}

// What is told of a last component that cannot be removed, or of what stands there.
static int refuse_unlink(const struct bm_walk *walk, const struct bm_inode *there, bool directory)
{
    bool is = there->type == BM_FILE_DIRECTORY;
    if (directory)
        return !is ? -BM_ENOTDIR : there == there->mount->root ? -BM_EBUSY : 0;
    if (walk->slashes)
        return is ? -BM_EISDIR : -BM_ENOTDIR;
    return is ? -BM_EISDIR : 0;
}

int bm_path_unlink(int at, const char *path, int flags)
{
    BM_ASSERT_MAY_WAIT();
    bool directory = flags & BM_AT_REMOVEDIR;
    static const int8_t special[] = {
        [BM_WALK_DOT] = BM_EINVAL, [BM_WALK_DOTDOT] = BM_ENOTEMPTY, [BM_WALK_ROOT] = BM_EBUSY};
    struct bm_walk walk;
    struct bm_inode *there;
    int error = bm_walk_begin(&walk, at, path);
    if (error)
        return error;
    if (walk.last != BM_WALK_NAME)
        error = directory ? -special[walk.last] : -BM_EISDIR;
    if (!error && (walk.directory->mount->read_only || !walk.directory->ops->unlink))
        error = -BM_EROFS; // before the name, as on Linux
    if (!error && !(error = bm_walk_last(&walk, &there))) {
        if (bm_permission_remove)
            error = bm_permission_remove(walk.directory, there);
        if (!error)
            error = refuse_unlink(&walk, there, directory);
        bm_inode_put(there);
        if (!error)
            error = walk.directory->ops->unlink(walk.directory, walk.name, walk.length, directory);
    }
    bm_walk_end(&walk);
    return error;
}

// Whether `above` is `inode` or a directory above it.
static bool is_above(struct bm_inode *above, struct bm_inode *inode)
{
    bool found = false;
    bm_inode_hold(inode);
    for (;;) {
        struct bm_inode *next;
        found = inode == above;
        if (found || bm_walk_up(inode, &next))
            break;
        bm_inode_put(inode);
        if (next == inode) {
            bm_inode_put(next);
            return false;
        }
        inode = next;
    }
    bm_inode_put(inode);
    return found;
}

// The reasons against a rename that the names alone give, in Linux' order. `target` may be NULL.
static int refuse_rename(const struct bm_walk *from, const struct bm_walk *to, struct bm_inode *source,
                         struct bm_inode *target, unsigned flags)
{
    if (target && flags & BM_RENAME_NOREPLACE)
        return -BM_EEXIST;
    bool directory = source->type == BM_FILE_DIRECTORY;
    if (!directory && (from->slashes || to->slashes))
        return -BM_ENOTDIR;
    if (directory && is_above(source, to->directory))
        return -BM_EINVAL;
    if (target && target->type == BM_FILE_DIRECTORY && is_above(target, from->directory))
        return -BM_ENOTEMPTY;
    if (source == target)
        return 0;
    if (target && directory != (target->type == BM_FILE_DIRECTORY))
        return directory ? -BM_ENOTDIR : -BM_EISDIR;
    if (source == source->mount->root || (target && target == target->mount->root))
        return -BM_EBUSY;
    return 0;
}

// A directory that moves is written, too: its `..` changes.
static int permit_rename(struct bm_inode *from, struct bm_inode *to, struct bm_inode *source,
                         struct bm_inode *target)
{
    if (!bm_permission_remove)
        return 0;
    int error = bm_permission_remove(from, source);
    if (!error)
        error = target ? bm_permission_remove(to, target) : bm_permit(to, 2 | 1, false);
    return !error && from != to && source->type == BM_FILE_DIRECTORY ? bm_permit(source, 2, false) : error;
}

static int rename_last(struct bm_walk *from, struct bm_walk *to, unsigned flags)
{
    if (from->directory->mount != to->directory->mount)
        return -BM_EXDEV;
    if (from->last != BM_WALK_NAME)
        return -BM_EBUSY;
    if (to->last != BM_WALK_NAME)
        return flags & BM_RENAME_NOREPLACE ? -BM_EEXIST : -BM_EBUSY;
    if (from->directory->mount->read_only || !from->directory->ops->rename)
        return -BM_EROFS; // before the names, as on Linux
    struct bm_inode *source, *target = NULL, *directory = from->directory;
    int error = bm_walk_last(from, &source);
    if (error)
        return error;
    error = bm_walk_last(to, &target);
    if (error) {
        target = NULL;
        if (error == -BM_ENOENT && !is_removed(to->directory))
            error = 0;
    }
    if (!error)
        error = refuse_rename(from, to, source, target, flags);
    if (!error && source != target)
        error = permit_rename(directory, to->directory, source, target);
    if (!error && source != target)
        error = directory->ops->rename(directory, from->name, from->length, to->directory, to->name,
                                       to->length, flags);
    bm_inode_put(source);
    if (target)
        bm_inode_put(target);
    return error;
}

int bm_path_rename(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_walk source, target;
    if (flags & ~(unsigned)BM_RENAME_NOREPLACE)
        return -BM_EINVAL;
    int error = bm_walk_begin(&source, from_at, from);
    if (error)
        return error;
    error = bm_walk_begin(&target, to_at, to);
    if (!error) {
        error = rename_last(&source, &target, flags);
        bm_walk_end(&target);
    }
    bm_walk_end(&source);
    return error;
}
