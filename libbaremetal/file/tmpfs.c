// A file system in memory: the operations of its inodes.
// SPDX-License-Identifier: MIT
#include "tmpfs.h"

#include <baremetal/memory.h>

// Locks the file system and readies a directory. Unlocked again when that fails.
static int begin(struct bm_inode *directory)
{
    struct tmpfs_node *node = tmpfs_node_of(directory);
    bm_tmpfs_lock(tmpfs_of(node));
    int error = node->links ? bm_tmpfs_populate(node) : -BM_ENOENT;
    if (error)
        bm_spinlock_release(&tmpfs_of(node)->lock);
    return error;
}

static int end(struct bm_inode *inode, int result)
{
    bm_spinlock_release(&tmpfs_of(tmpfs_node_of(inode))->lock);
    return result;
}

// Behind what may have dropped the last reference to a file.
static int end_dropping(struct bm_inode *inode, int result)
{
    bm_tmpfs_release(tmpfs_of(tmpfs_node_of(inode)));
    return result;
}

static void touch(struct tmpfs_node *directory)
{
    directory->modified = directory->changed = bm_file_now();
}

enum { SET_USER = 04000, SET_GROUP = 02000, GROUP_EXECUTES = 010 }; // of modes

// What is made in a directory with the set-group-ID bit has its group, and a directory that bit, too.
static void inherit(const struct tmpfs_node *directory, struct tmpfs_node *node)
{
    if (!(directory->mode & SET_GROUP))
        return;
    node->group = directory->group;
    if (node->inode.type == BM_FILE_DIRECTORY)
        node->mode |= SET_GROUP;
}

static int look_up(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found)
{
    int error = begin(directory);
    if (error)
        return error;
    struct tmpfs_entry *entry = bm_tmpfs_find(tmpfs_node_of(directory), name, length);
    if (entry)
        *found = bm_inode_hold(&entry->node->inode);
    return end(directory, entry ? 0 : -BM_ENOENT);
}

// Also of a directory that has been removed.
static int parent(struct bm_inode *directory, struct bm_inode **found)
{
    struct tmpfs_node *node = tmpfs_node_of(directory);
    bm_tmpfs_lock(tmpfs_of(node));
    *found = bm_inode_hold(&node->directory.parent->inode);
    return end(directory, 0);
}

static int create_locked(struct tmpfs_node *above, const char *name, size_t length,
                         const struct bm_inode_new *what, struct bm_inode **made)
{
    struct tmpfs *fs = tmpfs_of(above);
    int error = 0;
    if (bm_tmpfs_find(above, name, length))
        return -BM_EEXIST;
    struct tmpfs_entry *entry = bm_tmpfs_entry_make(fs, name, length, &error);
    if (!entry)
        return error;
    struct tmpfs_node *node = bm_tmpfs_node_make(fs, what, &error);
    if (!node) {
        bm_tmpfs_entry_free(fs, entry);
        return error;
    }
    inherit(above, node);
    node->links = 1;
    if (node->inode.type == BM_FILE_DIRECTORY) {
        node->links = 2;
        node->directory.parent = above;
        bm_inode_hold(&above->inode);
        above->links++;
    }
    bm_tmpfs_insert(above, entry, node);
    touch(above);
    *made = &node->inode;
    return 0;
}

static int create(struct bm_inode *directory, const char *name, size_t length,
                  const struct bm_inode_new *what, struct bm_inode **made)
{
    int error = begin(directory);
    return error ? error : end(directory, create_locked(tmpfs_node_of(directory), name, length, what, made));
}

// Without a name; also in a directory that has been removed.
static int create_nameless(struct bm_inode *directory, const struct bm_inode_new *what, bool linkable,
                           struct bm_inode **made)
{
    struct tmpfs *fs = tmpfs_of(tmpfs_node_of(directory));
    int error = 0;
    bm_tmpfs_lock(fs);
    struct tmpfs_node *node = bm_tmpfs_node_make(fs, what, &error);
    if (node) {
        inherit(tmpfs_node_of(directory), node);
        node->linkable = linkable;
        *made = &node->inode;
    }
    return end(directory, error);
}

static int link_locked(struct tmpfs_node *above, const char *name, size_t length, struct tmpfs_node *node)
{
    int error = 0;
    if (bm_tmpfs_find(above, name, length))
        return -BM_EEXIST;
    if (node->links == 0 && !node->linkable)
        return -BM_ENOENT;
    if (node->links == UINT32_MAX)
        return -BM_EMLINK;
    struct tmpfs_entry *entry = bm_tmpfs_entry_make(tmpfs_of(above), name, length, &error);
    if (!entry)
        return error;
    node->links++;
    node->linkable = false;
    bm_tmpfs_insert(above, entry, node);
    touch(above);
    node->changed = above->changed;
    return 0;
}

