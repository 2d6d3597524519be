// Changing directories: names in blocks, one behind the other.
// SPDX-License-Identifier: MIT
#include "ext4_write.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum { DOTS = 12 }; // bytes of an entry with "." or ".."

static uint32_t size_of(size_t length)
{
    return (uint32_t)(EXT4_D_NAME + length + 3) & ~3u;
}

// Where a block's names end.
static uint32_t end_of(const struct ext4_fs *fs)
{
    return fs->super.block_size - (ext4_has_checksums(fs) ? EXT4_D_TAIL : 0);
}

static uint32_t type_of(const struct ext4_fs *fs, uint32_t type)
{
    static const uint8_t types[] = {[BM_FILE_REGULAR >> 12] = 1,   [BM_FILE_DIRECTORY >> 12] = 2,
                                    [BM_FILE_CHARACTER >> 12] = 3, [BM_FILE_BLOCK >> 12] = 4,
                                    [BM_FILE_PIPE >> 12] = 5,      [BM_FILE_SOCKET >> 12] = 6,
                                    [BM_FILE_LINK >> 12] = 7};
    uint32_t index = (type & BM_FILE_TYPE) >> 12;
    return fs->super.incompat & EXT4_INCOMPAT_FILETYPE && index < sizeof types ? types[index] : 0;
}

static void entry_put(const struct ext4_fs *fs, uint8_t *at, uint32_t number, uint32_t size, const char *name,
                      size_t length, uint32_t type)
{
    ext4_put32(at + EXT4_D_INODE, number);
    ext4_put16(at + EXT4_D_LENGTH, size);
    at[EXT4_D_NAME_LENGTH] = (uint8_t)length;
    at[EXT4_D_TYPE] = (uint8_t)type_of(fs, type);
    __builtin_memcpy(at + EXT4_D_NAME, name, length);
}

void bm_ext4_block_clear(const struct ext4_fs *fs, struct ext4_buffer *buffer)
{
    uint32_t end = end_of(fs);
    ext4_put16(buffer->data + EXT4_D_LENGTH, end);
    if (end == fs->super.block_size)
        return;
    ext4_put16(buffer->data + end + EXT4_D_LENGTH, EXT4_D_TAIL);
    buffer->data[end + EXT4_D_TYPE] = EXT4_D_TAIL_TYPE;
}

// A block that is no index any more, as two of one directory on a damaged disk may be one, stays unsealed.
static void index_seal(const struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t entries,
                       uint8_t *block)
{
    static const uint8_t zeros[4];
    uint32_t limit = ext4_get16(block + entries), count = ext4_get16(block + entries + 2);
    if (count > limit || entries + limit * EXT4_DX_ENTRY + EXT4_DX_TAIL > fs->super.block_size)
        return;
    uint8_t *tail = block + entries + limit * EXT4_DX_ENTRY;
    uint32_t crc = bm_ext4_crc32c(directory->seed, block, entries + count * EXT4_DX_ENTRY);
    crc = bm_ext4_crc32c(crc, tail, EXT4_DX_TAIL - sizeof zeros);
    crc = bm_ext4_crc32c(crc, zeros, sizeof zeros);
    ext4_put32(tail + EXT4_DX_TAIL - sizeof zeros, crc);
}

void bm_ext4_block_seal(const struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                        struct ext4_buffer *buffer)
{
    uint8_t *block = buffer->data;
    if (bm_ext4_is_index(fs, directory, index, block)) {
        if (ext4_has_checksums(fs))
            index_seal(fs, directory, index ? EXT4_DX_NODE : EXT4_DX_ROOT, block);
        return;
    }
    buffer->checked |= EXT4_ROLE_DIRECTORY;
    if (!ext4_has_checksums(fs))
        return;
    uint32_t end = end_of(fs);
    ext4_put32(block + end + EXT4_D_NAME, bm_ext4_crc32c(directory->seed, block, end));
}

