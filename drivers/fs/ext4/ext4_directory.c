// Directories: names in blocks, one behind the other.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum { TYPES = 8 };

static const uint32_t types[TYPES] = {0,
                                      BM_FILE_REGULAR,
                                      BM_FILE_DIRECTORY,
                                      BM_FILE_CHARACTER,
                                      BM_FILE_BLOCK,
                                      BM_FILE_PIPE,
                                      BM_FILE_SOCKET,
                                      BM_FILE_LINK};

static bool entries_are_right(const struct ext4_fs *fs, const uint8_t *block)
{
    uint32_t size = fs->super.block_size;
    for (uint32_t at = 0, length; at < size; at += length) {
        if (size - at < EXT4_D_NAME)
            return false;
        length = ext4_get16(block + at + EXT4_D_LENGTH);
        uint32_t inode = ext4_get32(block + at + EXT4_D_INODE), name = block[at + EXT4_D_NAME_LENGTH];
        if (length < EXT4_D_NAME + name || length % 4 || length > size - at || inode > fs->super.inodes ||
            (inode && !name))
            return false;
        for (uint32_t i = 0; inode && i < name; i++)
            if (!block[at + EXT4_D_NAME + i] || block[at + EXT4_D_NAME + i] == '/')
                return false;
    }
    return true;
}

// A block of the index looks like one without names.
bool bm_ext4_is_index(const struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                      const uint8_t *block)
{
    return directory->flags & EXT4_INODE_INDEX &&
           (index == 0 ||
            (ext4_get32(block) == 0 && ext4_get16(block + EXT4_D_LENGTH) == fs->super.block_size));
}

static bool index_checksum_is_right(const struct ext4_fs *fs, const struct ext4_inode *directory,
                                    const uint8_t *block, uint32_t entries)
{
    static const uint8_t zeros[4];
    uint32_t limit = ext4_get16(block + entries), count = ext4_get16(block + entries + 2);
    uint32_t tail = entries + limit * EXT4_DX_ENTRY;
    if (tail > fs->super.block_size - EXT4_DX_TAIL || count > limit)
        return false;
    uint32_t crc = bm_ext4_crc32c(directory->seed, block, entries + count * EXT4_DX_ENTRY);
    crc = bm_ext4_crc32c(crc, block + tail, EXT4_DX_TAIL - sizeof zeros);
    crc = bm_ext4_crc32c(crc, zeros, sizeof zeros);
    return crc == ext4_get32(block + tail + EXT4_DX_TAIL - sizeof zeros);
}

static bool checksum_is_right(const struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                              const uint8_t *block)
{
    if (!ext4_has_checksums(fs))
        return true;
    if (bm_ext4_is_index(fs, directory, index, block))
        return index_checksum_is_right(fs, directory, block, index ? EXT4_DX_NODE : EXT4_DX_ROOT);
    const uint8_t *tail = block + fs->super.block_size - EXT4_D_TAIL;
    return ext4_get32(tail) == 0 && ext4_get16(tail + EXT4_D_LENGTH) == EXT4_D_TAIL &&
           tail[EXT4_D_TYPE] == EXT4_D_TAIL_TYPE &&
           ext4_get32(tail + EXT4_D_NAME) ==
               bm_ext4_crc32c(directory->seed, block, fs->super.block_size - EXT4_D_TAIL);
}

int bm_ext4_directory_block(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                            struct ext4_buffer **buffer)
{
    struct ext4_extent extent;
    *buffer = NULL;
    int error = bm_ext4_map(fs, directory, index, &extent);
    if (error || extent.hole)
        return error;
    error = bm_ext4_buffer_get(fs, extent.block + (index - extent.first), buffer);
    if (error || (*buffer)->checked & EXT4_ROLE_DIRECTORY)
        return error;
    const uint8_t *block = (*buffer)->data;
    if (entries_are_right(fs, block) && checksum_is_right(fs, directory, index, block)) {
        (*buffer)->checked |= EXT4_ROLE_DIRECTORY;
        return 0;
    }
    bm_ext4_buffer_put(fs, *buffer);
    *buffer = NULL;
    return bm_ext4_damaged(fs, "directory %lu is damaged", directory->number);
}

