// Writing a file's bytes on the machine: through to the disk, and to pages that are in the page cache.
// SPDX-License-Identifier: MIT
//
// Blocks that are new are unwritten until their bytes have arrived, so a crash shows zeros or what was
// written. Behind a file's end its last block holds zeros.
#include "ext4_writing.h"

#include <baremetal/error.h>

enum { CHUNK = 65536 }; // bytes that are written at once

// A part of a file that is written: whole blocks in memory.
struct chunk {
    struct ext4_mounted *fs;
    struct ext4_inode *file;
    uint8_t *bytes;
    uint32_t first, count; // blocks
};

static int64_t now(const struct ext4_mounted *fs)
{
    return fs->disk.now(fs->disk.arg);
}

// Reads a block of which a part is kept; zeros where nothing was written.
static int block_read(const struct chunk *chunk, uint32_t at)
{
    struct ext4_fs *fs = &chunk->fs->fs;
    uint8_t *to = chunk->bytes + ((size_t)(at - chunk->first) << fs->super.block_bits);
    struct ext4_extent extent;
    int error = bm_ext4_map(fs, chunk->file, at, &extent);
    if (error)
        return error;
    if (!extent.hole)
        return fs->disk->read(fs->disk->arg, (extent.block + at - extent.first) << fs->super.block_bits, to,
                              fs->super.block_size);
    __builtin_memset(to, 0, fs->super.block_size);
    return 0;
}

static int blocks_write(const struct chunk *chunk)
{
    struct ext4_fs *fs = &chunk->fs->fs;
    unsigned bits = fs->super.block_bits;
    uint32_t end = chunk->first + chunk->count;
    int error = 0;
    for (uint64_t at = chunk->first, next; at < end && !error; at = next) {
        struct ext4_extent extent;
        error = bm_ext4_map(fs, chunk->file, at, &extent);
        if (!error && extent.hole && !extent.unwritten)
            error = bm_ext4_damaged(fs, "inode %lu lost a block", chunk->file->number);
        if (error)
            break;
        next = extent.first + extent.count < end ? extent.first + extent.count : end;
        error = fs->disk->write(fs->disk->arg, (extent.block + at - extent.first) << bits,
                                chunk->bytes + ((at - chunk->first) << bits), (next - at) << bits);
    }
    return error;
}

// Writes `size` bytes, at most a chunk with the blocks that they are in, to `offset`. Under the lock.
static int chunk_write(struct chunk *chunk, const uint8_t *from, size_t size, uint64_t offset)
{
    struct ext4_fs *fs = &chunk->fs->fs;
    uint32_t mask = fs->super.block_size - 1;
    uint64_t end = offset + size;
    chunk->first = (uint32_t)(offset >> fs->super.block_bits);
    chunk->count = (uint32_t)((end - 1) >> fs->super.block_bits) - chunk->first + 1;
    uint32_t last = chunk->first + chunk->count - 1;
    int error = bm_ext4_file_allocate(fs, chunk->file, chunk->first, chunk->count);
    if (!error && offset & mask)
        error = block_read(chunk, chunk->first);
    if (!error && end & mask && (last != chunk->first || !(offset & mask)))
        error = block_read(chunk, last);
    if (error)
        return error;
    __builtin_memcpy(chunk->bytes + (offset & mask), from, size);
    error = blocks_write(chunk);
    if (error)
        return error;
    chunk->file->modified = chunk->file->changed = now(chunk->fs);
    return bm_ext4_file_written(fs, chunk->file, chunk->first, chunk->count, end);
}

