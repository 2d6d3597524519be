// Writing ext4 on the machine: the operations of inodes that change names and fields.
// SPDX-License-Identifier: MIT
//
// Everything is under the file system's lock. What an operation has changed is safe with the next commit:
// `sync` makes one, and the background does after some seconds (ext4_background.c).
#include "ext4_writing.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/path.h>

enum { PERMISSIONS = 07777 };

static int64_t now(const struct ext4_mounted *fs)
{
    return fs->disk.now(fs->disk.arg);
}

// What was committed in memory has not reached the disk: the journal ends.
static void see_error(struct ext4_mounted *fs)
{
    int error = bm_ext4_background_error(fs);
    if (error && fs->fs.transactions)
        (void)bm_ext4_abort(&fs->fs, error);
}

int bm_ext4_change_begin(struct ext4_mounted *fs)
{
    bm_file_mutex_acquire(&fs->lock);
    see_error(fs);
    if (!fs->fs.read_only)
        return 0;
    bm_file_mutex_release(&fs->lock);
    return -BM_EROFS;
}

int bm_ext4_change_end(struct ext4_mounted *fs, int error)
{
    see_error(fs);
    if (!fs->fs.read_only && bm_ext4_background_is_late(fs)) {
        int failed = bm_ext4_commit(&fs->fs);
        error = error ? error : failed;
    }
    bm_ext4_background_changed(fs);
    if (fs->fs.read_only && !fs->mount.read_only) {
        fs->mount.read_only = true;
        bm_log_error("ext4", "%s is read-only from now on, since its journal cannot be written",
                     fs->device->name);
    }
    bm_file_mutex_release(&fs->lock);
    return error;
}

static int sync(struct bm_inode *inode, bool data_only)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    (void)data_only;
    bm_file_mutex_acquire(&fs->lock);
    see_error(fs);
    int error = fs->fs.transactions ? bm_ext4_commit(&fs->fs) : -BM_EROFS;
    return bm_ext4_change_end(fs, error);
}

// --- Names ---

// Makes *node of a new inode, which has its links.
static int node_keep(struct ext4_mounted *fs, const struct ext4_inode *made, struct bm_inode **found)
{
    struct ext4_node *node = bm_ext4_node_make(fs, made);
    if (!node)
        return -BM_ENOMEM;
    *found = &node->inode;
    return 0;
}

// As Linux writes numbers of devices: small ones in the first word. What is made in a directory with the
// set-group-ID bit has its group, and a directory that bit, too.
static struct ext4_inode inode_of(const struct ext4_inode *directory, const struct bm_inode_new *what)
{
    enum { SET_GROUP = 02000 };
    struct ext4_inode made = {.mode = what->mode, .owner = what->owner, .group = what->group};
    uint32_t type = what->mode & BM_FILE_TYPE;
    if (directory->mode & SET_GROUP) {
        made.group = directory->group;
        made.mode |= type == BM_FILE_DIRECTORY ? SET_GROUP : 0;
    }
    if (type == BM_FILE_CHARACTER || type == BM_FILE_BLOCK)
        ext4_put32(made.block + (what->special > 0xffff ? 4 : 0), (uint32_t)what->special);
    return made;
}

static int create(struct bm_inode *directory, const char *name, size_t length,
                  const struct bm_inode_new *what, struct bm_inode **made)
{
    struct ext4_mounted *fs = ext4_mounted_of(directory);
    if (what->data)
        return -BM_EOPNOTSUPP;
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    struct ext4_inode *above = ext4_fields_of(directory), inode = inode_of(above, what);
    error = ext4_refuse(above, true);
    if (!error)
        error = bm_ext4_create(&fs->fs, above, name, length, &inode, what->target);
    if (!error && (error = node_keep(fs, &inode, made)) &&
        !bm_ext4_unlink(&fs->fs, above, name, length, &inode))
        (void)bm_ext4_file_end(&fs->fs, &inode); // the next mount does it otherwise
    return bm_ext4_change_end(fs, error);
}

static int create_nameless(struct bm_inode *directory, const struct bm_inode_new *what, bool linkable,
                           struct bm_inode **made)
{
    struct ext4_mounted *fs = ext4_mounted_of(directory);
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    struct ext4_inode *above = ext4_fields_of(directory), inode = inode_of(above, what);
    error = ext4_refuse(above, true);
    if (!error)
        error = bm_ext4_create_nameless(&fs->fs, above, &inode);
    if (!error && (error = node_keep(fs, &inode, made)))
        (void)bm_ext4_file_end(&fs->fs, &inode); // the next mount does it otherwise
    else if (!error)
        ((struct ext4_node *)*made)->linkable = linkable;
    return bm_ext4_change_end(fs, error);
}

