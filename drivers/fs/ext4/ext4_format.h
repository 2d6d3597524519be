// ext4 as it lies on a disk: where the fields are, all of them little-endian.
// SPDX-License-Identifier: MIT
//
// After Documentation/filesystems/ext4 of Linux. Offsets are bytes from the structure's beginning; a field's
// width is told where it is not 32 bits.
#pragma once

#include <stdint.h>

enum {
    EXT4_SUPER_OFFSET = 1024, // of the superblock on the disk
    EXT4_SUPER_SIZE = 1024,
    EXT4_MAGIC = 0xef53,
    EXT4_BLOCK_MAX = 4096, // bytes: larger blocks are refused
    EXT4_ROOT = 2,         // number of the root directory's inode
    EXT4_NAME_MAX = 255
};

enum ext4_super_field {
    EXT4_S_INODES = 0x0,
    EXT4_S_BLOCKS = 0x4,
    EXT4_S_RESERVED = 0x8, // blocks for the superuser
    EXT4_S_FREE_BLOCKS = 0xc,
    EXT4_S_FREE_INODES = 0x10,
    EXT4_S_FIRST_DATA = 0x14,
    EXT4_S_BLOCK_BITS = 0x18, // of 1024 bytes
    EXT4_S_CLUSTER_BITS = 0x1c,
    EXT4_S_GROUP_BLOCKS = 0x20,
    EXT4_S_GROUP_INODES = 0x28,
    EXT4_S_MOUNTED = 0x2c, // time
    EXT4_S_WRITTEN = 0x30, // time
    EXT4_S_MAGIC = 0x38,   // 16
    EXT4_S_STATE = 0x3a,   // 16
    EXT4_S_REVISION = 0x4c,
    EXT4_S_FIRST_INODE = 0x54,
    EXT4_S_INODE_SIZE = 0x58, // 16
    EXT4_S_COMPAT = 0x5c,
    EXT4_S_INCOMPAT = 0x60,
    EXT4_S_RO_COMPAT = 0x64,
    EXT4_S_UUID = 0x68,            // 16 bytes
    EXT4_S_LABEL = 0x78,           // 16 bytes
    EXT4_S_RESERVED_TABLE = 0xce,  // 16: blocks behind the descriptors
    EXT4_S_JOURNAL = 0xe0,         // inode
    EXT4_S_JOURNAL_DEVICE = 0xe4,  // another disk
    EXT4_S_LAST_ORPHAN = 0xe8,     // inode
    EXT4_S_HASH_SEED = 0xec,       // 4 words
    EXT4_S_HASH = 0xfc,            // 8
    EXT4_S_DESCRIPTOR_SIZE = 0xfe, // 16
    EXT4_S_FIRST_META_GROUP = 0x104,
    EXT4_S_BLOCKS_HIGH = 0x150,
    EXT4_S_RESERVED_HIGH = 0x154,
    EXT4_S_FREE_BLOCKS_HIGH = 0x158,
    EXT4_S_WANT_EXTRA = 0x15e, // 16
    EXT4_S_FLAGS = 0x160,
    EXT4_S_FLEX_BITS = 0x174,     // 8
    EXT4_S_CHECKSUM_TYPE = 0x175, // 8
    EXT4_S_ERRORS = 0x194,
    EXT4_S_OVERHEAD = 0x248,
    EXT4_S_BACKUPS = 0x24c, // 2 groups with sparse_super2
    EXT4_S_CHECKSUM_SEED = 0x270,
    EXT4_S_ORPHAN_FILE = 0x280, // inode
    EXT4_S_CHECKSUM = 0x3fc
};

enum ext4_state { EXT4_STATE_CLEAN = 1, EXT4_STATE_ERRORS = 2, EXT4_STATE_ORPHANS = 4 };
enum ext4_super_flags { EXT4_FLAG_SIGNED_HASH = 1, EXT4_FLAG_UNSIGNED_HASH = 2 };

enum ext4_compat {
    EXT4_COMPAT_JOURNAL = 0x4,
    EXT4_COMPAT_DIR_INDEX = 0x20,
    EXT4_COMPAT_SPARSE_SUPER2 = 0x200,
    EXT4_COMPAT_FAST_COMMIT = 0x400,
    EXT4_COMPAT_ORPHAN_FILE = 0x1000
};

