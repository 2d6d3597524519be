// The journal's file and its superblock, for who replays it and who writes it.
// SPDX-License-Identifier: MIT
#pragma once

#include "ext4_core.h"
#include "ext4_journal.h"

// Blocks of the log that are side by side on the disk.
struct ext4_log_run {
    uint32_t first, count;
    uint64_t block;
};

struct ext4_log {
    struct ext4_fs *fs;
    struct ext4_inode file;
    uint32_t first, last, start; // blocks of the log; last: behind the end; start: 0 when it is empty
    uint32_t sequence;           // of its first transaction
    uint32_t incompat, seed;     // of its checksums
    uint32_t error;              // that ended it, negative; 0: none
    bool has_features;           // its superblock is of version 2
    struct ext4_log_run *runs;   // where it lies, of who writes; NULL: it is looked for
    uint32_t run_count;
};

static inline bool ext4_log_has_checksums(const struct ext4_log *log)
{
    return log->incompat & JBD2_INCOMPAT_CSUM_V3;
}

// Makes *log of the file system's journal; `data` has room for a block and gets the superblock's.
// -BM_EIO or -BM_EOPNOTSUPP with *why a sentence.
int bm_ext4_log_open(struct ext4_log *log, struct ext4_fs *fs, uint8_t *data, const char **why);
// Finds where all of it lies, so that nobody has to read for that any more.
int bm_ext4_log_runs_begin(struct ext4_log *log);
void bm_ext4_log_runs_end(struct ext4_log *log);
// The byte of the disk where a block of the log lies; and reads that block.
int bm_ext4_log_place(const struct ext4_log *log, uint32_t at, uint64_t *place);
int bm_ext4_log_read(const struct ext4_log *log, uint32_t at, uint8_t *to);
// Writes the superblock that is in `data`, with its checksum.
int bm_ext4_log_super_write(const struct ext4_log *log, uint8_t *data);
uint32_t bm_ext4_log_super_checksum(const uint8_t *super);