static int link(struct bm_inode *directory, const char *name, size_t length, struct bm_inode *inode)
{
    int error = begin(directory);
    return error ? error
                 : end(directory, link_locked(tmpfs_node_of(directory), name, length, tmpfs_node_of(inode)));
}

// A name of a node is gone, the last one with it perhaps.
static void forget(struct tmpfs_node *above, struct tmpfs_node *node)
{
    if (node->inode.type == BM_FILE_DIRECTORY) {
        node->links = 0;
        above->links--;
    } else {
        node->links--;
    }
    node->changed = bm_file_now();
    bm_inode_hold(&node->inode);
    bm_tmpfs_node_drop(node);
}

// Whether a directory has a name in it, or something is mounted over it.
static int refuse_removal(struct tmpfs_node *node)
{
    if (atomic_load(&node->inode.covered))
        return -BM_EBUSY;
    int error = bm_tmpfs_populate(node);
    return error ? error : node->directory.count ? -BM_ENOTEMPTY : 0;
}

static int unlink_locked(struct tmpfs_node *above, const char *name, size_t length, bool removes_directory)
{
    struct tmpfs_entry *entry = bm_tmpfs_find(above, name, length);
    if (!entry)
        return -BM_ENOENT;
    struct tmpfs_node *node = entry->node;
    bool directory = node->inode.type == BM_FILE_DIRECTORY;
    if (directory != removes_directory)
        return directory ? -BM_EISDIR : -BM_ENOTDIR;
    int error = directory ? refuse_removal(node) : 0;
    if (error)
        return error;
    bm_tmpfs_remove(above, entry);
    forget(above, node);
    touch(above);
    return 0;
}

static int unlink(struct bm_inode *directory, const char *name, size_t length, bool removes_directory)
{
    int error = begin(directory);
    return error ? error
                 : end_dropping(directory,
                                unlink_locked(tmpfs_node_of(directory), name, length, removes_directory));
}

static bool is_below(const struct tmpfs_node *node, const struct tmpfs_node *above)
{
    while (node != above && node->directory.parent != node)
        node = node->directory.parent;
    return node == above;
}

// Whether `source` may take the place of `target`, which may be NULL, in `to`.
static int refuse_rename(struct tmpfs_node *source, struct tmpfs_node *to, struct tmpfs_entry *target,
                         unsigned flags)
{
    bool directory = source->inode.type == BM_FILE_DIRECTORY;
    if (target && flags & BM_RENAME_NOREPLACE)
        return -BM_EEXIST;
    if (directory && is_below(to, source))
        return -BM_EINVAL;
    if (!target)
        return 0;
    if (directory != (target->node->inode.type == BM_FILE_DIRECTORY))
        return directory ? -BM_ENOTDIR : -BM_EISDIR;
    return directory ? refuse_removal(target->node) : 0;
}

// The source's entry goes, and its node comes to `entry`, which is new or the target's.
static void move(struct tmpfs_node *from, struct tmpfs_entry *old, struct tmpfs_node *to,
                 struct tmpfs_entry *entry)
{
    struct tmpfs_node *node = old->node, *replaced = entry->node;
    bm_tmpfs_remove(from, old);
    if (replaced) {
        entry->node = node;
        forget(to, replaced);
    } else {
        bm_tmpfs_insert(to, entry, node);
    }
    if (node->inode.type == BM_FILE_DIRECTORY && from != to) {
        from->links--;
        to->links++;
        node->directory.parent = to;
        bm_inode_hold(&to->inode);
        bm_tmpfs_node_drop(from); // its caller holds it, too
    }
    touch(from);
    touch(to);
    node->changed = to->changed;
}

static int rename_locked(struct tmpfs_node *from, const char *name, size_t length, struct tmpfs_node *to,
                         const char *new_name, size_t new_length, unsigned flags)
{
    int error = to->links ? bm_tmpfs_populate(to) : -BM_ENOENT;
    if (error)
        return error;
    struct tmpfs_entry *old = bm_tmpfs_find(from, name, length);
    struct tmpfs_entry *target = bm_tmpfs_find(to, new_name, new_length);
    if (!old)
        return -BM_ENOENT;
    if (target && target->node == old->node && !(flags & BM_RENAME_NOREPLACE))
        return 0;
    error = refuse_rename(old->node, to, target, flags);
    if (!error && atomic_load(&old->node->inode.covered))
        error = -BM_EBUSY;
    if (error)
        return error;
    if (!target && !(target = bm_tmpfs_entry_make(tmpfs_of(to), new_name, new_length, &error)))
        return error;
    move(from, old, to, target);
    return 0;
}

static int rename(struct bm_inode *from, const char *name, size_t length, struct bm_inode *to,
                  const char *new_name, size_t new_length, unsigned flags)
{
    int error = begin(from);
    return error ? error
                 : end_dropping(from, rename_locked(tmpfs_node_of(from), name, length, tmpfs_node_of(to),
                                                    new_name, new_length, flags));
}