int bm_ext4_block_add(struct ext4_fs *fs, const struct ext4_inode *directory, struct ext4_buffer *buffer,
                      const char *name, size_t length, uint32_t number, uint32_t type)
{
    uint32_t end = end_of(fs), needed = size_of(length), at = 0, size = 0, used = 0;
    for (; at < end; at += size) {
        const uint8_t *entry = buffer->data + at;
        size = ext4_get16(entry + EXT4_D_LENGTH);
        used = ext4_get32(entry) ? size_of(entry[EXT4_D_NAME_LENGTH]) : 0;
        if (size >= used + needed)
            break;
    }
    if (at >= end)
        return -BM_ENOSPC;
    int error = bm_ext4_buffer_change(fs, buffer, EXT4_ROLE_DIRECTORY);
    if (error)
        return error;
    if (used)
        ext4_put16(buffer->data + at + EXT4_D_LENGTH, used);
    entry_put(fs, buffer->data + at + used, number, size - used, name, length, type);
    bm_ext4_block_seal(fs, directory, 1, buffer); // never a block of the index
    return 0;
}

int bm_ext4_directory_grow(struct ext4_fs *fs, struct ext4_inode *directory, enum ext4_role role,
                           uint32_t *index, struct ext4_buffer **buffer)
{
    struct ext4_extent extent = {.first = directory->size >> fs->super.block_bits, .count = 1}, before;
    uint64_t goal = (uint64_t)((directory->number - 1) / fs->super.group_inodes) * fs->super.group_blocks;
    uint32_t one = 1;
    int error = extent.first ? bm_ext4_map(fs, directory, extent.first - 1, &before) : 0;
    if (!error && extent.first && !before.hole)
        goal = before.block + (extent.first - before.first);
    if (!error)
        error = bm_ext4_blocks_allocate(fs, goal, false, &extent.block, &one);
    if (!error)
        error = bm_ext4_extent_insert(fs, directory, &extent);
    if (!error)
        error = bm_ext4_buffer_new(fs, extent.block, role, buffer);
    if (error)
        return error;
    *index = (uint32_t)extent.first;
    directory->size += fs->super.block_size;
    directory->blocks += fs->super.block_size >> 9;
    return 0;
}

static int add_to_new(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                      uint32_t number, uint32_t type)
{
    struct ext4_buffer *buffer;
    uint32_t index;
    int error = bm_ext4_directory_grow(fs, directory, EXT4_ROLE_DIRECTORY, &index, &buffer);
    if (error)
        return error;
    bm_ext4_block_clear(fs, buffer);
    error = bm_ext4_block_add(fs, directory, buffer, name, length, number, type);
    bm_ext4_buffer_put(fs, buffer);
    return error;
}

static int add_linear(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                      uint32_t number, uint32_t type)
{
    for (uint32_t i = 0; i < directory->size >> fs->super.block_bits; i++) {
        struct ext4_buffer *buffer;
        int error = bm_ext4_directory_block(fs, directory, i, &buffer);
        if (!error && buffer)
            error = bm_ext4_block_add(fs, directory, buffer, name, length, number, type);
        else if (!error)
            error = -BM_ENOSPC;
        bm_ext4_buffer_put(fs, buffer);
        if (error != -BM_ENOSPC)
            return error;
    }
    if (directory->size == fs->super.block_size && fs->super.compat & EXT4_COMPAT_DIR_INDEX &&
        fs->super.hash <= EXT4_HASH_TEA) {
        int error = bm_ext4_index_make(fs, directory);
        return error ? error : bm_ext4_index_add(fs, directory, name, length, number, type);
    }
    return add_to_new(fs, directory, name, length, number, type);
}

