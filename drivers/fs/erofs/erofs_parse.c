// EROFS as it lies on a disk: reading what nobody has checked.
// SPDX-License-Identifier: MIT
#include "erofs_parse.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum {
    SUPER_SIZE = 128,
    SUPER_SLOT = 16,
    CHECKSUM = 1,            // of the compatible features
    COMPRESSION_PADDING = 1, // of the incompatible ones: how compressed files would be
    CHUNKED = 4,
    ATTRIBUTE_PREFIXES = 0x40,
    KNOWN = COMPRESSION_PADDING | CHUNKED | ATTRIBUTE_PREFIXES,
    COMPACT = 32, // bytes of an inode
    ATTRIBUTES_HEAD = 12,
    CHUNK_BITS = 31,
    CHUNK_WIDE = 32,
    CHUNK_KNOWN = 63,
    NAME_MAX = 255,
    TYPES = 7
};

static uint32_t get16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) | get16(at + 2) << 16;
}

static uint64_t get64(const uint8_t *at)
{
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

// CRC-32C of the block from the superblock on, as if the checksum itself were 0, without a last inversion.
static uint32_t checksum(const uint8_t *super)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < EROFS_BLOCK - EROFS_SUPER_OFFSET; i++) {
        crc ^= i >= 4 && i < 8 ? 0 : super[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return crc;
}

static int refuse(int error, const char *sentence, const char **why)
{
    *why = sentence;
    return error;
}

int bm_erofs_super_parse(const uint8_t block[EROFS_BLOCK], uint64_t disk_blocks, struct erofs_super *super,
                         const char **why)
{
    const uint8_t *at = block + EROFS_SUPER_OFFSET;
    if (get32(at) != (uint32_t)EROFS_MAGIC)
        return -BM_ENODEV;
    if (at[12] != 12)
        return refuse(-BM_EOPNOTSUPP, "its blocks are not of 4096 bytes (mkfs.erofs -b4096)", why);
    if (get32(at + 80) & ~(uint32_t)KNOWN)
        return refuse(-BM_EOPNOTSUPP, "it has features that are not known here (compression?)", why);
    if (at[90] || get16(at + 86))
        return refuse(-BM_EOPNOTSUPP, "it has large directory blocks or further devices", why);
    if (SUPER_SIZE + at[13] * SUPER_SLOT > EROFS_BLOCK - EROFS_SUPER_OFFSET)
        return refuse(-BM_EIO, "its superblock is too long", why);
    if (get32(at + 8) & CHECKSUM && get32(at + 4) != checksum(at))
        return refuse(-BM_EIO, "the checksum of its superblock is wrong", why);
    *super = (struct erofs_super){.root = get16(at + 14),
                                  .inodes = get64(at + 16),
                                  .time = get64(at + 24),
                                  .time_nanoseconds = get32(at + 32),
                                  .blocks = get32(at + 36),
                                  .meta_block = get32(at + 40)};
    __builtin_memcpy(super->id, at + 48, sizeof super->id);
    __builtin_memcpy(super->label, at + 64, sizeof super->label - 1);
    if (super->blocks == 0 || super->blocks > disk_blocks)
        return refuse(-BM_EIO, "it is larger than its disk", why);
    if (super->meta_block >= super->blocks)
        return refuse(-BM_EIO, "its inodes are beyond its end", why);
    return 0;
}

uint64_t bm_erofs_inode_place(const struct erofs_super *super, uint64_t number)
{
    uint64_t bytes = (super->blocks - super->meta_block) * EROFS_BLOCK;
    if (number >= bytes >> EROFS_SLOT_BITS)
        return UINT64_MAX;
    return super->meta_block * EROFS_BLOCK + (number << EROFS_SLOT_BITS);
}

static int64_t time_of(uint64_t seconds, uint32_t nanoseconds)
{
    int64_t whole;
    if (nanoseconds >= 1000000000 || __builtin_mul_overflow((int64_t)seconds, 1000000000, &whole) ||
        __builtin_add_overflow(whole, nanoseconds, &whole))
        return 0;
    return whole;
}

static void extended(const uint8_t *bytes, struct erofs_inode *inode)
{
    inode->size = get64(bytes + 8);
    inode->owner = get32(bytes + 24);
    inode->group = get32(bytes + 28);
    inode->modified = time_of(get64(bytes + 32), get32(bytes + 40));
    inode->links = get32(bytes + 44);
}

static void compact(const uint8_t *bytes, const struct erofs_super *super, struct erofs_inode *inode)
{
    inode->links = get16(bytes + 6);
    inode->size = get32(bytes + 8);
    inode->owner = get16(bytes + 24);
    inode->group = get16(bytes + 26);
    inode->modified = time_of(super->time, super->time_nanoseconds);
}

// Whether blocks, table and what is behind the inode lie in the file system.
static int check_data(const struct erofs_super *super, struct erofs_inode *inode)
{
    uint64_t end = super->blocks * EROFS_BLOCK, whole = inode->size / EROFS_BLOCK,
             tail = inode->size % EROFS_BLOCK;
    if (inode->size > INT64_MAX)
        return -BM_EIO;
    if (inode->layout == EROFS_CHUNKS) {
        unsigned entry = inode->wide_chunks ? 8 : 4;
        inode->behind = (inode->behind + entry - 1) & ~(uint64_t)(entry - 1);
        uint64_t shift = 12 + inode->chunk_blocks;
        uint64_t chunks = inode->size ? ((inode->size - 1) >> shift) + 1 : 0;
        return inode->behind > end || chunks > (end - inode->behind) / entry ? -BM_EIO : 0;
    }
    if (inode->layout == EROFS_INLINE && tail &&
        (inode->behind >= end || inode->behind % EROFS_BLOCK + tail > EROFS_BLOCK))
        return -BM_EIO;
    if (inode->layout == EROFS_PLAIN && tail)
        whole++;
    return whole && (inode->block >= super->blocks || whole > super->blocks - inode->block) ? -BM_EIO : 0;
}

static bool has_data(uint32_t mode)
{
    uint32_t type = mode & BM_FILE_TYPE;
    return type == BM_FILE_REGULAR || type == BM_FILE_DIRECTORY || type == BM_FILE_LINK;
}

static bool is_type(uint32_t mode)
{
    uint32_t type = mode & BM_FILE_TYPE;
    return has_data(mode) || type == BM_FILE_CHARACTER || type == BM_FILE_BLOCK || type == BM_FILE_PIPE ||
           type == BM_FILE_SOCKET;
}

int bm_erofs_inode_parse(const uint8_t *bytes, size_t size, const struct erofs_super *super, uint64_t number,
                         struct erofs_inode *inode)
{
    if (size < COMPACT)
        return -BM_EIO;
    uint32_t format = get16(bytes), attributes = get16(bytes + 2), chunk = get16(bytes + 16);
    bool large = format & 1;
    if (format & ~15u || (large && size < EROFS_INODE_MAX))
        return -BM_EIO;
    *inode =
        (struct erofs_inode){.layout = format >> 1, .mode = get16(bytes + 4), .block = get32(bytes + 16)};
    if (inode->layout != EROFS_PLAIN && inode->layout != EROFS_INLINE && inode->layout != EROFS_CHUNKS)
        return -BM_EOPNOTSUPP; // compressed
    if (large)
        extended(bytes, inode);
    else
        compact(bytes, super, inode);
    inode->behind = bm_erofs_inode_place(super, number) + (large ? EROFS_INODE_MAX : COMPACT) +
                    (attributes ? ATTRIBUTES_HEAD + 4 * (attributes - 1) : 0);
    if (inode->layout == EROFS_CHUNKS) {
        if (chunk & ~(uint32_t)CHUNK_KNOWN)
            return -BM_EOPNOTSUPP;
        inode->chunk_blocks = chunk & CHUNK_BITS;
        inode->wide_chunks = chunk & CHUNK_WIDE;
    }
    if (!is_type(inode->mode))
        return -BM_EIO;
    return has_data(inode->mode) ? check_data(super, inode) : 0;
}

// Where the names of entries begin and end.
static unsigned name_of(const uint8_t *block, unsigned index)
{
    return get16(block + index * EROFS_ENTRY + 8);
}

// The last one may end in zeros before the block does.
static size_t length_of(const uint8_t *block, size_t size, unsigned index, unsigned count)
{
    size_t begin = name_of(block, index), end = index + 1 < count ? name_of(block, index + 1) : size;
    size_t length = 0;
    while (begin + length < end && block[begin + length])
        length++;
    return length;
}

int bm_erofs_directory_count(const uint8_t *block, size_t size)
{
    if (size < EROFS_ENTRY)
        return -BM_EIO;
    unsigned first = name_of(block, 0), count = first / EROFS_ENTRY, before = first;
    if (first < EROFS_ENTRY || first % EROFS_ENTRY || first >= size)
        return -BM_EIO;
    for (unsigned i = 0; i < count; i++) {
        unsigned begin = name_of(block, i), end = i + 1 < count ? name_of(block, i + 1) : (unsigned)size;
        unsigned type = block[i * EROFS_ENTRY + 10];
        if (begin < before || end <= begin || end > size || type > TYPES)
            return -BM_EIO;
        size_t length = length_of(block, size, i, count);
        if (length == 0 || length > NAME_MAX || (i + 1 < count && length != end - begin))
            return -BM_EIO;
        for (size_t k = 0; k < length; k++)
            if (block[begin + k] == '/')
                return -BM_EIO;
        before = begin;
    }
    return (int)count;
}

struct erofs_entry bm_erofs_directory_entry(const uint8_t *block, size_t size, unsigned index, unsigned count)
{
    static const uint16_t types[TYPES + 1] = {0,
                                              BM_FILE_REGULAR,
                                              BM_FILE_DIRECTORY,
                                              BM_FILE_CHARACTER,
                                              BM_FILE_BLOCK,
                                              BM_FILE_PIPE,
                                              BM_FILE_SOCKET,
                                              BM_FILE_LINK};
    const uint8_t *entry = block + index * EROFS_ENTRY;
    return (struct erofs_entry){.inode = get64(entry),
                                .name = (const char *)block + name_of(block, index),
                                .length = length_of(block, size, index, count),
                                .type = types[entry[10]]};
}
