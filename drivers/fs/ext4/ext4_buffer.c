// Blocks of metadata in memory.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>
#include <baremetal/inode.h>

static struct ext4_buffer **bucket_of(struct ext4_fs *fs, uint64_t block)
{
    return &fs->buckets[(block ^ block >> 9) % EXT4_BUCKETS];
}

static void list_remove(struct ext4_fs *fs, struct ext4_buffer *buffer)
{
    *(buffer->older ? &buffer->older->newer : &fs->oldest) = buffer->newer;
    *(buffer->newer ? &buffer->newer->older : &fs->newest) = buffer->older;
    buffer->older = buffer->newer = NULL;
}

static void list_add(struct ext4_fs *fs, struct ext4_buffer *buffer)
{
    buffer->older = fs->newest;
    *(fs->newest ? &fs->newest->newer : &fs->oldest) = buffer;
    fs->newest = buffer;
}

static void buffer_free(struct ext4_fs *fs, struct ext4_buffer *buffer)
{
    struct ext4_buffer **link = bucket_of(fs, buffer->block);
    while (*link != buffer)
        link = &(*link)->chain;
    *link = buffer->chain;
    bm_inode_memory_free(buffer->data, EXT4_BLOCK_MAX);
    bm_inode_memory_free(buffer, sizeof *buffer);
    fs->buffers--;
}

// Gives up the one that was used longest ago.
static bool shrink(struct ext4_fs *fs)
{
    struct ext4_buffer *buffer = fs->oldest;
    if (!buffer)
        return false;
    list_remove(fs, buffer);
    buffer_free(fs, buffer);
    return true;
}

static void *allocate(struct ext4_fs *fs, size_t size)
{
    void *block;
    do
        block = bm_inode_memory_allocate(size);
    while (!block && shrink(fs));
    return block;
}

// A whole page each, so that the disk takes it as it is.
static struct ext4_buffer *buffer_make(struct ext4_fs *fs, uint64_t block)
{
    while (fs->buffers >= fs->buffers_max && shrink(fs))
        ;
    struct ext4_buffer *buffer = allocate(fs, sizeof *buffer);
    if (!buffer)
        return NULL;
    buffer->data = allocate(fs, EXT4_BLOCK_MAX);
    if (!buffer->data) {
        bm_inode_memory_free(buffer, sizeof *buffer);
        return NULL;
    }
    struct ext4_buffer **bucket = bucket_of(fs, block);
    buffer->block = block;
    buffer->references = 1;
    buffer->chain = *bucket;
    *bucket = buffer;
    fs->buffers++;
    return buffer;
}

struct ext4_buffer *bm_ext4_buffer_find(struct ext4_fs *fs, uint64_t block)
{
    struct ext4_buffer *buffer = *bucket_of(fs, block);
    while (buffer && buffer->block != block)
        buffer = buffer->chain;
    return buffer;
}

// The block if it is in memory, with a reference.
static struct ext4_buffer *hold(struct ext4_fs *fs, uint64_t block)
{
    struct ext4_buffer *buffer = bm_ext4_buffer_find(fs, block);
    if (buffer && buffer->references++ == 0)
        list_remove(fs, buffer);
    return buffer;
}

int bm_ext4_buffer_get(struct ext4_fs *fs, uint64_t block, struct ext4_buffer **found)
{
    struct ext4_buffer *buffer = *found = hold(fs, block);
    if (buffer)
        return 0;
    if (block >= fs->super.blocks)
        return bm_ext4_damaged(fs, "block %lu is beyond the end", block);
    buffer = buffer_make(fs, block);
    if (!buffer)
        return -BM_ENOMEM;
    int error =
        fs->disk->read(fs->disk->arg, block << fs->super.block_bits, buffer->data, fs->super.block_size);
    if (error) {
        buffer_free(fs, buffer);
        return error;
    }
    *found = buffer;
    return 0;
}

int bm_ext4_buffer_hold(struct ext4_fs *fs, uint64_t block, struct ext4_buffer **found)
{
    struct ext4_buffer *buffer = *found = hold(fs, block);
    if (!buffer)
        buffer = *found = buffer_make(fs, block);
    return buffer ? 0 : -BM_ENOMEM;
}

void bm_ext4_buffer_put(struct ext4_fs *fs, struct ext4_buffer *buffer)
{
    if (buffer && --buffer->references == 0)
        list_add(fs, buffer);
}

void bm_ext4_buffers_end(struct ext4_fs *fs)
{
    while (shrink(fs))
        ;
}
