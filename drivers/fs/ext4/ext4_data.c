// Writing a file's bytes on the machine: through to the disk, and to pages that are in the page cache.
// SPDX-License-Identifier: MIT
//
// Blocks that are new are unwritten until their bytes have arrived, so a crash shows zeros or what was
// written. Behind a file's end its last block holds zeros.
#include "ext4_writing.h"

#include <baremetal/error.h>

enum { CHUNK = 65536 }; // bytes that are written at once

// A part of a file that is written: whole blocks in memory. A program's bytes are copied there before the
// lock is taken, since they may be pages of a file of this file system that are not there yet.
struct chunk {
    struct ext4_mounted *fs;
    struct ext4_inode *file;
    uint8_t *bytes, *block; // what is written; a block of which a part is kept
    uint32_t first, count;  // blocks
};

static int64_t now(const struct ext4_mounted *fs)
{
    return fs->disk.now(fs->disk.arg);
}

// Reads a block of which a part is kept; zeros where nothing was written.
static int block_read(const struct chunk *chunk, uint32_t at)
{
    struct ext4_fs *fs = &chunk->fs->fs;
    struct ext4_extent extent;
    int error = bm_ext4_map(fs, chunk->file, at, &extent);
    if (error)
        return error;
    if (!extent.hole)
        return fs->disk->read(fs->disk->arg, (extent.block + at - extent.first) << fs->super.block_bits,
                              chunk->block, fs->super.block_size);
    __builtin_memset(chunk->block, 0, fs->super.block_size);
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

// What is kept of the first and the last block.
static int rest_read(const struct chunk *chunk, uint64_t offset, uint64_t end)
{
    uint32_t size = chunk->fs->fs.super.block_size, head = (uint32_t)offset & (size - 1);
    uint32_t tail = (uint32_t)end & (size - 1), last = chunk->first + chunk->count - 1;
    int error = head ? block_read(chunk, chunk->first) : 0;
    if (!error && head)
        __builtin_memcpy(chunk->bytes, chunk->block, head);
    if (!error && tail)
        error = block_read(chunk, last);
    if (!error && tail)
        __builtin_memcpy(chunk->bytes + (size_t)(chunk->count - 1) * size + tail, chunk->block + tail,
                         size - tail);
    return error;
}

// Writes *size bytes of the chunk to `offset`, where they lie in it as in their blocks; fewer on a full disk.
// Under the lock.
static int chunk_write(struct chunk *chunk, size_t *size, uint64_t offset)
{
    struct ext4_fs *fs = &chunk->fs->fs;
    uint64_t end = offset + *size;
    uint32_t there;
    chunk->first = (uint32_t)(offset >> fs->super.block_bits);
    chunk->count = (uint32_t)((end - 1) >> fs->super.block_bits) - chunk->first + 1;
    int error = bm_ext4_file_allocate(fs, chunk->file, chunk->first, chunk->count, &there);
    if (error == -BM_ENOSPC && there) { // as much as there is space for
        chunk->count = there;
        end = ((uint64_t)chunk->first + there) << fs->super.block_bits;
        *size = (size_t)(end - offset);
        error = 0;
    }
    if (!error)
        error = rest_read(chunk, offset, end);
    if (!error)
        error = blocks_write(chunk);
    if (error)
        return error;
    chunk->file->modified = chunk->file->changed = now(chunk->fs);
    return bm_ext4_file_written(fs, chunk->file, chunk->first, chunk->count, end);
}

static int part_write(struct chunk *chunk, struct bm_inode *inode, const uint8_t *from, size_t *size,
                      uint64_t offset)
{
    struct ext4_mounted *fs = chunk->fs;
    uint8_t *bytes = chunk->bytes + offset % fs->fs.super.block_size;
    __builtin_memcpy(bytes, from, *size);
    int error = bm_ext4_change_begin(fs);
    if (error)
        return error;
    error = ext4_refuse(chunk->file, offset == chunk->file->size);
    if (!error)
        error = chunk_write(chunk, size, offset);
    atomic_store(&inode->size, chunk->file->size);
    error = bm_ext4_change_end(fs, error);
    if (!error)
        bm_page_cache_written(&fs->cache, inode, offset, bytes, *size);
    else // some of it may be on the disk
        bm_page_cache_cut(&fs->cache, inode->number, offset & ~(uint64_t)(BM_PAGE_SIZE - 1));
    return error;
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
    chunk.block = bm_inode_memory_allocate(EXT4_BLOCK_MAX);
    int error = chunk.bytes && chunk.block ? 0 : -BM_ENOMEM;
    size_t done = 0;
    while (done < size && !error) {
        size_t part = CHUNK - (offset + done) % fs->fs.super.block_size;
        if (part > size - done)
            part = size - done;
        size_t wanted = part;
        error = part_write(&chunk, inode, from + done, &part, offset + done);
        done += error ? 0 : part;
        if (part < wanted)
            break;
    }
    bm_inode_memory_free(chunk.block, EXT4_BLOCK_MAX);
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
    struct ext4_inode *file = ext4_fields_of(inode);
    uint32_t total = (uint32_t)(end - from), done;
    error = ext4_refuse(file, first * BM_PAGE_SIZE >= file->size);
    if (!error)
        error = bm_ext4_file_fits(&fs->fs, file, (uint32_t)from, total);
    if (!error) // nothing to give back, unless it is nodes of extents that there is no space for
        error = bm_ext4_file_allocate(&fs->fs, file, (uint32_t)from, total, &done);
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
    __builtin_memset(chunk->block + rest, 0, fs->super.block_size - rest);
    return blocks_write(chunk);
}

int bm_ext4_data_resize(struct bm_inode *inode, uint64_t size)
{
    struct ext4_mounted *fs = ext4_mounted_of(inode);
    struct chunk chunk = {.fs = fs, .file = ext4_fields_of(inode)};
    uint64_t before = atomic_load(&inode->size);
    if (!(chunk.file->flags & EXT4_INODE_EXTENTS))
        return -BM_EOPNOTSUPP;
    if (ext4_refuse(chunk.file, false))
        return -BM_EPERM;
    chunk.bytes = chunk.block = bm_inode_memory_allocate(EXT4_BLOCK_MAX); // one block, which is changed
    if (!chunk.block)
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
    if (size < before) // what somebody began to read meanwhile; or, if it failed, is to be read again
        bm_page_cache_cut(&fs->cache, inode->number, error ? size & ~(uint64_t)(BM_PAGE_SIZE - 1) : size);
    bm_inode_memory_free(chunk.block, EXT4_BLOCK_MAX);
    return error;
}
