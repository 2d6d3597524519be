// Bitmaps, descriptors and the superblock while they are changed, for ext4_allocate.c and its kind.
// SPDX-License-Identifier: MIT
#pragma once

#include "ext4_write.h"

// A group while it is changed. Each of these has its own buffers; bm_ext4_space_put gives them back, with the
// checksums right.
struct ext4_space {
    uint32_t number;
    struct ext4_group group;             // as it is to be
    struct ext4_buffer *descriptor;      //
    struct ext4_buffer *blocks, *inodes; // bitmaps; NULL: not asked for
    uint8_t *at;                         // the descriptor's bytes
};

// Gets a group; nothing of it is changed yet.
int bm_ext4_space_get(struct ext4_fs *fs, uint32_t number, struct ext4_space *space);
// Its bitmap of blocks or inodes for a change, initialised if it was not.
int bm_ext4_space_blocks(struct ext4_fs *fs, struct ext4_space *space);
int bm_ext4_space_inodes(struct ext4_fs *fs, struct ext4_space *space);
// Gives it back; unless `error`, the descriptor becomes what `group` says. Returns the first error.
int bm_ext4_space_put(struct ext4_fs *fs, struct ext4_space *space, int error);
// How many blocks at a group's beginning have the superblock, the descriptors, and those that are reserved
// for more; `super_block`: the block with the superblock.
uint64_t bm_ext4_group_head(const struct ext4_fs *fs, const struct ext4_buffer *super_block, uint32_t number);
// How many blocks a group has: the last one may have fewer.
uint32_t bm_ext4_space_size(const struct ext4_fs *fs, uint32_t number);
// The superblock's bytes for a change; with its checksum right when it is given back.
int bm_ext4_super_change(struct ext4_fs *fs, struct ext4_buffer **buffer, uint8_t **super);
void bm_ext4_super_put(struct ext4_fs *fs, struct ext4_buffer *buffer, uint8_t *super);
