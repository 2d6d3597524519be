// ext4 on the machine: a mounted file system and its inodes in memory, for ext4.c and who writes.
// SPDX-License-Identifier: MIT
#pragma once

#include "ext4_core.h"

#include <baremetal/block.h>
#include <baremetal/inode.h>
#include <baremetal/mount.h>
#include <baremetal/page_cache.h>

enum { EXT4_NODE_BUCKETS = 256 };

struct ext4_node {
    struct bm_inode inode;
    struct ext4_node *chain;
    struct ext4_inode fields; // under the lock
    bool linkable;            // it has no name and may get one
};

struct ext4_mounted {
    struct bm_mount mount;
    struct bm_page_cache cache;
    struct bm_blockdev *device;
    struct ext4_disk disk;
    struct bm_file_mutex lock; // over the core and the table
    struct ext4_fs fs;
    struct bm_inode_ops ops; // of all inodes
    bool asked_read_only;    // it is not to be written
    unsigned reports;
    struct ext4_background *background; // of who writes
    struct ext4_node *nodes[EXT4_NODE_BUCKETS];
};

static inline struct ext4_mounted *ext4_mounted_of(const struct bm_inode *inode)
{
    return (struct ext4_mounted *)inode->mount;
}

static inline struct ext4_inode *ext4_fields_of(struct bm_inode *inode)
{
    return &((struct ext4_node *)inode)->fields;
}

// The node with a number, with a reference. Under the lock.
int bm_ext4_node_get(struct ext4_mounted *fs, uint32_t number, struct ext4_node **found);
// A node of an inode that has none, with a reference. Under the lock. NULL: there is no memory.
struct ext4_node *bm_ext4_node_make(struct ext4_mounted *fs, const struct ext4_inode *fields);

// What writes, when it is linked (baremetal::ext4_write).
struct ext4_writing {
    // Makes a mounted file system ready to be written, and adds its operations to the inodes'. -BM_EROFS with
    // *why a sentence: it can only be read.
    int (*begin)(struct ext4_mounted *fs, const char **why);
    // Before a mount goes that nobody uses.
    void (*end)(struct ext4_mounted *fs);
    // The last reference to an inode without a name is gone, and it is in no table. Not under the lock.
    void (*unnamed)(struct ext4_mounted *fs, struct ext4_node *node);
};

extern const struct ext4_writing bm_ext4_writing __attribute__((weak));