static int link(struct bm_inode *directory, const char *name, size_t length, struct bm_inode *inode)
{
    struct ext4_mounted *fs = ext4_mounted_of(directory);
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    struct ext4_node *node = (struct ext4_node *)inode;
    if (!node->fields.links && !node->linkable)
        error = -BM_ENOENT;
    if (!error)
        error = ext4_refuse(ext4_fields_of(directory), true);
    if (!error)
        error = ext4_refuse(&node->fields, false);
    if (!error)
        error = bm_ext4_link(&fs->fs, ext4_fields_of(directory), name, length, &node->fields);
    node->linkable = node->linkable && error;
    return bm_ext4_change_end(fs, error);
}

// The node that has a name, with a reference; NULL: nobody has it. Under the lock.
static int find(struct ext4_mounted *fs, struct bm_inode *directory, const char *name, size_t length,
                struct ext4_node **found)
{
    uint32_t number;
    *found = NULL;
    int error = bm_ext4_directory_find(&fs->fs, ext4_fields_of(directory), name, length, &number);
    if (error)
        return error == -BM_ENOENT ? 0 : error;
    return bm_ext4_node_get(fs, number, found);
}

static void put(struct ext4_node *node)
{
    if (node)
        bm_inode_put(&node->inode);
}

// Whether a node may be removed from a directory as what it is taken for.
static int refuse_removal(const struct bm_inode *from, const struct ext4_node *node, bool directory)
{
    if (ext4_refuse(&((const struct ext4_node *)from)->fields, false) || ext4_refuse(&node->fields, false))
        return -BM_EPERM;
    if (directory != (node->inode.type == BM_FILE_DIRECTORY))
        return directory ? -BM_ENOTDIR : -BM_EISDIR;
    return atomic_load(&node->inode.covered) ? -BM_EBUSY : 0;
}

static int unlink(struct bm_inode *directory, const char *name, size_t length, bool removes_directory)
{
    struct ext4_mounted *fs = ext4_mounted_of(directory);
    struct ext4_node *node;
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    error = find(fs, directory, name, length, &node);
    if (!error)
        error = node ? refuse_removal(directory, node, removes_directory) : -BM_ENOENT;
    if (!error)
        error = bm_ext4_unlink(&fs->fs, ext4_fields_of(directory), name, length, &node->fields);
    error = bm_ext4_change_end(fs, error);
    put(node);
    return error;
}

// --- Rename ---

// Whether a directory is `above`, or below it.
static int is_below(struct ext4_mounted *fs, const struct bm_inode *directory, uint32_t above, bool *below)
{
    struct ext4_inode at = ((const struct ext4_node *)directory)->fields;
    int error = 0;
    struct ext4_cycle cycle = {0};
    while (!error && at.number != above && at.number != EXT4_ROOT) {
        uint32_t number;
        error = ext4_is_cycle(&cycle, at.number) ? -BM_EIO
                                                 : bm_ext4_directory_find(&fs->fs, &at, "..", 2, &number);
        if (!error)
            error = bm_ext4_inode_get(&fs->fs, number, &at);
    }
    *below = at.number == above;
    return error;
}

static int refuse_rename(struct ext4_mounted *fs, const struct bm_inode *from, const struct ext4_node *source,
                         const struct bm_inode *to, const struct ext4_node *target, unsigned flags)
{
    bool below = false, directory = source->inode.type == BM_FILE_DIRECTORY;
    if (target && flags & BM_RENAME_NOREPLACE)
        return -BM_EEXIST;
    int error = directory ? is_below(fs, to, source->fields.number, &below) : 0;
    if (!error && below)
        error = -BM_EINVAL;
    if (!error)
        error = refuse_removal(from, source, directory);
    if (!error)
        error = target ? refuse_removal(to, target, directory)
                       : ext4_refuse(&((const struct ext4_node *)to)->fields, true);
    return error;
}

static int rename(struct bm_inode *from, const char *name, size_t length, struct bm_inode *to,
                  const char *new_name, size_t new_length, unsigned flags)
{
    struct ext4_mounted *fs = ext4_mounted_of(from);
    struct ext4_node *source = NULL, *target = NULL;
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    error = find(fs, from, name, length, &source);
    if (!error)
        error = find(fs, to, new_name, new_length, &target);
    if (!error && !source)
        error = -BM_ENOENT;
    bool same = !error && source == target; // two names of one file: nothing is done
    if (!error && (!same || flags & BM_RENAME_NOREPLACE))
        error = refuse_rename(fs, from, source, to, target, flags);
    if (!error && !same) {
        struct ext4_rename what = {.from = ext4_fields_of(from),
                                   .to = ext4_fields_of(to),
                                   .inode = &source->fields,
                                   .target = target ? &target->fields : NULL,
                                   .name = name,
                                   .new_name = new_name,
                                   .length = length,
                                   .new_length = new_length};
        error = bm_ext4_rename(&fs->fs, &what);
    }
    error = bm_ext4_change_end(fs, error);
    put(source);
    put(target);
    return error;
}

