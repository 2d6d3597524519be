// The core of ext4: all that knows the format, above a disk that is any five functions.
// SPDX-License-Identifier: MIT
//
// It stands on nothing of the machine but bm_inode_memory_allocate and _free, so it is tested and fuzzed on
// the host. Nobody else may be in it meanwhile: who calls has a lock of the whole file system (ext4.c).
// Blocks of metadata go through buffers, which are checked once when they are read; a file's bytes do not.
// Functions return 0 or a negative error: -BM_EIO for what is wrong on the disk, of which the disk's `report`
// has been told.
#pragma once

#include "ext4_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a file system is on.
struct ext4_disk {
    void *arg;            // handed to the functions
    uint64_t size;        // bytes
    uint32_t sector_size; // places and sizes of the functions are multiples of it
    bool read_only;
    // Bytes; return 0 or a negative error.
    int (*read)(void *arg, uint64_t at, void *to, size_t size);
    int (*write)(void *arg, uint64_t at, const void *from, size_t size);
    int (*flush)(void *arg);   // all that was written is safe
    int64_t (*now)(void *arg); // nanoseconds since 1970-01-01 00:00 UTC; only for who writes
    // What is wrong: `where` is a number that the sentence speaks of.
    void (*report)(void *arg, const char *what, uint64_t where);
};

// The superblock's fields, checked.
struct ext4_super {
    uint32_t block_size, block_bits; // bytes, and their log2
    uint64_t blocks;
    uint32_t first_data; // block of group 0
    uint32_t group_blocks, group_inodes, groups, inodes;
    uint32_t inode_size, descriptor_size;
    uint32_t first_inode; // that is not reserved
    uint32_t compat, incompat, ro_compat;
    uint32_t seed; // of all checksums
    uint32_t hash_seed[4], hash, hash_unsigned;
    uint32_t journal, last_orphan, orphan_file; // inodes; 0: none
    uint32_t first_meta_group, backups[2];
    uint32_t want_extra, flex_bits, state;
    uint8_t uuid[16];
    char label[17];
};

// A block of metadata in memory.
struct ext4_buffer {
    struct ext4_buffer *chain, *older, *newer;
    uint64_t block;
    uint32_t references;
    uint32_t checked; // enum ext4_role: as what it was found to be right
    uint8_t *data;
    // Of who writes (ext4_transaction.c).
    uint32_t state, undo_state, undo_checked; // enum ext4_buffer_state; before the running operation
    uint32_t role;                            // as which the running operation changed it
    uint64_t checked_first, checked_end;      // of extents: what they may tell of, when they were right
    uint32_t checked_depth;
    struct ext4_buffer *listed, *changed; // the next with a state, and that the running operation changed
    uint8_t *undo, *committed; // what was in it before the running operation; and, of a bitmap, transaction
};

// What a block is. On a damaged disk it may be several at once: who changes it as one of them makes it
// unchecked as all others, and no operation changes it as two.
enum ext4_role {
    EXT4_ROLE_EXTENTS = 1,
    EXT4_ROLE_DIRECTORY = 2, // names
    EXT4_ROLE_INDEX = 4,     // of names
    EXT4_ROLE_BLOCK_BITMAP = 8,
    EXT4_ROLE_INODE_BITMAP = 16,
    EXT4_ROLE_SUPER = 32,
    EXT4_ROLE_GROUPS = 64,
    EXT4_ROLE_INODES = 128,
    EXT4_ROLE_ATTRIBUTES = 256,
    EXT4_ROLE_TEXT = 512, // of a link
    EXT4_ROLE_ORPHANS = 1024
};

enum { EXT4_BUCKETS = 512 };

struct ext4_transactions;
struct ext4_listing;

// Blocks side by side that hold groups' tables.
struct ext4_zone {
    uint64_t block, count;
};

// All of them, in their order; nobody but who writes has them.
struct ext4_zones {
    struct ext4_zone *zones;
    size_t count, room;
};

struct ext4_fs {
    const struct ext4_disk *disk;
    struct ext4_transactions *transactions; // of who writes (ext4_write.h); NULL: nobody
    struct ext4_super super;
    bool replayed; // its journal, when it was mounted
    bool read_only;
    const char *why_read_only; // a sentence; NULL: it was not asked for, or is not
    struct ext4_buffer *buckets[EXT4_BUCKETS];
    struct ext4_buffer *oldest, *newest; // of those that nobody uses
    uint32_t buffers, buffers_max;
    struct ext4_zones zones;
    struct ext4_listing *listing; // of names (ext4_listing.c)
    uint64_t names_changes;       // of any directory
};