enum ext4_incompat {
    EXT4_INCOMPAT_COMPRESSION = 0x1,
    EXT4_INCOMPAT_FILETYPE = 0x2,
    EXT4_INCOMPAT_RECOVER = 0x4,
    EXT4_INCOMPAT_JOURNAL_DEVICE = 0x8,
    EXT4_INCOMPAT_META_BG = 0x10,
    EXT4_INCOMPAT_EXTENTS = 0x40,
    EXT4_INCOMPAT_64BIT = 0x80,
    EXT4_INCOMPAT_MMP = 0x100,
    EXT4_INCOMPAT_FLEX_BG = 0x200,
    EXT4_INCOMPAT_EA_INODE = 0x400,
    EXT4_INCOMPAT_DIRDATA = 0x1000,
    EXT4_INCOMPAT_CSUM_SEED = 0x2000,
    EXT4_INCOMPAT_LARGEDIR = 0x4000,
    EXT4_INCOMPAT_INLINE_DATA = 0x8000,
    EXT4_INCOMPAT_ENCRYPT = 0x10000,
    EXT4_INCOMPAT_CASEFOLD = 0x20000
};

enum ext4_ro_compat {
    EXT4_RO_SPARSE_SUPER = 0x1,
    EXT4_RO_LARGE_FILE = 0x2,
    EXT4_RO_HUGE_FILE = 0x8,
    EXT4_RO_GDT_CSUM = 0x10,
    EXT4_RO_DIR_NLINK = 0x20,
    EXT4_RO_EXTRA_ISIZE = 0x40,
    EXT4_RO_QUOTA = 0x100,
    EXT4_RO_BIGALLOC = 0x200,
    EXT4_RO_METADATA_CSUM = 0x400,
    EXT4_RO_READONLY = 0x1000,
    EXT4_RO_PROJECT = 0x2000,
    EXT4_RO_SHARED_BLOCKS = 0x4000,
    EXT4_RO_VERITY = 0x8000,
    EXT4_RO_ORPHAN_PRESENT = 0x10000
};

enum ext4_group_field {
    EXT4_G_BLOCK_BITMAP = 0x0,
    EXT4_G_INODE_BITMAP = 0x4,
    EXT4_G_INODE_TABLE = 0x8,
    EXT4_G_FREE_BLOCKS = 0xc,            // 16
    EXT4_G_FREE_INODES = 0xe,            // 16
    EXT4_G_DIRECTORIES = 0x10,           // 16
    EXT4_G_FLAGS = 0x12,                 // 16
    EXT4_G_BLOCK_BITMAP_CHECKSUM = 0x18, // 16
    EXT4_G_INODE_BITMAP_CHECKSUM = 0x1a, // 16
    EXT4_G_UNUSED_INODES = 0x1c,         // 16: at the table's end
    EXT4_G_CHECKSUM = 0x1e,              // 16
    EXT4_G_SIZE = 0x20,                  // without 64bit
    EXT4_G_HIGH = 0x20,                  // the three places' high words, as above from 0
    EXT4_G_FREE_BLOCKS_HIGH = 0x2c,      // 16, and so on
    EXT4_G_FREE_INODES_HIGH = 0x2e,
    EXT4_G_DIRECTORIES_HIGH = 0x30,
    EXT4_G_UNUSED_INODES_HIGH = 0x32,
    EXT4_G_BLOCK_BITMAP_CHECKSUM_HIGH = 0x38,
    EXT4_G_INODE_BITMAP_CHECKSUM_HIGH = 0x3a,
    EXT4_G_SIZE_64 = 0x40
};

enum ext4_group_flags { EXT4_GROUP_INODES_UNUSED = 1, EXT4_GROUP_BLOCKS_UNUSED = 2, EXT4_GROUP_ZEROED = 4 };