int bm_ext4_block_find(const struct ext4_fs *fs, const uint8_t *block, const char *name, size_t length)
{
    for (uint32_t at = 0; at < fs->super.block_size; at += ext4_get16(block + at + EXT4_D_LENGTH))
        if (ext4_get32(block + at) && block[at + EXT4_D_NAME_LENGTH] == length &&
            !__builtin_memcmp(block + at + EXT4_D_NAME, name, length))
            return (int)at;
    return -1;
}

int bm_ext4_directory_locate(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name,
                             size_t length, struct ext4_place *place)
{
    if (length > EXT4_NAME_MAX)
        return -BM_ENAMETOOLONG;
    if (directory->flags & EXT4_INODE_INDEX && name[0] != '.') {
        int error = bm_ext4_index_find(fs, directory, name, length, place);
        if (error != -BM_EOPNOTSUPP)
            return error;
    }
    uint32_t blocks = (uint32_t)(directory->size >> fs->super.block_bits);
    for (uint32_t i = 0; i < blocks; i++) {
        struct ext4_buffer *buffer;
        int error = bm_ext4_directory_block(fs, directory, i, &buffer);
        if (error)
            return error;
        int at = buffer ? bm_ext4_block_find(fs, buffer->data, name, length) : -1;
        if (at >= 0)
            *place = (struct ext4_place){ext4_get32(buffer->data + at), i, (uint32_t)at};
        bm_ext4_buffer_put(fs, buffer);
        if (at >= 0)
            return 0;
    }
    return -BM_ENOENT;
}

int bm_ext4_directory_find(struct ext4_fs *fs, const struct ext4_inode *directory, const char *name,
                           size_t length, uint32_t *inode)
{
    struct ext4_place place;
    int error = bm_ext4_directory_locate(fs, directory, name, length, &place);
    if (!error)
        *inode = place.inode;
    return error;
}

static bool is_dots(const uint8_t *entry)
{
    const uint8_t *name = entry + EXT4_D_NAME;
    uint32_t length = entry[EXT4_D_NAME_LENGTH];
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

// The first name at or behind the byte `from` of a block: its place, or the block's size.
static uint32_t next_in_block(const struct ext4_fs *fs, const uint8_t *block, uint32_t from)
{
    uint32_t at = 0;
    while (at < fs->super.block_size && (at < from || !ext4_get32(block + at) || is_dots(block + at)))
        at += ext4_get16(block + at + EXT4_D_LENGTH);
    return at;
}

void bm_ext4_entry_take(const struct ext4_fs *fs, const uint8_t *at, struct ext4_entry *entry)
{
    bool typed = fs->super.incompat & EXT4_INCOMPAT_FILETYPE && at[EXT4_D_TYPE] < TYPES;
    entry->inode = ext4_get32(at);
    entry->length = at[EXT4_D_NAME_LENGTH];
    entry->type = typed ? types[at[EXT4_D_TYPE]] : 0;
    __builtin_memcpy(entry->name, at + EXT4_D_NAME, entry->length);
    entry->name[entry->length] = 0;
}

int bm_ext4_directory_scan(struct ext4_fs *fs, const struct ext4_inode *directory, uint64_t place,
                           struct ext4_entry *entry)
{
    while (place < directory->size) {
        uint64_t index = place >> fs->super.block_bits;
        struct ext4_buffer *buffer;
        int error = bm_ext4_directory_block(fs, directory, (uint32_t)index, &buffer);
        if (error)
            return error;
        uint32_t at =
            buffer ? next_in_block(fs, buffer->data, place % fs->super.block_size) : fs->super.block_size;
        if (at < fs->super.block_size) {
            bm_ext4_entry_take(fs, buffer->data + at, entry);
            entry->next = (index << fs->super.block_bits) + at + 1;
        }
        bm_ext4_buffer_put(fs, buffer);
        if (at < fs->super.block_size)
            return 1;
        place = (index + 1) << fs->super.block_bits;
    }
    return 0;
}
