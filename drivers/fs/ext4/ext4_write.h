// The writing part of ext4's core: transactions, space, inodes, extents, directories.
// SPDX-License-Identifier: MIT
//
// Everything that changes the disk's metadata is part of an operation: bm_ext4_operation_begin, changes, each
// announced by bm_ext4_buffer_change, and bm_ext4_operation_end, which with an error takes all of them back.
// Operations gather in the running transaction, which bm_ext4_commit writes to the journal: either all of it
// is there after a crash, or nothing. What is committed goes to its place later (bm_ext4_checkpoint), and
// stays in memory until then.
//
// Data is not in the journal. It is written into blocks whose extents are unwritten, and only when it has
// arrived an operation says that they are written; so no crash shows what was in a block before.
//
// An error of the disk while the journal is written ends it: nothing is written any more (-BM_EROFS), what is
// in memory can be read on, and the journal's superblock says so to whoever mounts it next.
#pragma once

#include "ext4_log.h"

enum ext4_buffer_state {
    EXT4_BUFFER_JOINED = 1,   // the running transaction changed it
    EXT4_BUFFER_PINNED = 2,   // it was committed, and is not yet at its place
    EXT4_BUFFER_FORGOTTEN = 4 // the running transaction freed its block
};

enum { EXT4_STAGING_BLOCKS = 16 };

struct ext4_transactions {
    struct ext4_log log;
    uint32_t head;               // block of the log that is written next
    uint32_t sequence;           // of the running transaction
    uint32_t joined, pinned;     // buffers
    uint64_t seconds;            // of the last commit
    struct ext4_buffer *buffers; // that have a state
    struct ext4_buffer *changed; // by the running operation
    bool running;                // an operation is
    bool empty;                  // the log, as its superblock on the disk says
    int error;                   // that ended it
    uint64_t revocations;        // blocks that commits have revoked
    uint8_t *super, *block;      // the log's superblock; one of the log
    uint8_t *staging;            // blocks for the log that are side by side on the disk
    uint64_t staged_place;       // byte of the disk
    uint32_t staged;             // of them
};

// --- ext4_transaction.c ---

// Makes a mounted file system that needs no replay ready to be written. -BM_EROFS with *why a sentence: it
// can only be read; or another error.
int bm_ext4_transactions_begin(struct ext4_fs *fs, const char **why);
// Commits and checkpoints, says that the file system is unmounted, and frees what it holds.
int bm_ext4_transactions_end(struct ext4_fs *fs);
// Begins an operation that changes at most `blocks` blocks; may commit what was before. There is one at a
// time. -BM_EROFS: nothing can be written (any more).
int bm_ext4_operation_begin(struct ext4_fs *fs, uint32_t blocks);
// Ends it; with an error all of its blocks are as they were. Returns the error.
int bm_ext4_operation_end(struct ext4_fs *fs, int error);
// Before a buffer's bytes are changed. -BM_ENOMEM, -BM_ENOSPC: the operation is too large for the journal.
int bm_ext4_buffer_change(struct ext4_fs *fs, struct ext4_buffer *buffer);
// The same of a bitmap, of which what the last commit had is kept until the next one.
int bm_ext4_bitmap_change(struct ext4_fs *fs, struct ext4_buffer *buffer);
// A buffer of zeros for a block that was just allocated, as changed; to be given back.
int bm_ext4_buffer_new(struct ext4_fs *fs, uint64_t block, struct ext4_buffer **buffer);
// A block of metadata is being freed: it must not come back from the journal.
int bm_ext4_buffer_forget(struct ext4_fs *fs, uint64_t block);
// Takes buffers that have no state any more out of the list.
void bm_ext4_buffers_sweep(struct ext4_fs *fs);

// --- ext4_commit.c ---

// How many blocks of the log a transaction of that many blocks takes.
uint32_t bm_ext4_commit_size(const struct ext4_fs *fs, uint32_t blocks);
// Writes the running transaction to the journal; everything before is safe then, data that has been written,
// too. Not in an operation.
int bm_ext4_commit(struct ext4_fs *fs);
// Writes what is committed to its place, and empties the log. The running transaction must be empty.
int bm_ext4_checkpoint(struct ext4_fs *fs);
// Ends the journal for an error, which it returns.
int bm_ext4_abort(struct ext4_fs *fs, int error);
