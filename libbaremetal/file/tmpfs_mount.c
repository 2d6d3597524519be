// A file system in memory: its memory, its nodes, and its place in the mount table.
// SPDX-License-Identifier: MIT
#include "tmpfs.h"

#include "../base/early.h"

#include <baremetal/memory.h>

enum { MAGIC = 0x01021994 };

uint64_t bm_random_u64(void) __attribute__((weak)); // in images that link the pool

// In [2, 2^61 - 2], as bm_tmpfs_hash wants it.
static void key_make(struct tmpfs *fs)
{
    uint64_t random = bm_random_u64 ? bm_random_u64() : bm_boot_early_state.seed;
    fs->key = 2 + random % ((1ull << 61) - 3);
}

static uint64_t available(const struct tmpfs *fs)
{
    return fs->used < fs->limit ? fs->limit - fs->used : 0;
}

void *bm_tmpfs_allocate(struct tmpfs *fs, size_t size, int *error)
{
    bool fits = fs->takes_in || size <= available(fs);
    void *block = fits ? bm_file_allocate(size) : NULL;
    *error = block ? 0 : fits && size != BM_PAGE_SIZE ? -BM_ENOMEM : -BM_ENOSPC;
    if (block)
        fs->used += size;
    return block;
}

void bm_tmpfs_free(struct tmpfs *fs, void *block, size_t size)
{
    bm_file_free(block, size);
    fs->used -= size;
}

static int set_target(struct tmpfs_node *node, const char *target)
{
    int error = 0;
    node->link.length = bm_text_length(target);
    node->link.target = bm_tmpfs_allocate(tmpfs_of(node), node->link.length, &error);
    if (!node->link.target)
        return error;
    __builtin_memcpy(node->link.target, target, node->link.length);
    atomic_store(&node->inode.size, node->link.length);
    return 0;
}

struct tmpfs_node *bm_tmpfs_node_make(struct tmpfs *fs, const struct bm_inode_new *what, int *error)
{
    struct tmpfs_node *node = bm_tmpfs_allocate(fs, sizeof *node, error);
    if (!node)
        return NULL;
    node->inode.ops = &bm_tmpfs_ops;
    node->inode.mount = &fs->mount;
    node->inode.type = what->mode & BM_FILE_TYPE;
    node->inode.special = what->special;
    atomic_store(&node->inode.references, 1);
    if (node->inode.type == BM_FILE_LINK && (*error = set_target(node, what->target))) {
        bm_tmpfs_free(fs, node, sizeof *node);
        return NULL;
    }
    if (node->inode.type == BM_FILE_REGULAR && what->data) {
        node->data.lower = what->data;
        node->data.lower_size = what->size;
        atomic_store(&node->inode.size, what->size);
    }
    node->inode.number = ++fs->last_number;
    node->mode = what->mode & TMPFS_PERMISSIONS;
    node->owner = what->owner;
    node->group = what->group;
    node->accessed = node->modified = node->changed = bm_file_now();
    fs->inodes++;
    return node;
}

// Frees a node, and those above it that nobody else holds any more.
void bm_tmpfs_node_drop(struct tmpfs_node *node)
{
    while (node && atomic_fetch_sub(&node->inode.references, 1) == 1 && node->links == 0) {
        struct tmpfs *fs = tmpfs_of(node);
        struct tmpfs_node *above = NULL;
        if (node->inode.type == BM_FILE_DIRECTORY) {
            above = node->directory.parent;
            bm_tmpfs_directory_end(node);
        } else if (node->inode.type == BM_FILE_REGULAR) {
            if (bm_tmpfs_cut(node, 0)) {
                node->data.next_dying = fs->dying;
                fs->dying = node;
                return;
            }
        } else if (node->inode.type == BM_FILE_LINK) {
            bm_tmpfs_free(fs, node->link.target, node->link.length);
        }
        bm_tmpfs_free(fs, node, sizeof *node);
        fs->inodes--;
        node = above;
    }
}

// Others may take part between the slices.
void bm_tmpfs_release(struct tmpfs *fs)
{
    while (fs->dying) {
        struct tmpfs_node *node = fs->dying;
        if (!bm_tmpfs_cut(node, 0)) {
            fs->dying = node->data.next_dying;
            bm_tmpfs_free(fs, node, sizeof *node);
            fs->inodes--;
        }
        bm_spinlock_release(&fs->lock);
        bm_tmpfs_lock(fs);
    }
    bm_spinlock_release(&fs->lock);
}

static int space(struct bm_mount *mount, struct bm_mount_space *said)
{
    struct tmpfs *fs = (struct tmpfs *)mount;
    bm_tmpfs_lock(fs);
    said->block_size = BM_PAGE_SIZE;
    said->blocks = fs->limit / BM_PAGE_SIZE;
    said->free = available(fs) / (BM_PAGE_SIZE + sizeof(struct tmpfs_page)); // what is known of a page counts
    said->inodes = fs->limit / sizeof(struct tmpfs_node);
    said->inodes_free = available(fs) / sizeof(struct tmpfs_node);
    said->name_max = BM_NAME_MAX;
    said->magic = MAGIC;
    bm_spinlock_release(&fs->lock);
    return 0;
}

static struct tmpfs *make(uint64_t limit)
{
    int error;
    struct tmpfs *fs = bm_file_allocate(sizeof *fs);
    if (!fs)
        return NULL;
    key_make(fs);
    fs->mount.kind = "tmpfs";
    fs->mount.space = space;
    fs->limit = limit ? limit : bm_memory_statistics_get().total / 2;
    struct tmpfs_node *root =
        bm_tmpfs_node_make(fs, &(struct bm_inode_new){.mode = BM_FILE_DIRECTORY | 0755}, &error);
    if (!root) {
        bm_file_free(fs, sizeof *fs);
        return NULL;
    }
    root->links = 2;
    root->directory.parent = root;
    fs->mount.root = &root->inode;
    return fs;
}

struct bm_mount *bm_tmpfs_make(uint64_t limit)
{
    struct tmpfs *fs = make(limit);
    return fs ? &fs->mount : NULL;
}

struct bm_mount *bm_tmpfs_root_make(void)
{
    struct tmpfs *fs = make(0);
    if (!fs)
        return NULL;
    struct bm_inode *made;
    struct tmpfs_directory *root = &tmpfs_node_of(fs->mount.root)->directory;
    root->lower_end = bm_embedded_file_count;
    root->prefix = 1;
    struct bm_inode_new what = {.mode = BM_FILE_DIRECTORY | 01777};
    if (bm_tmpfs_ops.create(fs->mount.root, "tmp", 3, &what, &made) == 0)
        bm_inode_put(made);
    return &fs->mount;
}
