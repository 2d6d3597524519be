// ext4 disks with any bytes changed, listed, looked up, read and replayed, all of it within bounds.
// SPDX-License-Identifier: MIT
// @includes tests/unit
// @max_len 321
// @seconds 20
// @least 300
// @sources drivers/fs/ext4/ext4_buffer.c drivers/fs/ext4/ext4_checksum.c drivers/fs/ext4/ext4_directory.c
// @sources drivers/fs/ext4/ext4_extent.c drivers/fs/ext4/ext4_group.c drivers/fs/ext4/ext4_hash.c
// @sources drivers/fs/ext4/ext4_index.c drivers/fs/ext4/ext4_inode.c drivers/fs/ext4/ext4_log.c
// @sources drivers/fs/ext4/ext4_map.c drivers/fs/ext4/ext4_mount.c drivers/fs/ext4/ext4_replay.c
// @sources drivers/fs/ext4/ext4_super.c
// @sources drivers/fs/ext4/ext4_listing.c
//
// The disks are those of mkfs.ext4, without checksums, so that a changed byte reaches what reads it: one with
// extents, one with block maps, one with a journal that is not replayed. The first byte of the input chooses;
// then each five bytes change one: a block that is not empty, where in it, a value, and how many follow.
#include "ext4_disks.h"

#include <baremetal/file.h>

enum { DISKS = 3, DEPTH = 4, STEPS = 120, EDITS = 64, BUFFERS = 64 };

static const char *const options[DISKS] = {"-O ^has_journal,^metadata_csum",
                                           "-t ext2 -O ^has_journal,^metadata_csum",
                                           "-J size=1 -O ^metadata_csum"};

static unsigned steps;

static void read_all(struct ext4_fs *fs, const struct ext4_inode *inode)
{
    uint64_t size = inode->size >> fs->super.block_bits;
    const uint64_t places[] = {0, 1, 12, 13, 268, 300, 65804, size / 2, size ? size - 1 : 0, UINT32_MAX};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        struct ext4_extent extent;
        if (bm_ext4_map(fs, inode, places[i], &extent))
            continue;
        if (extent.first > places[i] || places[i] - extent.first >= extent.count)
            abort();
        if (!extent.hole &&
            (extent.block >= fs->super.blocks || extent.count > fs->super.blocks - extent.block))
            abort();
    }
}

static void visit(struct ext4_fs *fs, uint32_t number, unsigned depth)
{
    struct ext4_inode inode;
    char *text = malloc(100);
    if (steps++ < STEPS && bm_ext4_inode_get(fs, number, &inode) == 0) {
        uint32_t type = inode.mode & BM_FILE_TYPE;
        if (type == BM_FILE_REGULAR)
            read_all(fs, &inode);
        if (type == BM_FILE_LINK)
            bm_ext4_link_read(fs, &inode, text, 100);
        struct ext4_entry entry = {.next = 0};
        while (type == BM_FILE_DIRECTORY && steps < STEPS &&
               bm_ext4_directory_next(fs, &inode, entry.next, &entry) > 0) {
            uint32_t found;
            if (entry.length > EXT4_NAME_MAX || strlen(entry.name) != entry.length)
                abort();
            steps++;
            if (bm_ext4_directory_find(fs, &inode, entry.name, entry.length, &found) == 0 && depth)
                visit(fs, found, depth - 1);
        }
        if (type == BM_FILE_DIRECTORY)
            bm_ext4_directory_find(fs, &inode, "no such name", 12, &number);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!disks[0].bytes) {
        disk_is_quiet = true;
        disks_make(options, DISKS, DISKS - 1);
    }
    if (size < 1 + EDIT || size > 1 + EDIT * EDITS)
        return 0;
    unsigned number = data[0] % DISKS;
    free(disk_bytes);
    disk_bytes = disks[number].now;
    disk.size = disks[number].size;
    disk_writes = 0;
    for (size_t i = 1; i + EDIT <= size; i += EDIT)
        change(number, data + i, false);
    struct ext4_fs fs = {0};
    const char *why;
    if (bm_ext4_mount(&fs, &disk, BUFFERS, &why) == 0) {
        uint64_t blocks, inodes;
        bm_ext4_count_free(&fs, &blocks, &inodes);
        steps = 0;
        visit(&fs, EXT4_ROOT, DEPTH);
        bm_ext4_unmount(&fs);
    }
    for (size_t i = 1; !disk_writes && i + EDIT <= size; i += EDIT)
        change(number, data + i, true);
    if (disk_writes)
        memcpy(disk_bytes, disks[number].bytes, disk.size);
    disk_bytes = NULL;
    if (memory_out || fs.buffers)
        abort();
    return 0;
}
