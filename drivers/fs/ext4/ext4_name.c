// Names come, go and move: create, link, unlink, rmdir and rename, each as one operation.
// SPDX-License-Identifier: MIT
#include "ext4_write.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum { LINKS_MAX = 65000 };

// What an operation is about.
struct name {
    struct ext4_inode *directory, *inode;
    const char *name, *target;
    size_t length;
};

static bool is_directory(const struct ext4_inode *inode)
{
    return (inode->mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY;
}

static int64_t now(const struct ext4_fs *fs)
{
    return fs->disk->now(fs->disk->arg);
}

static int directory_changed(struct ext4_fs *fs, struct ext4_inode *directory)
{
    directory->modified = directory->changed = now(fs);
    return bm_ext4_inode_write(fs, directory);
}

// A directory below it comes: from LINKS_MAX on they are not counted, and 1 says so.
static int link_up(const struct ext4_fs *fs, struct ext4_inode *directory)
{
    if (directory->links == 1)
        return 0;
    if (directory->links < LINKS_MAX - 1) {
        directory->links++;
        return 0;
    }
    if (!(fs->super.ro_compat & EXT4_RO_DIR_NLINK))
        return -BM_EMLINK;
    directory->links = 1;
    return 0;
}

static void link_down(struct ext4_inode *directory)
{
    if (directory->links > 2)
        directory->links--;
}

static int is_free(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name, size_t length)
{
    struct ext4_place place;
    int error = bm_ext4_directory_locate(fs, directory, name, length, &place);
    if (!error)
        return -BM_EEXIST;
    return error == -BM_ENOENT ? 0 : error;
}

// --- Create ---

// A link's words that are longer than an inode has room for.
static int target_write(struct ext4_fs *fs, struct ext4_inode *link, const char *target)
{
    struct ext4_extent extent = {.count = 1};
    struct ext4_buffer *buffer;
    uint32_t one = 1;
    uint64_t goal = (uint64_t)((link->number - 1) / fs->super.group_inodes) * fs->super.group_blocks;
    int error = bm_ext4_blocks_allocate(fs, goal, false, &extent.block, &one);
    if (!error)
        error = bm_ext4_extent_insert(fs, link, &extent);
    if (!error)
        error = bm_ext4_buffer_new(fs, extent.block, EXT4_ROLE_TEXT, &buffer);
    if (error)
        return error;
    __builtin_memcpy(buffer->data, target, link->size);
    bm_ext4_buffer_put(fs, buffer);
    link->blocks = fs->super.block_size >> 9;
    return bm_ext4_inode_write(fs, link);
}

// The inode, without a name.
static int make(struct ext4_fs *fs, const struct name *what)
{
    struct ext4_inode *made = what->inode;
    if (what->target) {
        made->size = __builtin_strlen(what->target);
        if (made->size >= fs->super.block_size)
            return -BM_ENAMETOOLONG;
        if (bm_ext4_is_short_link(made))
            __builtin_memcpy(made->block, what->target, made->size);
    }
    int error = bm_ext4_inode_make(fs, what->directory->number, made);
    if (!error && what->target && !bm_ext4_is_short_link(made))
        error = target_write(fs, made, what->target);
    if (!error && is_directory(made)) {
        error = bm_ext4_directory_begin(fs, made, what->directory->number);
        if (!error)
            error = bm_ext4_inode_write(fs, made);
    }
    return error;
}

static int create_step(struct ext4_fs *fs, void *arg)
{
    const struct name *what = arg;
    int error = is_free(fs, what->directory, what->name, what->length);
    if (!error && is_directory(what->inode))
        error = link_up(fs, what->directory);
    if (!error)
        error = make(fs, what);
    if (!error)
        error = bm_ext4_entry_add(fs, what->directory, what->name, what->length, what->inode->number,
                                  what->inode->mode);
    return error ? error : directory_changed(fs, what->directory);
}

int bm_ext4_create(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                   struct ext4_inode *made, const char *target)
{
    struct ext4_inode *inodes[] = {directory, made};
    struct name what = {
        .directory = directory, .inode = made, .name = name, .length = length, .target = target};
    if (length > EXT4_NAME_MAX)
        return -BM_ENAMETOOLONG;
    if (!directory->links)
        return -BM_ENOENT;
    made->links = is_directory(made) ? 2 : 1;
    return bm_ext4_operate(fs, inodes, 2, create_step, &what);
}

static int nameless_step(struct ext4_fs *fs, void *arg)
{
    const struct name *what = arg;
    int error = make(fs, what);
    return error ? error : bm_ext4_orphan_add(fs, what->inode);
}

int bm_ext4_create_nameless(struct ext4_fs *fs, const struct ext4_inode *directory, struct ext4_inode *made)
{
    struct ext4_inode near = *directory;
    struct name what = {.directory = &near, .inode = made};
    made->links = 0;
    return bm_ext4_operate(fs, &made, 1, nameless_step, &what);
}

// --- Link and unlink ---

static int link_step(struct ext4_fs *fs, void *arg)
{
    const struct name *what = arg;
    struct ext4_inode *inode = what->inode;
    int error = is_free(fs, what->directory, what->name, what->length);
    if (!error && !inode->links)
        error = bm_ext4_orphan_remove(fs, inode);
    if (!error)
        error = bm_ext4_entry_add(fs, what->directory, what->name, what->length, inode->number, inode->mode);
    if (error)
        return error;
    inode->links++;
    inode->changed = now(fs);
    error = bm_ext4_inode_write(fs, inode);
    return error ? error : directory_changed(fs, what->directory);
}

int bm_ext4_link(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                 struct ext4_inode *inode)
{
    struct ext4_inode *inodes[] = {directory, inode};
    struct name what = {.directory = directory, .inode = inode, .name = name, .length = length};
    if (length > EXT4_NAME_MAX)
        return -BM_ENAMETOOLONG;
    if (!directory->links)
        return -BM_ENOENT;
    if (inode->links >= LINKS_MAX)
        return -BM_EMLINK;
    return bm_ext4_operate(fs, inodes, 2, link_step, &what);
}

// The inode loses a name, which was in `directory`.
static int name_lost(struct ext4_fs *fs, struct ext4_inode *directory, struct ext4_inode *inode)
{
    struct ext4_entry entry;
    if (!inode->links)
        return bm_ext4_damaged(fs, "inode %lu has more names than links", inode->number);
    if (is_directory(inode)) {
        int found = bm_ext4_directory_scan(fs, inode, 0, &entry);
        if (found)
            return found < 0 ? found : -BM_ENOTEMPTY;
        link_down(directory);
        inode->links = 0;
    } else {
        inode->links--;
    }
    inode->changed = now(fs);
    int error = bm_ext4_inode_write(fs, inode);
    return !error && !inode->links ? bm_ext4_orphan_add(fs, inode) : error;
}

static int unlink_step(struct ext4_fs *fs, void *arg)
{
    const struct name *what = arg;
    struct ext4_place place;
    int error = bm_ext4_directory_locate(fs, what->directory, what->name, what->length, &place);
    if (!error && place.inode != what->inode->number)
        error = -BM_ENOENT;
    if (!error)
        error = bm_ext4_entry_remove(fs, what->directory, &place);
    if (!error)
        error = name_lost(fs, what->directory, what->inode);
    return error ? error : directory_changed(fs, what->directory);
}

int bm_ext4_unlink(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                   struct ext4_inode *inode)
{
    struct ext4_inode *inodes[] = {directory, inode};
    struct name what = {.directory = directory, .inode = inode, .name = name, .length = length};
    uint32_t type = inode->mode & BM_FILE_TYPE;
    if (!(inode->flags & EXT4_INODE_EXTENTS) && (type == BM_FILE_REGULAR || type == BM_FILE_DIRECTORY))
        return -BM_EOPNOTSUPP; // a block map, which is not freed here
    return bm_ext4_operate(fs, inodes, 2, unlink_step, &what);
}

// --- Rename ---

// A directory that goes from one directory into another one.
static int moved(struct ext4_fs *fs, const struct ext4_inode *inode, struct ext4_inode *from,
                 struct ext4_inode *to)
{
    if (!is_directory(inode) || from == to)
        return 0;
    link_down(from);
    int error = link_up(fs, to);
    return error ? error : bm_ext4_directory_set_parent(fs, inode, to->number);
}

static int exchange(struct ext4_fs *fs, const struct ext4_rename *what, const struct ext4_place *place,
                    const struct ext4_place *new_place)
{
    int error = bm_ext4_entry_set(fs, what->to, new_place, what->inode->number, what->inode->mode);
    if (!error)
        error = bm_ext4_entry_set(fs, what->from, place, what->target->number, what->target->mode);
    if (!error)
        error = moved(fs, what->inode, what->from, what->to);
    if (!error)
        error = moved(fs, what->target, what->to, what->from);
    what->target->changed = now(fs);
    return error ? error : bm_ext4_inode_write(fs, what->target);
}

// The old name goes when the new one is there; for that it is looked for again, since blocks may have been
// split.
static int move(struct ext4_fs *fs, const struct ext4_rename *what, const struct ext4_place *new_place)
{
    struct ext4_place place;
    int error = what->target
                    ? bm_ext4_entry_set(fs, what->to, new_place, what->inode->number, what->inode->mode)
                    : bm_ext4_entry_add(fs, what->to, what->new_name, what->new_length, what->inode->number,
                                        what->inode->mode);
    if (!error)
        error = bm_ext4_directory_locate(fs, what->from, what->name, what->length, &place);
    if (!error)
        error = bm_ext4_entry_remove(fs, what->from, &place);
    if (!error && what->target)
        error = name_lost(fs, what->to, what->target);
    return error ? error : moved(fs, what->inode, what->from, what->to);
}

static int rename_step(struct ext4_fs *fs, void *arg)
{
    const struct ext4_rename *what = arg;
    struct ext4_place place, new_place = {0};
    int error = bm_ext4_directory_locate(fs, what->from, what->name, what->length, &place);
    if (!error && place.inode != what->inode->number)
        error = -BM_ENOENT;
    if (!error && what->target)
        error = bm_ext4_directory_locate(fs, what->to, what->new_name, what->new_length, &new_place);
    else if (!error)
        error = is_free(fs, what->to, what->new_name, what->new_length);
    if (!error)
        error = what->exchanges ? exchange(fs, what, &place, &new_place) : move(fs, what, &new_place);
    if (!error) {
        what->inode->changed = now(fs);
        error = bm_ext4_inode_write(fs, what->inode);
    }
    if (!error)
        error = directory_changed(fs, what->to);
    return !error && what->from != what->to ? directory_changed(fs, what->from) : error;
}

int bm_ext4_rename(struct ext4_fs *fs, const struct ext4_rename *what)
{
    struct ext4_rename copy = *what;
    struct ext4_inode *inodes[] = {what->from, what->to, what->inode, what->target};
    if (what->new_length > EXT4_NAME_MAX)
        return -BM_ENAMETOOLONG;
    if (!what->to->links)
        return -BM_ENOENT;
    return bm_ext4_operate(fs, inodes, what->target ? 4 : 3, rename_step, &copy);
}