// A group's descriptor.
struct ext4_group {
    uint64_t block_bitmap, inode_bitmap, inode_table; // blocks
    uint32_t free_blocks, free_inodes, directories, unused_inodes, flags;
};

struct ext4_inode {
    uint32_t number, mode, links, owner, group, flags, generation;
    uint32_t deleted;                             // time, or the next orphan
    uint64_t size, blocks;                        // bytes; 512 bytes each
    uint64_t attributes;                          // block of them; 0: none
    int64_t accessed, modified, changed, created; // nanoseconds since 1970
    uint32_t seed;                                // of checksums of what belongs to it
    bool orphan;                                  // this machine has put it into the list of orphans
    uint8_t block[EXT4_BLOCK_BYTES];
};

// Blocks of a file that are side by side.
struct ext4_extent {
    uint64_t first, count; // of the file
    uint64_t block;        // on the disk; of no meaning for a hole
    bool hole;             // nothing is there, or nothing was written: zeros
    bool unwritten;        // of a hole: blocks are there
};

// A name in a directory.
struct ext4_entry {
    uint32_t inode, type, length;
    uint64_t next; // place to go on from
    char name[EXT4_NAME_MAX + 1];
};

// Where a name is.
struct ext4_place {
    uint32_t inode;     // that it has
    uint32_t block, at; // of the directory; byte of the block
};

// --- ext4_checksum.c ---

// CRC-32C, without inversions: `crc` is the one of what is before.
uint32_t bm_ext4_crc32c(uint32_t crc, const void *bytes, size_t size);
uint32_t bm_ext4_crc16(uint32_t crc, const void *bytes, size_t size);

static inline bool ext4_has_checksums(const struct ext4_fs *fs)
{
    return fs->super.ro_compat & EXT4_RO_METADATA_CSUM;
}

// Of group descriptors, of one kind or the other; then bitmaps and inodes may be uninitialised.
static inline bool ext4_has_group_checksums(const struct ext4_fs *fs)
{
    return fs->super.ro_compat & (EXT4_RO_METADATA_CSUM | EXT4_RO_GDT_CSUM);
}

// --- ext4_super.c ---

// Reads the EXT4_SUPER_SIZE bytes of a superblock of a disk of `size` bytes. Returns 0; -BM_ENODEV: it is no
// ext2, ext3 or ext4; or with *why a sentence -BM_EIO (it is damaged) or -BM_EOPNOTSUPP.
int bm_ext4_super_parse(const uint8_t *bytes, uint64_t size, struct ext4_super *super, const char **why);
// Why it can only be read: a sentence, or NULL.
const char *bm_ext4_super_read_only(const struct ext4_super *super);

// --- ext4_mount.c ---

// Makes *fs, all zeros, of what is on a disk, with at most `buffers` blocks of metadata in memory.
int bm_ext4_mount(struct ext4_fs *fs, const struct ext4_disk *disk, uint32_t buffers, const char **why);
// Frees what it holds; no buffer is in use.
void bm_ext4_unmount(struct ext4_fs *fs);
// Reports damage; returns -BM_EIO.
int bm_ext4_damaged(const struct ext4_fs *fs, const char *what, uint64_t where);

// --- ext4_replay.c ---

// Brings what the journal has committed to its place and empties it. Buffers are of no meaning afterwards.
// -BM_EIO or -BM_EOPNOTSUPP with *why a sentence, behind which a replay by somebody else is still right.
int bm_ext4_replay(struct ext4_fs *fs, const char **why);

// --- ext4_buffer.c ---

// A block, read if need be; it is to be given back.
int bm_ext4_buffer_get(struct ext4_fs *fs, uint64_t block, struct ext4_buffer **buffer);
void bm_ext4_buffer_put(struct ext4_fs *fs, struct ext4_buffer *buffer);
// The same of a block that need not be read: what is in it is of no meaning.
int bm_ext4_buffer_hold(struct ext4_fs *fs, uint64_t block, struct ext4_buffer **buffer);
// The block if it is in memory, without a reference; otherwise NULL.
struct ext4_buffer *bm_ext4_buffer_find(struct ext4_fs *fs, uint64_t block);
void bm_ext4_buffers_end(struct ext4_fs *fs);

// --- ext4_group.c ---

