// Orphans: inodes that are truncated, or have no name any more and are still open. A crash leaves them in a
// list, and the next mount for writing ends them.
// SPDX-License-Identifier: MIT
#include "ext4_allocate.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum { TAIL = 8 }; // bytes of a block of the file of orphans: magic, checksum

#define TAIL_MAGIC 0x0b10ca04u

static int add(struct ext4_fs *fs, uint32_t number)
{
    struct ext4_buffer *buffer;
    uint8_t *super;
    int error = bm_ext4_super_change(fs, &buffer, &super);
    if (error)
        return error;
    error = bm_ext4_inode_set_deleted(fs, number, ext4_get32(super + EXT4_S_LAST_ORPHAN));
    ext4_put32(super + EXT4_S_LAST_ORPHAN, number);
    bm_ext4_super_put(fs, buffer, super);
    return error;
}

int bm_ext4_orphan_add(struct ext4_fs *fs, struct ext4_inode *inode)
{
    if (inode->orphan)
        return 0;
    int error = add(fs, inode->number);
    inode->orphan = error == 0;
    return error;
}

static int deleted_get(struct ext4_fs *fs, uint32_t number, uint32_t *deleted)
{
    struct ext4_buffer *buffer;
    uint8_t *at;
    int error = bm_ext4_inode_find(fs, number, &buffer, &at);
    if (error)
        return error;
    *deleted = ext4_get32(at + EXT4_I_DELETED);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

// Makes who is before `number` in the list, from `at` on, be before `next`.
static int bridge(struct ext4_fs *fs, uint32_t at, uint32_t number, uint32_t next)
{
    struct ext4_cycle cycle = {0};
    while (!ext4_is_cycle(&cycle, at)) {
        uint32_t behind;
        int error = deleted_get(fs, at, &behind);
        if (error)
            return error;
        if (behind == number)
            return bm_ext4_inode_set_deleted(fs, at, next);
        at = behind;
    }
    return bm_ext4_damaged(fs, "inode %lu is no orphan", number);
}

int bm_ext4_orphan_remove(struct ext4_fs *fs, struct ext4_inode *inode)
{
    uint32_t number = inode->number;
    struct ext4_buffer *buffer;
    uint8_t *super;
    uint32_t next = 0;
    int error = bm_ext4_super_change(fs, &buffer, &super);
    if (error)
        return error;
    uint32_t first = ext4_get32(super + EXT4_S_LAST_ORPHAN);
    error = deleted_get(fs, number, &next);
    if (!error && first == number)
        ext4_put32(super + EXT4_S_LAST_ORPHAN, next);
    else if (!error)
        error = bridge(fs, first, number, next);
    bm_ext4_super_put(fs, buffer, super);
    if (!error)
        error = bm_ext4_inode_set_deleted(fs, number, 0);
    inode->orphan = inode->orphan && error;
    return error;
}

// --- After a crash ---

static int list_first(struct ext4_fs *fs, uint32_t *number)
{
    struct ext4_buffer *buffer;
    uint32_t size = fs->super.block_size;
    int error = bm_ext4_buffer_get(fs, EXT4_SUPER_OFFSET / size, &buffer);
    if (error)
        return error;
    *number = ext4_get32(buffer->data + EXT4_SUPER_OFFSET % size + EXT4_S_LAST_ORPHAN);
    bm_ext4_buffer_put(fs, buffer);
    return 0;
}

// One in the list: without links it goes, otherwise what is behind its size.
static int end_one(struct ext4_fs *fs, uint32_t number)
{
    struct ext4_inode inode;
    int error = bm_ext4_inode_get(fs, number, &inode);
    if (error)
        return error;
    inode.orphan = true;
    return inode.links ? bm_ext4_file_cut(fs, &inode, inode.size) : bm_ext4_file_end(fs, &inode);
}

// A word of the file of orphans goes into the list.
struct word {
    uint64_t block;
    uint32_t at, seed; // byte of it; of the file
};

static int move_step(struct ext4_fs *fs, void *arg)
{
    const struct word *word = arg;
    struct ext4_buffer *buffer;
    uint8_t place[8];
    int error = bm_ext4_buffer_get(fs, word->block, &buffer);
    if (error)
        return error;
    error = bm_ext4_buffer_change(fs, buffer, EXT4_ROLE_ORPHANS);
    if (!error) {
        uint32_t number = ext4_get32(buffer->data + word->at), tail = fs->super.block_size - TAIL;
        ext4_put32(buffer->data + word->at, 0);
        ext4_put32(place, (uint32_t)word->block);
        ext4_put32(place + 4, (uint32_t)(word->block >> 32));
        uint32_t crc = bm_ext4_crc32c(word->seed, place, sizeof place);
        if (ext4_has_checksums(fs))
            ext4_put32(buffer->data + tail + 4, bm_ext4_crc32c(crc, buffer->data, tail));
        error = add(fs, number);
    }
    bm_ext4_buffer_put(fs, buffer);
    return error;
}

static int move_block(struct ext4_fs *fs, struct word word)
{
    int error = 0;
    uint32_t tail = fs->super.block_size - TAIL;
    for (word.at = 0; word.at < tail && !error; word.at += 4) {
        struct ext4_buffer *buffer;
        error = bm_ext4_buffer_get(fs, word.block, &buffer);
        if (error)
            break;
        uint32_t number = ext4_get32(buffer->data + word.at), magic = ext4_get32(buffer->data + tail);
        bm_ext4_buffer_put(fs, buffer);
        if (magic != TAIL_MAGIC)
            error = bm_ext4_damaged(fs, "block %lu of the file of orphans is damaged", word.block);
        else if (number)
            error = bm_ext4_operate(fs, NULL, 0, move_step, &word);
    }
    return error;
}

static int present_clear(struct ext4_fs *fs, void *arg)
{
    struct ext4_buffer *buffer;
    uint8_t *super;
    (void)arg;
    int error = bm_ext4_super_change(fs, &buffer, &super);
    if (error)
        return error;
    ext4_put32(super + EXT4_S_RO_COMPAT,
               ext4_get32(super + EXT4_S_RO_COMPAT) & ~(uint32_t)EXT4_RO_ORPHAN_PRESENT);
    bm_ext4_super_put(fs, buffer, super);
    return 0;
}

static int file_end(struct ext4_fs *fs)
{
    struct ext4_inode file;
    int error = bm_ext4_inode_get(fs, fs->super.orphan_file, &file);
    for (uint64_t at = 0; at < file.size >> fs->super.block_bits && !error; at++) {
        struct ext4_extent extent;
        error = bm_ext4_map(fs, &file, at, &extent);
        if (!error && !extent.hole)
            error =
                move_block(fs, (struct word){.block = extent.block + (at - extent.first), .seed = file.seed});
    }
    if (!error)
        error = bm_ext4_operate(fs, NULL, 0, present_clear, NULL);
    if (!error)
        fs->super.ro_compat &= ~(uint32_t)EXT4_RO_ORPHAN_PRESENT;
    return error;
}

int bm_ext4_orphans_end(struct ext4_fs *fs)
{
    uint32_t number = 0;
    int error = fs->super.ro_compat & EXT4_RO_ORPHAN_PRESENT ? file_end(fs) : 0;
    if (!error)
        error = list_first(fs, &number);
    while (number && !error) {
        error = end_one(fs, number);
        if (!error)
            error = list_first(fs, &number);
    }
    return error;
}