static int next_entry(struct bm_inode *directory, uint64_t after, struct bm_inode_entry *to)
{
    int error = begin(directory);
    if (error)
        return error;
    struct tmpfs_entry *entry = bm_tmpfs_behind(tmpfs_node_of(directory), after);
    if (entry) {
        to->number = entry->node->inode.number;
        to->cookie = entry->cookie;
        to->type = entry->node->inode.type;
        to->length = entry->length;
        __builtin_memcpy(to->name, entry->name, entry->length);
        to->name[entry->length] = 0;
    }
    return end(directory, entry != NULL);
}

static int status(struct bm_inode *inode, struct bm_file_status *said)
{
    struct tmpfs_node *node = tmpfs_node_of(inode);
    bm_tmpfs_lock(tmpfs_of(node));
    int error = inode->type == BM_FILE_DIRECTORY ? bm_tmpfs_populate(node) : 0;
    said->mode = inode->type | node->mode;
    said->links = node->links;
    said->owner = node->owner;
    said->group = node->group;
    said->accessed = node->accessed;
    said->modified = node->modified;
    said->changed = node->changed;
    if (inode->type == BM_FILE_REGULAR)
        said->blocks = node->data.pages * (BM_PAGE_SIZE / 512);
    else if (inode->type == BM_FILE_DIRECTORY)
        said->size = node->directory.count * 20; // as Linux's
    return end(inode, error);
}

static int change(struct bm_inode *inode, const struct bm_inode_change *to)
{
    struct tmpfs_node *node = tmpfs_node_of(inode);
    bm_tmpfs_lock(tmpfs_of(node));
    uint64_t old = atomic_load(&inode->size);
    node->changed = bm_file_now();
    if (to->which & BM_CHANGE_SIZE) {
        bm_tmpfs_truncate(node, to->size);
        node->modified = node->changed;
    }
    if (to->which & BM_CHANGE_MODE)
        node->mode = to->mode & TMPFS_PERMISSIONS;
    else if (to->which & (BM_CHANGE_OWNER | BM_CHANGE_GROUP) && inode->type != BM_FILE_DIRECTORY)
        node->mode &= ~(uint32_t)(SET_USER | (node->mode & GROUP_EXECUTES ? SET_GROUP : 0));
    if (to->which & BM_CHANGE_OWNER)
        node->owner = to->owner;
    if (to->which & BM_CHANGE_GROUP)
        node->group = to->group;
    if (to->which & BM_CHANGE_ACCESSED)
        node->accessed = to->accessed;
    if (to->which & BM_CHANGE_MODIFIED)
        node->modified = to->modified;
    if (to->which & BM_CHANGE_SIZE && to->size < old && bm_inode_unmap) { // of mappings, first
        bm_spinlock_release(&tmpfs_of(node)->lock);
        bm_inode_unmap(inode, to->size);
        bm_tmpfs_lock(tmpfs_of(node));
    }
    // Nobody writes or truncates meanwhile (`busy`), and behind the size nobody reads.
    bool more = to->which & BM_CHANGE_SIZE && to->size <= old;
    while (more && (more = bm_tmpfs_cut(node, to->size))) {
        bm_spinlock_release(&tmpfs_of(node)->lock);
        bm_tmpfs_lock(tmpfs_of(node));
    }
    return end(inode, 0);
}

static int written(struct bm_inode *inode, uint64_t last)
{
    struct tmpfs_node *node = tmpfs_node_of(inode);
    bm_tmpfs_lock(tmpfs_of(node));
    if (atomic_load(&inode->size) < last)
        atomic_store(&inode->size, last);
    touch(node);
    return end(inode, 0);
}

static void unused(struct bm_inode *inode)
{
    struct tmpfs *fs = tmpfs_of(tmpfs_node_of(inode));
    bm_tmpfs_lock(fs);
    bm_tmpfs_node_drop(tmpfs_node_of(inode));
    bm_tmpfs_release(fs);
}

static long target(struct bm_inode *inode, char *buffer, size_t size)
{
    const struct tmpfs_link *said = &tmpfs_node_of(inode)->link; // never changes
    __builtin_memcpy(buffer, said->target, size < said->length ? size : said->length);
    return (long)said->length;
}

const struct bm_inode_ops bm_tmpfs_ops = {.shares = true,
                                          .lookup = look_up,
                                          .parent = parent,
                                          .create = create,
                                          .create_nameless = create_nameless,
                                          .link = link,
                                          .unlink = unlink,
                                          .rename = rename,
                                          .entry = next_entry,
                                          .status = status,
                                          .change = change,
                                          .unused = unused,
                                          .target = target,
                                          .page = bm_tmpfs_page_get,
                                          .page_put = bm_tmpfs_page_put,
                                          .written = written,
                                          .allocate = bm_tmpfs_pages_allocate,
                                          .extent = bm_tmpfs_extent};
