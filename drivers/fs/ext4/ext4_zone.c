// Where the tables of groups are: no file may have a block of them.
// SPDX-License-Identifier: MIT
#include "ext4_allocate.h"

#include <baremetal/error.h>
#include <baremetal/inode.h>

enum { ZONES = 4 }; // of a group: what it begins with, two bitmaps, inodes

static void add(struct ext4_zones *zones, uint64_t block, uint64_t count)
{
    if (count)
        zones->zones[zones->count++] = (struct ext4_zone){block, count};
}

static int collect(struct ext4_fs *fs, struct ext4_zones *zones)
{
    const struct ext4_super *super = &fs->super;
    uint64_t table =
        ((uint64_t)super->group_inodes * super->inode_size + super->block_size - 1) >> super->block_bits;
    struct ext4_buffer *bytes;
    int error = bm_ext4_buffer_get(fs, EXT4_SUPER_OFFSET / super->block_size, &bytes);
    if (error)
        return error;
    for (uint32_t i = 0; i < super->groups && !error; i++) {
        struct ext4_group group;
        error = bm_ext4_group_get(fs, i, &group);
        if (error)
            break;
        add(zones, super->first_data + (uint64_t)i * super->group_blocks, bm_ext4_group_head(fs, bytes, i));
        add(zones, group.block_bitmap, 1);
        add(zones, group.inode_bitmap, 1);
        add(zones, group.inode_table, table);
    }
    bm_ext4_buffer_put(fs, bytes);
    return error;
}

// Lets an entry sink in the heap of `count`.
static void sink(struct ext4_zone *zones, size_t at, size_t count)
{
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        below += below + 1 < count && zones[below + 1].block > zones[below].block;
        if (zones[below].block <= zones[at].block)
            return;
        struct ext4_zone zone = zones[at];
        zones[at] = zones[below];
        zones[below] = zone;
    }
}

static void sort(struct ext4_zone *zones, size_t count)
{
    for (size_t at = count / 2; at-- > 0;)
        sink(zones, at, count);
    for (size_t left = count; left > 1; left--) {
        struct ext4_zone last = zones[left - 1];
        zones[left - 1] = zones[0];
        zones[0] = last;
        sink(zones, 0, left - 1);
    }
}

// Neighbours become one; what overlaps is damage.
static int merge(struct ext4_fs *fs, struct ext4_zones *zones)
{
    size_t kept = 0;
    for (size_t i = 0; i < zones->count; i++) {
        struct ext4_zone *last = kept ? &zones->zones[kept - 1] : NULL, zone = zones->zones[i];
        if (last && zone.block < last->block + last->count)
            return bm_ext4_damaged(fs, "block %lu is in two tables", zone.block);
        if (last && zone.block == last->block + last->count)
            last->count += zone.count;
        else
            zones->zones[kept++] = zone;
    }
    zones->count = kept;
    return 0;
}

int bm_ext4_zones_begin(struct ext4_fs *fs)
{
    struct ext4_zones all = {.room = (size_t)fs->super.groups * ZONES};
    all.zones = bm_inode_memory_allocate(all.room * sizeof *all.zones);
    if (!all.zones)
        return -BM_ENOMEM;
    int error = collect(fs, &all);
    if (!error) {
        sort(all.zones, all.count);
        error = merge(fs, &all);
    }
    struct ext4_zone *kept = error ? NULL : bm_inode_memory_allocate(all.count * sizeof *kept);
    if (kept) {
        __builtin_memcpy(kept, all.zones, all.count * sizeof *kept);
        fs->zones = (struct ext4_zones){.zones = kept, .count = all.count, .room = all.count};
    }
    bm_inode_memory_free(all.zones, all.room * sizeof *all.zones);
    return error || kept ? error : -BM_ENOMEM;
}

void bm_ext4_zones_end(struct ext4_fs *fs)
{
    bm_inode_memory_free(fs->zones.zones, fs->zones.room * sizeof *fs->zones.zones);
    fs->zones = (struct ext4_zones){0};
}
