// The walk along a path, component by component.
// SPDX-License-Identifier: MIT
//
// It stops at the directory of the last component, since every call does something else with that one. A link
// in the middle puts its text above what is left of the path; a link at the end takes its place.
#include "credentials.h"
#include "service.h"

enum { LINKS_MAX = 40 };

static bool is_directory(const struct bm_inode *inode)
{
    return inode->type == BM_FILE_DIRECTORY;
}

// Puts what is in place of an inode: the root of what is mounted there.
static struct bm_inode *down(struct bm_inode *inode)
{
    struct bm_mount *mount;
    while ((mount = atomic_load(&inode->covered))) {
        struct bm_inode *root = bm_inode_hold(mount->root);
        bm_inode_put(inode);
        inode = root;
    }
    return inode;
}

int bm_walk_up(struct bm_inode *directory, struct bm_inode **found)
{
    while (directory == directory->mount->root && directory->mount->place)
        directory = directory->mount->place;
    if (directory == directory->mount->root) {
        *found = down(bm_inode_hold(directory));
        return 0;
    }
    int error = directory->ops->parent(directory, found);
    if (!error)
        *found = down(*found);
    return error;
}

// A directory that has been removed has no names, long ones neither.
static int refuse_long(struct bm_inode *directory)
{
    struct bm_file_status status;
    int error = bm_inode_status(directory, &status);
    return error ? error : status.links == 0 ? -BM_ENOENT : -BM_ENAMETOOLONG;
}

static int look_up(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found)
{
    if (length > BM_NAME_MAX)
        return refuse_long(directory);
    int error = directory->ops->lookup(directory, name, length, found);
    if (!error)
        *found = down(*found);
    return error;
}

static void set_directory(struct bm_walk *walk, struct bm_inode *directory)
{
    bm_inode_put(walk->directory);
    walk->directory = directory;
}

int bm_walk_last(struct bm_walk *walk, struct bm_inode **found)
{
    if (walk->last == BM_WALK_NAME)
        return look_up(walk->directory, walk->name, walk->length, found);
    if (walk->last == BM_WALK_DOTDOT)
        return bm_walk_up(walk->directory, found);
    *found = bm_inode_hold(walk->through ? walk->through : walk->directory);
    return 0;
}

// Makes the text of a link the innermost one, in place of the present one if nothing is left of that.
static int push(struct bm_walk *walk, struct bm_inode *link)
{
    if (++walk->links > LINKS_MAX)
        return -BM_ELOOP;
    char *text = bm_file_allocate(BM_PATH_MAX);
    if (!text)
        return -BM_ENOMEM;
    long length = link->ops->target(link, text, BM_PATH_MAX - 1);
    if (length <= 0 || length >= BM_PATH_MAX) {
        bm_file_free(text, BM_PATH_MAX);
        return length < 0 ? (int)length : length == 0 ? -BM_ENOENT : -BM_ENAMETOOLONG;
    }
    text[length] = 0;
    if (*walk->at)
        walk->rests[walk->depth++] = walk->at;
    else
        bm_file_free(walk->texts[walk->depth], BM_PATH_MAX);
    walk->texts[walk->depth] = text;
    walk->at = text;
    if (*text == '/') {
        struct bm_inode *root = bm_mount_root();
        if (!root)
            return -BM_ENOMEM;
        set_directory(walk, root);
    }
    return 0;
}

// Takes the next component off; false when there is none any more. Texts that have ended are left.
static bool take(struct bm_walk *walk)
{
    for (;;) {
        while (*walk->at == '/')
            walk->at++;
        if (*walk->at || !walk->depth)
            break;
        bm_file_free(walk->texts[walk->depth], BM_PATH_MAX);
        walk->texts[walk->depth] = NULL;
        walk->at = walk->rests[--walk->depth];
    }
    walk->name = walk->at;
    while (*walk->at && *walk->at != '/')
        walk->at++;
    walk->length = (size_t)(walk->at - walk->name);
    walk->last = BM_WALK_NAME;
    if (walk->length == 1 && walk->name[0] == '.')
        walk->last = BM_WALK_DOT;
    if (walk->length == 2 && walk->name[0] == '.' && walk->name[1] == '.')
        walk->last = BM_WALK_DOTDOT;
    return walk->length;
}

// Whether what is left has no component any more.
static bool at_end(struct bm_walk *walk)
{
    const char *at = walk->at;
    while (*at == '/')
        at++;
    if (*at || walk->depth)
        return false;
    walk->slashes |= at != walk->at;
    walk->at = at;
    return true;
}

// What a link leads to by itself, with a reference, and 0; 1: its text says where; or an error.
static int through(struct bm_inode *link, struct bm_inode **found)
{
    return link->ops->through ? link->ops->through(link, found) : 1;
}

// Through all components but the last.
static int go(struct bm_walk *walk)
{
    if (!take(walk)) {
        walk->last = BM_WALK_ROOT;
        return 0;
    }
    while (!at_end(walk)) {
        struct bm_inode *next;
        int error = bm_permit(walk->directory, 1, walk->real);
        if (!error)
            error = bm_walk_last(walk, &next);
        if (error)
            return error;
        if (next->type == BM_FILE_LINK) {
            struct bm_inode *link = next;
            next = NULL;
            error = through(link, &next);
            if (error > 0)
                error = push(walk, link);
            bm_inode_put(link);
        }
        if (next && is_directory(next)) {
            set_directory(walk, next);
        } else if (next) {
            bm_inode_put(next);
            error = -BM_ENOTDIR;
        }
        if (error)
            return error;
        take(walk);
    }
    return bm_permit(walk->directory, 1, walk->real);
}

int bm_walk_begin(struct bm_walk *walk, int at, const char *path)
{
    return bm_walk_begin_as(walk, at, path, false);
}

int bm_walk_begin_as(struct bm_walk *walk, int at, const char *path, bool real)
{
    walk->real = real;
    walk->at = path;
    walk->slashes = false;
    walk->through = NULL;
    walk->links = walk->depth = 0;
    walk->texts[0] = NULL; // what is above `depth` is not looked at
    if (!path || (bm_path_reach && bm_path_reach(path)))
        return -BM_EFAULT;
    size_t length = bm_path_length(path);
    if (length == 0)
        return -BM_ENOENT;
    if (length >= BM_PATH_MAX)
        return -BM_ENAMETOOLONG;
    int error = bm_path_base(at, *path == '/', &walk->directory);
    if (error)
        return error;
    error = is_directory(walk->directory) ? go(walk) : -BM_ENOTDIR;
    if (error)
        bm_walk_end(walk);
    return error;
}

int bm_walk_follow(struct bm_walk *walk, struct bm_inode *link)
{
    int error = through(link, &walk->through);
    bool there = error == 0;
    if (error > 0)
        error = push(walk, link);
    bm_inode_put(link);
    if (there)
        walk->last = BM_WALK_ROOT; // no name in a directory
    return error || there ? error : go(walk);
}

void bm_walk_end(struct bm_walk *walk)
{
    for (unsigned i = 0; i <= walk->depth; i++)
        bm_file_free(walk->texts[i], BM_PATH_MAX);
    if (walk->through)
        bm_inode_put(walk->through);
    bm_inode_put(walk->directory);
}
