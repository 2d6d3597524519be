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
    uint32_t changes;            // blocks that the running operation changed
    bool running;                // an operation is
    bool frees;                  // the running transaction has freed what it cannot give away
    bool empty;                  // the log, as its superblock on the disk says
    int error;                   // that ended it
    uint64_t revocations;        // blocks that commits have revoked
    uint8_t *super, *block;      // the log's superblock; one of the log
    uint8_t *staging;            // blocks for the log that are side by side on the disk
    uint64_t staged_place;       // byte of the disk
    uint32_t staged;             // of them
};

// Of a walk from inode to inode that may never end on a damaged disk (Brent's way).
struct ext4_cycle {
    uint32_t mark, steps, power;
};

// Whether it is where it was before.
static inline bool ext4_is_cycle(struct ext4_cycle *cycle, uint32_t number)
{
    if (number == cycle->mark)
        return true;
    if (cycle->steps++ == cycle->power) {
        cycle->mark = number;
        cycle->power = 2 * cycle->power + 1;
        cycle->steps = 0;
    }
    return false;
}

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
// Before a buffer's bytes are changed as those of what it is. -BM_ENOMEM, -BM_ENOSPC: the operation is too
// large for the journal; -BM_EIO: it has changed the block as something else.
int bm_ext4_buffer_change(struct ext4_fs *fs, struct ext4_buffer *buffer, enum ext4_role role);
// The same of a bitmap, of which what the last commit had is kept until the next one.
int bm_ext4_bitmap_change(struct ext4_fs *fs, struct ext4_buffer *buffer, enum ext4_role role);
// A buffer of zeros for a block that was just allocated, as changed; to be given back.
int bm_ext4_buffer_new(struct ext4_fs *fs, uint64_t block, enum ext4_role role, struct ext4_buffer **buffer);
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

// --- ext4_zone.c ---

// Finds where the groups' tables are, for bm_ext4_is_data. -BM_EIO: they overlap.
int bm_ext4_zones_begin(struct ext4_fs *fs);
void bm_ext4_zones_end(struct ext4_fs *fs);

// --- ext4_allocate.c ---

// Allocates up to *wanted blocks side by side, at `goal` or not far from it: *block, and *wanted how many.
// `data`: leaves the reserved ones. -BM_ENOSPC; with `frees` there may be some behind a commit.
int bm_ext4_blocks_allocate(struct ext4_fs *fs, uint64_t goal, bool data, uint64_t *block, uint32_t *wanted);
// Sets the superblock's counts to what the groups have: Linux leaves them behind while it writes.
int bm_ext4_counts_set(struct ext4_fs *fs);
// Frees blocks; `metadata`: they were in buffers.
int bm_ext4_blocks_free(struct ext4_fs *fs, uint64_t block, uint32_t total, bool metadata);
// -BM_ENOSPC: there are not so many free blocks for data, those that the running transaction freed among
// them.
int bm_ext4_blocks_fit(struct ext4_fs *fs, uint64_t wanted);
// Allocates an inode in the group of the inode `near`, or not far from it; its bytes are what they were.
int bm_ext4_inode_allocate(struct ext4_fs *fs, uint32_t near, bool directory, uint32_t *number);
int bm_ext4_inode_free(struct ext4_fs *fs, uint32_t number, bool directory);

// --- ext4_inode_write.c ---

// Writes the fields of an inode, but not `deleted`; and that one alone.
int bm_ext4_inode_write(struct ext4_fs *fs, const struct ext4_inode *inode);
int bm_ext4_inode_set_deleted(struct ext4_fs *fs, uint32_t number, uint32_t deleted);
// Allocates an inode not far from another and makes it of what *inode has: mode, links, owner, group, block.
int bm_ext4_inode_make(struct ext4_fs *fs, uint32_t near, struct ext4_inode *inode);
// Frees an inode that has no blocks.
int bm_ext4_inode_end(struct ext4_fs *fs, struct ext4_inode *inode);

// --- ext4_extent_write.c ---

// These change *inode, which is to be written afterwards; behind an error it is of no meaning.
// Puts an extent where there is a hole.
int bm_ext4_extent_insert(struct ext4_fs *fs, struct ext4_inode *inode, const struct ext4_extent *extent);
// What is unwritten of `total` blocks from `first` on is written from now on.
int bm_ext4_extent_convert(struct ext4_fs *fs, struct ext4_inode *inode, uint32_t first, uint32_t total);
// Frees blocks behind `from`, those of the last extent, and no more than an operation can. *more: there may
// be others.
int bm_ext4_extent_cut(struct ext4_fs *fs, struct ext4_inode *inode, uint64_t from, bool metadata,
                       bool *more);

// --- ext4_orphan.c ---

// Puts an inode into the list of those that a mount after a crash truncates or frees; and takes it out.
// Once it is in, adding does nothing.
int bm_ext4_orphan_add(struct ext4_fs *fs, struct ext4_inode *inode);
int bm_ext4_orphan_remove(struct ext4_fs *fs, struct ext4_inode *inode);
// Truncates and frees what is in the list and in the file of orphans.
int bm_ext4_orphans_end(struct ext4_fs *fs);