int bm_ext4_entry_add(struct ext4_fs *fs, struct ext4_inode *directory, const char *name, size_t length,
                      uint32_t number, uint32_t type)
{
    if (!(directory->flags & EXT4_INODE_EXTENTS))
        return -BM_EOPNOTSUPP;
    if (directory->flags & EXT4_INODE_INDEX)
        return bm_ext4_index_add(fs, directory, name, length, number, type);
    return add_linear(fs, directory, name, length, number, type);
}

// --- What is there ---

static int place_change(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t index,
                        struct ext4_buffer **buffer)
{
    int error = bm_ext4_directory_block(fs, directory, index, buffer);
    if (!error && !*buffer)
        error = bm_ext4_damaged(fs, "directory %lu has a hole", directory->number);
    if (error)
        return error;
    error = bm_ext4_buffer_change(fs, *buffer, EXT4_ROLE_DIRECTORY);
    if (error)
        bm_ext4_buffer_put(fs, *buffer);
    return error;
}

int bm_ext4_entry_remove(struct ext4_fs *fs, const struct ext4_inode *directory,
                         const struct ext4_place *place)
{
    struct ext4_buffer *buffer;
    int error = place_change(fs, directory, place->block, &buffer);
    if (error)
        return error;
    uint8_t *block = buffer->data;
    uint32_t size = ext4_get16(block + place->at + EXT4_D_LENGTH), before = 0, at = 0;
    for (; at < place->at; at += ext4_get16(block + at + EXT4_D_LENGTH))
        before = at;
    if (at != place->at) { // this operation changed it as a block of another directory
        bm_ext4_buffer_put(fs, buffer);
        return bm_ext4_damaged(fs, "directory %lu is damaged", directory->number);
    }
    __builtin_memset(block + place->at, 0, size);
    if (place->at) // who is before has its space
        ext4_put16(block + before + EXT4_D_LENGTH, place->at - before + size);
    else
        ext4_put16(block + EXT4_D_LENGTH, size);
    bm_ext4_block_seal(fs, directory, place->block, buffer);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

int bm_ext4_entry_set(struct ext4_fs *fs, const struct ext4_inode *directory, const struct ext4_place *place,
                      uint32_t number, uint32_t type)
{
    struct ext4_buffer *buffer;
    int error = place_change(fs, directory, place->block, &buffer);
    if (error)
        return error;
    ext4_put32(buffer->data + place->at + EXT4_D_INODE, number);
    buffer->data[place->at + EXT4_D_TYPE] = (uint8_t)type_of(fs, type);
    bm_ext4_block_seal(fs, directory, place->block, buffer);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

int bm_ext4_directory_begin(struct ext4_fs *fs, struct ext4_inode *directory, uint32_t parent)
{
    struct ext4_buffer *buffer;
    uint32_t index;
    int error = bm_ext4_directory_grow(fs, directory, EXT4_ROLE_DIRECTORY, &index, &buffer);
    if (error)
        return error;
    bm_ext4_block_clear(fs, buffer);
    entry_put(fs, buffer->data, directory->number, DOTS, ".", 1, BM_FILE_DIRECTORY);
    entry_put(fs, buffer->data + DOTS, parent, end_of(fs) - DOTS, "..", 2, BM_FILE_DIRECTORY);
    bm_ext4_block_seal(fs, directory, 0, buffer);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

int bm_ext4_directory_set_parent(struct ext4_fs *fs, const struct ext4_inode *directory, uint32_t parent)
{
    struct ext4_buffer *buffer;
    int error = bm_ext4_directory_block(fs, directory, 0, &buffer);
    int at = !error && buffer ? bm_ext4_block_find(fs, buffer->data, "..", 2) : -1;
    bm_ext4_buffer_put(fs, error ? NULL : buffer);
    if (!error && at < 0)
        error = bm_ext4_damaged(fs, "directory %lu has no parent", directory->number);
    struct ext4_place place = {.at = (uint32_t)at};
    return error ? error : bm_ext4_entry_set(fs, directory, &place, parent, BM_FILE_DIRECTORY);
}