// --- Fields ---

static int fields_step(struct ext4_fs *fs, void *arg)
{
    return bm_ext4_inode_write(fs, arg);
}

static int change(struct bm_inode *inode, const struct bm_inode_change *to)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    struct ext4_inode *fields = ext4_fields_of(inode), before;
    int error = to->which & BM_CHANGE_SIZE ? bm_ext4_data_resize(inode, to->size) : 0;
    if (error || to->which == BM_CHANGE_SIZE)
        return error;
    error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    before = *fields;
    if (ext4_refuse(fields, to->which & BM_CHANGE_TOUCH))
        return bm_ext4_change_end(fs, -BM_EPERM);
    if (to->which & BM_CHANGE_MODE)
        fields->mode = (fields->mode & BM_FILE_TYPE) | (to->mode & PERMISSIONS);
    if (to->which & BM_CHANGE_OWNER)
        fields->owner = to->owner;
    if (to->which & BM_CHANGE_GROUP)
        fields->group = to->group;
    if (to->which & BM_CHANGE_ACCESSED)
        fields->accessed = to->accessed;
    if (to->which & BM_CHANGE_MODIFIED)
        fields->modified = to->modified;
    fields->changed = now(fs);
    error = bm_ext4_operate(&fs->fs, NULL, 0, fields_step, fields);
    if (error)
        *fields = before;
    return bm_ext4_change_end(fs, error);
}

// --- Beginning and end ---

static void end(struct ext4_mounted *fs)
{
    bm_file_mutex_acquire(&fs->lock);
    int error = bm_ext4_background_end(fs);
    if (error)
        (void)bm_ext4_abort(&fs->fs, error);
    error = bm_ext4_transactions_end(&fs->fs);
    fs->fs.read_only = true;
    fs->mount.read_only = true;
    bm_file_mutex_release(&fs->lock);
    if (error)
        bm_log_error("ext4", "%s cannot be unmounted (error %d): its journal is to be replayed",
                     fs->device->name, -error);
}

// Of the whole file system; `last`: nothing is written any more, and it counts as unmounted.
static int mount_sync(struct bm_mount *mount, bool last)
{
    struct ext4_mounted *fs = (struct ext4_mounted *)mount;
    if (!last)
        return sync(mount->root, false);
    end(fs);
    return 0;
}

static void unnamed(struct ext4_mounted *fs, struct ext4_node *node)
{
    bm_page_cache_cut(&fs->cache, node->inode.number, 0);
    if (bm_ext4_change_begin(fs))
        return;                                                             // it stays an orphan
    (void)bm_ext4_change_end(fs, bm_ext4_file_end(&fs->fs, &node->fields)); // the next mount tries again
}

static int begin(struct ext4_mounted *fs, const char **why)
{
    if (!(fs->fs.super.incompat & EXT4_INCOMPAT_EXTENTS)) {
        *why = "it has no extents: tune2fs -O extent makes it have them";
        return -BM_EROFS;
    }
    int error = bm_ext4_transactions_begin(&fs->fs, why);
    if (error)
        return error;
    fs->fs.read_only = false;
    error = bm_ext4_orphans_end(&fs->fs);
    if (error) {
        (void)bm_ext4_transactions_end(&fs->fs); // the error is told
        fs->fs.read_only = true;
        *why = "what was removed while it was open cannot be freed: e2fsck is to do it";
        return -BM_EROFS;
    }
    error = bm_ext4_background_begin(fs);
    if (error) {
        (void)bm_ext4_transactions_end(&fs->fs); // there is no memory
        return error;
    }
    fs->mount.sync = mount_sync;
    fs->ops.create = create;
    fs->ops.create_nameless = create_nameless;
    fs->ops.link = link;
    fs->ops.unlink = unlink;
    fs->ops.rename = rename;
    fs->ops.change = change;
    fs->ops.sync = sync;
    fs->ops.write = bm_ext4_data_write;
    fs->ops.written = bm_ext4_data_grown;
    fs->ops.allocate = bm_ext4_data_allocate;
    return 0;
}

const struct ext4_writing bm_ext4_writing = {.begin = begin, .end = end, .unnamed = unnamed};