// --- ext4_file.c ---

enum { EXT4_OPERATION_BLOCKS = 64, EXT4_STEP_BLOCKS = 40 }; // that an operation changes; behind which it ends

// Does `step` as an operation: once more behind a commit if space that was freed is missing. Inodes are as
// they were when it fails.
int bm_ext4_operate(struct ext4_fs *fs, struct ext4_inode *const *inodes, unsigned count,
                    int (*step)(struct ext4_fs *fs, void *arg), void *arg);
// Blocks for `total` blocks of a file from `first` on, unwritten where there were none. An operation or more;
// as are those below. Behind an error the first *done of them are there.
int bm_ext4_file_allocate(struct ext4_fs *fs, struct ext4_inode *file, uint32_t first, uint32_t total,
                          uint32_t *done);
// -BM_ENOSPC: there are fewer free blocks for data than holes among those.
int bm_ext4_file_fits(struct ext4_fs *fs, const struct ext4_inode *file, uint32_t first, uint32_t total);
// Their data has arrived; the file has at least `size` bytes. The time is as *file has it.
int bm_ext4_file_written(struct ext4_fs *fs, struct ext4_inode *file, uint32_t first, uint32_t total,
                         uint64_t size);
// The file has `size` bytes, and no blocks behind them.
int bm_ext4_file_resize(struct ext4_fs *fs, struct ext4_inode *file, uint64_t size);
// Frees what is behind `size`; `adds`: the file gets that size and is put among the orphans first, and in any
// case it is taken out at the end if it has links.
int bm_ext4_file_cut(struct ext4_fs *fs, struct ext4_inode *file, uint64_t size);
// Frees an inode without links, which is an orphan, and all of its blocks.
int bm_ext4_file_end(struct ext4_fs *fs, struct ext4_inode *file);

// --- ext4_entry.c ---

// Puts a name into a directory that has it not; takes one out of where it is; gives it another inode. `type`
// is of the inode's mode.
int bm_ext4_entry_add(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                      uint32_t number, uint32_t type);
int bm_ext4_entry_remove(struct ext4_fs *fs, const struct ext4_inode *directory,
                         const struct ext4_place *place);
int bm_ext4_entry_set(struct ext4_fs *fs, const struct ext4_inode *directory, const struct ext4_place *place,
                      uint32_t number, uint32_t type);
// The first block of a new directory; and the directory that is above it.
int bm_ext4_directory_begin(struct ext4_fs *fs, struct ext4_inode *directory, uint32_t parent);
int bm_ext4_directory_set_parent(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t parent);
// A new block at a directory's end, all zeros: its index, and its buffer, to be given back.
int bm_ext4_directory_grow(struct ext4_fs *fs, struct ext4_inode *directory, enum ext4_role role,
                           uint32_t *index, struct ext4_buffer **buffer);
// Puts a name into a block where it has room. -BM_ENOSPC: it has none.
int bm_ext4_block_add(struct ext4_fs *fs, const struct ext4_inode *directory, struct ext4_buffer *buffer,
                      const char *name, size_t length, uint32_t number, uint32_t type);
// Makes a block of names of what is all zeros: no names.
void bm_ext4_block_clear(const struct ext4_fs *fs, struct ext4_buffer *buffer);
// Sets the checksum of a block that was changed.
void bm_ext4_block_seal(const struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                        struct ext4_buffer *buffer);

// --- ext4_index_write.c ---

// Gives a directory of one block an index; puts a name into one that has one.
int bm_ext4_index_make(struct ext4_fs *fs, struct ext4_inode *directory);
int bm_ext4_index_add(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                      uint32_t number, uint32_t type);

// --- ext4_name.c ---

// Each is an operation of its own; the inodes' structures are changed with what is on the disk.
// A new inode with a name; *made has its mode, owner and group, and gets all else. `target`: what a link
// says.
int bm_ext4_create(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                   struct ext4_inode *made, const char *target);
// One without a name, which is an orphan until it gets one.
int bm_ext4_create_nameless(struct ext4_fs *fs, const struct ext4_inode *directory, struct ext4_inode *made);
int bm_ext4_link(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                 struct ext4_inode *inode);
// Takes a name from the inode that has it; with the last one (or an empty directory's) it becomes an orphan,
// which bm_ext4_file_end ends.
int bm_ext4_unlink(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                   struct ext4_inode *inode);
// `inode` has `name`; `target` (NULL: nobody) has `new_name`, and loses it, or with `exchanges` gets `name`.
struct ext4_rename {
    struct ext4_inode *from, *to, *inode, *target;
    const char *name, *new_name;
    size_t length, new_length;
    bool exchanges;
};
int bm_ext4_rename(struct ext4_fs *fs, const struct ext4_rename *what);
