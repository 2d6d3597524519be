// A way down an extent tree, for who changes it.
// SPDX-License-Identifier: MIT
#pragma once

#include "ext4_write.h"

struct ext4_path_level {
    struct ext4_buffer *buffer; // NULL: the root
    uint8_t *node;
    unsigned index; // of the entry that the path goes through
};

struct ext4_path {
    struct ext4_path_level levels[EXT4_X_DEPTH_MAX + 1];
    unsigned depth; // of the leaf
};

// The path to block `at`: in each node the last entry that does not begin behind it, or the first one.
int bm_ext4_path_get(struct ext4_fs *fs, struct ext4_inode *inode, uint32_t at, struct ext4_path *path);
void bm_ext4_path_put(struct ext4_fs *fs, struct ext4_path *path);
uint32_t bm_ext4_path_count(const struct ext4_path *path, unsigned level);
uint8_t *bm_ext4_path_entry(const struct ext4_path *path, unsigned level, unsigned index);
// Before and after a node is changed.
int bm_ext4_path_change(struct ext4_fs *fs, struct ext4_path *path, unsigned level);
void bm_ext4_path_changed(struct ext4_fs *fs, const struct ext4_inode *inode, struct ext4_path *path,
                          unsigned level);
// A leaf's entry.
struct ext4_extent bm_ext4_entry_read(const uint8_t *entry);
void bm_ext4_entry_write(uint8_t *entry, const struct ext4_extent *extent);
// Makes place for an entry in a node that has room, and takes one out.
void bm_ext4_path_insert(struct ext4_path *path, unsigned level, unsigned index);
void bm_ext4_path_remove(struct ext4_path *path, unsigned level, unsigned index);
// Makes *path one to `at` whose leaf has room for an entry.
int bm_ext4_path_room(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path, uint32_t at);
// The leaf's first block has become another one: so have the keys above.
int bm_ext4_path_keys(struct ext4_fs *fs, struct ext4_inode *inode, struct ext4_path *path);
