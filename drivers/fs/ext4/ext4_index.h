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
// The same to the leaf where a hash belongs; *version is the one of hashes, as bm_ext4_hash has it.
int bm_ext4_index_seek(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t hash,
                       uint32_t *version, struct ext4_index_path *path);
// Whether there is a leaf behind the path's, and the hash that it begins with, whose lowest bit says that
// names with it are in the leaf before, too; and goes there.
bool bm_ext4_index_peek(const struct ext4_index_path *path, uint32_t *hash);
int bm_ext4_index_advance(struct ext4_fs *fs, const struct ext4_inode *directory,
                          struct ext4_index_path *path);
void bm_ext4_index_put(struct ext4_fs *fs, struct ext4_index_path *path);
// The block that an entry of a level leads to.
uint32_t bm_ext4_index_block(const struct ext4_index_level *level, uint32_t index);