enum ext4_inode_field {
    EXT4_I_MODE = 0x0,  // 16
    EXT4_I_OWNER = 0x2, // 16
    EXT4_I_SIZE = 0x4,
    EXT4_I_ACCESSED = 0x8,
    EXT4_I_CHANGED = 0xc,
    EXT4_I_MODIFIED = 0x10,
    EXT4_I_DELETED = 0x14, // time; in the orphan list: the next inode
    EXT4_I_GROUP = 0x18,   // 16
    EXT4_I_LINKS = 0x1a,   // 16
    EXT4_I_BLOCKS = 0x1c,
    EXT4_I_FLAGS = 0x20,
    EXT4_I_BLOCK = 0x28, // 60 bytes: extents, a block map, a short link or a device
    EXT4_I_GENERATION = 0x64,
    EXT4_I_ATTRIBUTES = 0x68, // block
    EXT4_I_SIZE_HIGH = 0x6c,
    EXT4_I_BLOCKS_HIGH = 0x74,     // 16
    EXT4_I_ATTRIBUTES_HIGH = 0x76, // 16
    EXT4_I_OWNER_HIGH = 0x78,      // 16
    EXT4_I_GROUP_HIGH = 0x7a,      // 16
    EXT4_I_CHECKSUM = 0x7c,        // 16
    EXT4_I_SIZE_OLD = 0x80,        // of an inode without what follows
    EXT4_I_EXTRA = 0x80,           // 16: bytes behind the old size that are used
    EXT4_I_CHECKSUM_HIGH = 0x82,   // 16
    EXT4_I_CHANGED_EXTRA = 0x84,
    EXT4_I_MODIFIED_EXTRA = 0x88,
    EXT4_I_ACCESSED_EXTRA = 0x8c,
    EXT4_I_CREATED = 0x90,
    EXT4_I_CREATED_EXTRA = 0x94,
    EXT4_I_EXTRA_SIZE = 0x20, // up to and with the project's number
    EXT4_BLOCK_WORDS = 15,
    EXT4_BLOCK_BYTES = 60
};

enum ext4_inode_flags {
    EXT4_INODE_IMMUTABLE = 0x10, // chattr +i
    EXT4_INODE_APPEND = 0x20,    // chattr +a
    EXT4_INODE_ENCRYPT = 0x800,
    EXT4_INODE_INDEX = 0x1000,
    EXT4_INODE_HUGE = 0x40000,
    EXT4_INODE_EXTENTS = 0x80000,
    EXT4_INODE_INLINE = 0x10000000
};

enum ext4_extent_field {
    EXT4_X_MAGIC = 0xf30a,
    EXT4_X_COUNT = 2, // 16, of the head, as the next two
    EXT4_X_MAX = 4,
    EXT4_X_DEPTH = 6,
    EXT4_X_SIZE = 12,  // of the head and of each entry
    EXT4_X_FIRST = 0,  // of an entry
    EXT4_X_LENGTH = 4, // 16, of a leaf's: blocks; more than EXT4_X_WRITTEN_MAX: never written, and that less
    EXT4_X_HIGH = 6,   // 16, of a leaf's
    EXT4_X_LOW = 8,    //
    EXT4_X_BELOW = 4,  // of an index's: the block below
    EXT4_X_BELOW_HIGH = 8, // 16
    EXT4_X_WRITTEN_MAX = 32768,
    EXT4_X_DEPTH_MAX = 5
};

enum ext4_directory_field {
    EXT4_D_INODE = 0,
    EXT4_D_LENGTH = 4, // 16: of the whole entry
    EXT4_D_NAME_LENGTH = 6,
    EXT4_D_TYPE = 7,
    EXT4_D_NAME = 8,
    EXT4_D_TAIL = 12, // bytes of the last entry of a block, which is its checksum
    EXT4_D_TAIL_TYPE = 0xde,
    // The index: in a directory's first block behind "." and "..", and in blocks of its own.
    EXT4_DX_HASH = 0x1c,   // 8
    EXT4_DX_INFO = 0x1d,   // 8
    EXT4_DX_LEVELS = 0x1e, // 8
    EXT4_DX_ROOT = 0x20,   // where the entries begin, in the first block
    EXT4_DX_NODE = 0x8,    // in others
    EXT4_DX_ENTRY = 8,     // bytes: hash and block; the first one's hash is limit and count, each 16
    EXT4_DX_TAIL = 8,      // bytes: reserved, checksum
    EXT4_DX_LEVELS_MAX = 3
};

enum ext4_hash {
    EXT4_HASH_LEGACY,
    EXT4_HASH_HALF_MD4,
    EXT4_HASH_TEA,
    EXT4_HASH_UNSIGNED // added to these
};

static inline uint32_t ext4_get16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t ext4_get32(const uint8_t *at)
{
    return ext4_get16(at) | ext4_get16(at + 2) << 16;
}

static inline uint64_t ext4_get64(uint32_t low, uint32_t high)
{
    return low | (uint64_t)high << 32;
}

static inline void ext4_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void ext4_put32(uint8_t *at, uint32_t value)
{
    ext4_put16(at, value);
    ext4_put16(at + 2, value >> 16);
}
