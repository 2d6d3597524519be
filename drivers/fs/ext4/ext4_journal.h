// The journal (JBD2) as it lies on a disk: where the fields are, all of them big-endian.
// SPDX-License-Identifier: MIT
//
// After Documentation/filesystems/ext4/journal.rst of Linux.
#pragma once

#include <stdint.h>

enum {
    JBD2_MAGIC = (int)0xc03b3998,
    JBD2_HEAD = 12, // magic, kind, transaction
    JBD2_KIND = 4,
    JBD2_TRANSACTION = 8,
    JBD2_MIN_BLOCKS = 1024, // that Linux wants
    JBD2_CRC32C = 4         // kind of checksums
};

enum jbd2_kind { JBD2_DESCRIPTOR = 1, JBD2_COMMIT = 2, JBD2_SUPER_1 = 3, JBD2_SUPER_2 = 4, JBD2_REVOKE = 5 };

// The superblock, of 1024 bytes.
enum jbd2_super_field {
    JBD2_S_BLOCK_SIZE = 0xc,
    JBD2_S_LENGTH = 0x10, // blocks
    JBD2_S_FIRST = 0x14,  // block of the log
    JBD2_S_SEQUENCE = 0x18,
    JBD2_S_START = 0x1c, // block where the log begins; 0: it is empty
    JBD2_S_ERROR = 0x20,
    JBD2_S_COMPAT = 0x24,
    JBD2_S_INCOMPAT = 0x28,
    JBD2_S_RO_COMPAT = 0x2c,
    JBD2_S_UUID = 0x30,
    JBD2_S_CHECKSUM_TYPE = 0x50, // 8
    JBD2_S_FAST_BLOCKS = 0x54,   // at the end, of fast commits
    JBD2_S_CHECKSUM = 0xfc,
    JBD2_S_SIZE = 1024
};

enum { JBD2_COMPAT_CHECKSUM = 1 }; // of whole transactions, in their commits

enum jbd2_incompat {
    JBD2_INCOMPAT_REVOKE = 1,
    JBD2_INCOMPAT_64BIT = 2,
    JBD2_INCOMPAT_ASYNC_COMMIT = 4,
    JBD2_INCOMPAT_CSUM_V2 = 8,
    JBD2_INCOMPAT_CSUM_V3 = 16,
    JBD2_INCOMPAT_FAST_COMMIT = 32
};

// A descriptor's tags, behind its head; with checksums its last 4 bytes are one of it all.
enum jbd2_tag_field {
    JBD2_T_BLOCK = 0,
    JBD2_T_FLAGS_16 = 6,   // 16
    JBD2_T_FLAGS = 4,      // with version 3
    JBD2_T_BLOCK_HIGH = 8, // with 64bit
    JBD2_T_CHECKSUM = 12,  // with version 3
    JBD2_T_SIZE_V3 = 16,
    JBD2_T_SIZE = 8,  // without it; 4 more with 64bit
    JBD2_T_UUID = 16, // behind a tag that is not JBD2_TAG_SAME
    JBD2_TAIL = 4
};

enum jbd2_tag_flags { JBD2_TAG_ESCAPED = 1, JBD2_TAG_SAME = 2, JBD2_TAG_DELETED = 4, JBD2_TAG_LAST = 8 };

enum {
    JBD2_R_SIZE = 12, // bytes of a revocation's block that are used, its head among them
    JBD2_R_FIRST = 16,
    JBD2_C_CHECKSUM = 0x10, // of a commit
    JBD2_C_SECONDS = 0x30,  // 64: its time
    JBD2_C_NANOSECONDS = 0x38
};

static inline uint32_t jbd2_get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t jbd2_get32(const uint8_t *at)
{
    return jbd2_get16(at) << 16 | jbd2_get16(at + 2);
}

static inline void jbd2_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void jbd2_put32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}
