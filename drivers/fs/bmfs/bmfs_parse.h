// BMFS as it lies on a disk: records that nobody has checked become files that have been.
// SPDX-License-Identifier: MIT
//
// After "BareMetal File System (BMFS) - Version 1" of the repository ReturnInfinity/BMFS: the first block has
// the marker at byte 1,024 and the directory at byte 4,096; all files lie in blocks of 2 MiB side by side.
#pragma once

#include <stdint.h>

enum {
    BMFS_MARKER = 1024, // byte of the disk
    BMFS_DIRECTORY = 4096,
    BMFS_RECORDS = 64,
    BMFS_NAME = 32,       // bytes of a name's field, with its NUL
    BMFS_HEAD = 8192,     // bytes of the disk that are parsed
    BMFS_BLOCK_BITS = 21, // log2 of a block's bytes
    BMFS_BLOCK = 1 << BMFS_BLOCK_BITS
};

struct bmfs_file {
    char name[BMFS_NAME];
    unsigned length; // of the name
    uint64_t first;  // byte of the disk
    uint64_t size;   // bytes
};

struct bmfs_files {
    unsigned count; // in `file`
    unsigned wrong; // records that were left out
    struct bmfs_file file[BMFS_RECORDS];
};

// Reads the first bytes of a disk of `disk_blocks` blocks of 2 MiB. A record whose name or place cannot be is
// left out, as is one whose name was there before. Returns 0, or -BM_ENODEV: it is not BMFS.
int bm_bmfs_parse(const uint8_t head[BMFS_HEAD], uint64_t disk_blocks, struct bmfs_files *files);