// Whether blocks are on the disk; and may belong to a file.
bool bm_ext4_is_inside(const struct ext4_fs *fs, uint64_t block, uint64_t count);
bool bm_ext4_is_data(const struct ext4_fs *fs, uint64_t block, uint64_t count);
// Whether a group has a copy of the superblock.
bool bm_ext4_group_has_super(const struct ext4_super *super, uint32_t group);
int bm_ext4_group_get(struct ext4_fs *fs, uint32_t number, struct ext4_group *group);
// The bytes of its descriptor, in a buffer that is to be given back; and the checksum of these.
int bm_ext4_group_find(struct ext4_fs *fs, uint32_t number, struct ext4_buffer **buffer, uint8_t **at);
uint32_t bm_ext4_group_checksum(const struct ext4_fs *fs, uint32_t number, const uint8_t *at);
// How many blocks and inodes are free in all groups.
int bm_ext4_count_free(struct ext4_fs *fs, uint64_t *blocks, uint64_t *inodes);

// --- ext4_inode.c ---

int bm_ext4_inode_get(struct ext4_fs *fs, uint32_t number, struct ext4_inode *inode);
// The bytes of an inode, in a buffer that is to be given back.
int bm_ext4_inode_find(struct ext4_fs *fs, uint32_t number, struct ext4_buffer **buffer, uint8_t **at);
// Whether it has a word behind the old size; its seed for checksums; its checksum.
bool bm_ext4_inode_has(const struct ext4_fs *fs, const uint8_t *at, unsigned field);
uint32_t bm_ext4_inode_seed(const struct ext4_fs *fs, uint32_t number, uint32_t generation);
uint32_t bm_ext4_inode_checksum(const struct ext4_fs *fs, const uint8_t *at, uint32_t seed);
// Whether a link's words are in the inode.
bool bm_ext4_is_short_link(const struct ext4_inode *inode);
// What a link says, at most `size` bytes, no NUL. Returns its whole length.
long bm_ext4_link_read(struct ext4_fs *fs, const struct ext4_inode *inode, char *to, size_t size);
// Number of a device, as <baremetal/file.h> has it.
uint64_t bm_ext4_device(const struct ext4_inode *inode);

// --- ext4_map.c, ext4_extent.c ---

// Where block `at` of a file is, with as many behind it as are side by side, or a part of that.
int bm_ext4_map(struct ext4_fs *fs, const struct ext4_inode *inode, uint64_t at, struct ext4_extent *extent);
int bm_ext4_extent_map(struct ext4_fs *fs, const struct ext4_inode *inode, uint32_t at,
                       struct ext4_extent *extent);

// A node of extents in a block, checked: it is `depth` above the leaves, and tells of blocks from `first` to
// before `end`.
int bm_ext4_extent_node(struct ext4_fs *fs, const struct ext4_inode *inode, uint64_t block, uint32_t depth,
                        uint64_t first, uint64_t end, struct ext4_buffer **buffer);

// --- ext4_directory.c, ext4_index.c ---

// A block of a directory, checked. *buffer NULL: a hole.
int bm_ext4_directory_block(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                            struct ext4_buffer **buffer);
// The inode that a name has: 0, -BM_ENOENT or another error; and where it is.
int bm_ext4_directory_find(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name,
                           size_t length, uint32_t *inode);
int bm_ext4_directory_locate(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name,
                             size_t length, struct ext4_place *place);
// The first name at or behind `place`, of 0 or a `next`, in the order of their blocks. Returns 1, 0 at the
// end, or an error.
int bm_ext4_directory_scan(struct ext4_fs *fs, const struct ext4_inode *directory, uint64_t place,
                           struct ext4_entry *entry);
// What an entry in a block that has been checked says, but for `next`.
void bm_ext4_entry_take(const struct ext4_fs *fs, const uint8_t *at, struct ext4_entry *entry);
// In a block that has been checked: the place of a name's entry, or -1.
int bm_ext4_block_find(const struct ext4_fs *fs, const uint8_t *block, const char *name, size_t length);
// By the directory's index. As bm_ext4_directory_find; -BM_EOPNOTSUPP: no such index is known, it is to be
// looked for in all blocks.
int bm_ext4_index_find(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name,
                       size_t length, struct ext4_place *place);
// Whether a block of a directory is one of its index, whose checksum is another one.
bool bm_ext4_is_index(const struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                      const uint8_t *block);

// --- ext4_listing.c ---

// As bm_ext4_directory_scan, in an order that stays when other names come and go.
int bm_ext4_directory_next(struct ext4_fs *fs, const struct ext4_inode *directory, uint64_t place,
                           struct ext4_entry *entry);
void bm_ext4_listing_end(struct ext4_fs *fs);

// --- ext4_hash.c ---

// A name's hash; `version` as in the index, unsigned or not. -BM_EOPNOTSUPP.
int bm_ext4_hash(const struct ext4_super *super, uint32_t version, const char *name, size_t length,
                 uint32_t *hash);
