// A way down the index of a directory, for who looks for names and who adds them.
// SPDX-License-Identifier: MIT
#pragma once

#include "ext4_core.h"

// Where the search is on one level.
struct ext4_index_level {
    struct ext4_buffer *buffer;
    uint32_t block;   // of the directory
    uint32_t entries; // where they begin
    uint32_t index, count;
};

struct ext4_index_path {
    struct ext4_index_level levels[EXT4_DX_LEVELS_MAX + 1];
    unsigned depth; // of the last level
    uint32_t hash;  // of the name
};

// The path to the leaf where a name is or belongs; to be given back, behind an error, too. -BM_EOPNOTSUPP: no
// such index is known.
int bm_ext4_index_get(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name, size_t length,
                      struct ext4_index_path *path);
void bm_ext4_index_put(struct ext4_fs *fs, struct ext4_index_path *path);
// The block that an entry of a level leads to.
uint32_t bm_ext4_index_block(const struct ext4_index_level *level, uint32_t index);