long bm_ext4_data_write(struct bm_inode *inode, const void *buffer, size_t size, uint64_t offset)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    struct chunk chunk = {.fs = fs, .file = ext4_fields_of(inode)};
    const uint8_t *from = buffer;
    uint64_t max = (uint64_t)(UINT32_MAX - 1) << fs->fs.super.block_bits;
    if (offset >= max)
        return -BM_EFBIG;
    if (size > max - offset)
        size = max - offset;
    chunk.bytes = bm_inode_memory_allocate(CHUNK);
    int error = chunk.bytes ? 0 : -BM_ENOMEM;
    size_t done = 0;
    while (done < size && !error) {
        size_t part = CHUNK - (offset + done) % fs->fs.super.block_size;
        if (part > size - done)
            part = size - done;
        error = bm_ext4_change_begin(fs);
        if (error)
            break;
        error = chunk_write(&chunk, from + done, part, offset + done);
        atomic_store(&inode->size, chunk.file->size);
        error = bm_ext4_change_end(fs, error);
        if (error)
            break;
        bm_page_cache_written(&fs->cache, inode, offset + done, from + done, part);
        done += part;
    }
    bm_inode_memory_free(chunk.bytes, CHUNK);
    return done ? (long)done : error;
}

int bm_ext4_data_grown(struct bm_inode *inode, uint64_t end)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    struct ext4_inode *file = ext4_fields_of(inode);
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    file->modified = file->changed = now(fs);
    if (end > file->size)
        error = bm_ext4_file_resize(&fs->fs, file, end);
    atomic_store(&inode->size, file->size);
    return bm_ext4_change_end(fs, error);
}

int bm_ext4_data_allocate(struct bm_inode *inode, uint64_t first, uint64_t last)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    unsigned bits = fs->fs.super.block_bits;
    uint64_t from = (first * BM_PAGE_SIZE) >> bits, end = ((last + 1) * BM_PAGE_SIZE) >> bits;
    if (end > UINT32_MAX || last > UINT64_MAX / BM_PAGE_SIZE - 1)
        return -BM_EFBIG;
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    error = bm_ext4_file_allocate(&fs->fs, ext4_fields_of(inode), (uint32_t)from, (uint32_t)(end - from));
    return bm_ext4_change_end(fs, error);
}

// The last block's bytes behind the new end become zeros, for the file may grow again.
static int tail_clear(struct chunk *chunk, uint64_t size)
{
    struct ext4_fs *fs = &chunk->fs->fs;
    uint32_t rest = (uint32_t)(size & (fs->super.block_size - 1));
    struct ext4_extent extent = {.hole = true};
    chunk->first = (uint32_t)(size >> fs->super.block_bits);
    chunk->count = 1;
    int error = rest ? bm_ext4_map(fs, chunk->file, chunk->first, &extent) : 0;
    if (error || extent.hole)
        return error;
    error = block_read(chunk, chunk->first);
    if (error)
        return error;
    __builtin_memset(chunk->bytes + rest, 0, fs->super.block_size - rest);
    return blocks_write(chunk);
}

int bm_ext4_data_resize(struct bm_inode *inode, uint64_t size)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    struct chunk chunk = {.fs = fs, .file = ext4_fields_of(inode)};
    uint64_t before = atomic_load(&inode->size);
    chunk.bytes = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    if (!chunk.bytes)
        return -BM_ENOMEM;
    if (size < before) { // who reads sees the new end before its blocks go
        atomic_store(&inode->size, size);
        bm_page_cache_cut(&fs->cache, inode->number, size);
    }
    int error = bm_ext4_change_begin(fs);
    if (!error) {
        if (size < before)
            error = tail_clear(&chunk, size);
        chunk.file->modified = chunk.file->changed = now(fs);
        if (!error)
            error = bm_ext4_file_resize(&fs->fs, chunk.file, size);
        atomic_store(&inode->size, chunk.file->size);
        error = bm_ext4_change_end(fs, error);
    } else {
        atomic_store(&inode->size, before);
    }
    if (size < before) // what somebody began to read meanwhile
        bm_page_cache_cut(&fs->cache, inode->number, size);
    bm_inode_memory_free(chunk.bytes, EXT4_BLOCK_MAX);
    return error;
}
