// EROFS as it lies on a disk: bytes that nobody has checked become fields that have been.
// SPDX-License-Identifier: MIT
//
// After fs/erofs/erofs_fs.h of Linux and Documentation/filesystems/erofs.rst.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EROFS_BLOCK = 4096,        // bytes: the only size that is taken
    EROFS_SUPER_OFFSET = 1024, // of the superblock, in the first block
    EROFS_INODE_MAX = 64,      // bytes of an inode, without what is behind it
    EROFS_SLOT_BITS = 5,       // an inode's number counts slots of 32 bytes
    EROFS_ENTRY = 12,          // bytes of a directory's entry
    EROFS_MAGIC = (int)0xe0f5e1e2
};

// Where the bytes of a file are.
enum erofs_layout {
    EROFS_PLAIN = 0,  // in blocks side by side
    EROFS_INLINE = 2, // the same, but the last part of a block behind the inode
    EROFS_CHUNKS = 4  // in chunks that a table names
};

struct erofs_super {
    uint64_t root; // number of the root's inode
    uint64_t inodes, time;
    uint32_t time_nanoseconds;
    uint64_t blocks;     // of the file system
    uint64_t meta_block; // the first one with inodes
    uint8_t id[16];
    char label[17];
};

struct erofs_inode {
    unsigned layout; // enum erofs_layout
    uint32_t mode, links, owner, group;
    uint64_t size; // bytes
    int64_t modified;
    uint32_t block;        // the first one; of a device: its number
    uint64_t behind;       // byte of the disk behind the inode and its attributes
    unsigned chunk_blocks; // log2 of a chunk's blocks
    bool wide_chunks;      // entries of the table have 8 bytes, not 4
};

struct erofs_entry {
    uint64_t inode;
    const char *name; // without a NUL
    size_t length;
    unsigned type; // enum bm_file_type; 0: not told
};

// Reads the first block of a disk of `disk_blocks` blocks. Returns 0; -BM_ENODEV: it is not EROFS; or, with
// *why a sentence, -BM_EOPNOTSUPP or -BM_EIO.
int bm_erofs_super_parse(const uint8_t block[EROFS_BLOCK], uint64_t disk_blocks, struct erofs_super *super,
                         const char **why);

// Byte of the disk where an inode is, or UINT64_MAX when that is beyond the end.
uint64_t bm_erofs_inode_place(const struct erofs_super *super, uint64_t number);

// Reads an inode, of which `size` bytes are there, from the place above. Returns 0, -BM_EIO or
// -BM_EOPNOTSUPP.
int bm_erofs_inode_parse(const uint8_t *bytes, size_t size, const struct erofs_super *super, uint64_t number,
                         struct erofs_inode *inode);

// How many entries a block of a directory has, of which `size` bytes are there; all of them are checked.
// -BM_EIO.
int bm_erofs_directory_count(const uint8_t *block, size_t size);
// Entry `index` of a block that has been checked.
struct erofs_entry bm_erofs_directory_entry(const uint8_t *block, size_t size, unsigned index,
                                            unsigned count);
