// Writing ext4 that somebody else left: damaged disks, what Linux leaves behind, and what it would not make.
// SPDX-License-Identifier: MIT
// @sources drivers/fs/ext4/ext4_allocate.c drivers/fs/ext4/ext4_buffer.c drivers/fs/ext4/ext4_checksum.c
// @sources drivers/fs/ext4/ext4_commit.c drivers/fs/ext4/ext4_directory.c drivers/fs/ext4/ext4_entry.c
// @sources drivers/fs/ext4/ext4_extent.c drivers/fs/ext4/ext4_extent_write.c drivers/fs/ext4/ext4_file.c
// @sources drivers/fs/ext4/ext4_group.c drivers/fs/ext4/ext4_hash.c drivers/fs/ext4/ext4_index.c
// @sources drivers/fs/ext4/ext4_index_write.c drivers/fs/ext4/ext4_inode.c
// @sources drivers/fs/ext4/ext4_inode_write.c drivers/fs/ext4/ext4_log.c
// @sources drivers/fs/ext4/ext4_map.c drivers/fs/ext4/ext4_mount.c drivers/fs/ext4/ext4_name.c
// @sources drivers/fs/ext4/ext4_orphan.c drivers/fs/ext4/ext4_path.c drivers/fs/ext4/ext4_replay.c
// @sources drivers/fs/ext4/ext4_space.c drivers/fs/ext4/ext4_super.c drivers/fs/ext4/ext4_transaction.c
// @sources drivers/fs/ext4/ext4_zone.c
// @sources drivers/fs/ext4/ext4_listing.c
#include "ext4_host/write.h"

#include <baremetal/file.h>

enum { NAMES = 1500 };

static const char *const plain = "-b 1024 -O ^metadata_csum,^uninit_bg";

static uint8_t *super(void)
{
    return disk_bytes + EXT4_SUPER_OFFSET;
}

static void super_seal(void)
{
    if (ext4_get32(super() + EXT4_S_RO_COMPAT) & EXT4_RO_METADATA_CSUM)
        ext4_put32(super() + EXT4_S_CHECKSUM, bm_ext4_crc32c(~0u, super(), EXT4_S_CHECKSUM));
}

static uint64_t first_block(const struct ext4_inode *inode)
{
    struct ext4_extent extent;
    assert_int_equal(bm_ext4_map(&fs, inode, 0, &extent), 0);
    assert_false(extent.hole && !extent.unwritten);
    return extent.block;
}

static struct ext4_inode make(struct ext4_inode *above, const char *name, uint32_t mode)
{
    struct ext4_inode made = {.mode = mode};
    assert_int_equal(bm_ext4_create(&fs, above, name, strlen(name), &made, NULL), 0);
    return made;
}

static void make_numbered(struct ext4_inode *above, char *name, unsigned number)
{
    sprintf(name, "%u%.50s", number, PAD);
    make(above, name, BM_FILE_REGULAR | 0644);
}

static int write_step(struct ext4_fs *any, void *arg)
{
    return bm_ext4_inode_write(any, arg);
}

// A block is the index of one directory and the names of another, which would not be right when the index has
// grown over them.
static void two_roles(void **unused)
{
    (void)unused;
    disk_make(plain, "12M");
    assert_int_equal(mount_for_writing(), 0);
    struct ext4_inode root = inode_of(EXT4_ROOT), names = make(&root, "names", BM_FILE_DIRECTORY | 0755);
    struct ext4_inode indexed = make(&root, "indexed", BM_FILE_DIRECTORY | 0755);
    char name[100];
    unsigned count = 0;
    for (; !(indexed.flags & EXT4_INODE_INDEX); count++)
        make_numbered(&indexed, name, count);
    uint8_t *block = disk_bytes + first_block(&indexed) * 1024;
    ext4_put32(names.block + EXT4_X_SIZE + EXT4_X_LOW, (uint32_t)first_block(&indexed));
    assert_int_equal(bm_ext4_operate(&fs, NULL, 0, write_step, &names), 0);
    assert_int_equal(unmount(), 0);
    enum { DOTS = 12, NAME = EXT4_DX_ROOT + EXT4_DX_ENTRY };
    assert_int_equal(ext4_get16(block + EXT4_DX_ROOT + 2), 1);
    ext4_put16(block + DOTS + EXT4_D_LENGTH, NAME - DOTS);
    ext4_put32(block + NAME, names.number);
    ext4_put16(block + NAME + EXT4_D_LENGTH, 1024 - NAME);
    ext4_put16(block + NAME + EXT4_D_NAME_LENGTH, 1);
    block[NAME + EXT4_D_NAME] = 'x';
    disk_is_quiet = true;
    assert_int_equal(mount_for_writing(), 0);
    struct ext4_inode found;
    assert_true(find(&names, "x", 1, &found));
    int error = 0;
    for (unsigned i = count; indexed.size == 2048 && !error; i++) {
        struct ext4_inode made = {.mode = BM_FILE_REGULAR | 0644};
        error = bm_ext4_create(&fs, &indexed, name, (size_t)sprintf(name, "%u%.50s", i, PAD), &made, NULL);
    }
    assert_int_equal(error, -BM_EIO);
    assert_true(find(&names, "x", 1, &found)); // the index has not grown
    assert_false(find(&names, "y", 1, &found));
    assert_int_equal(unmount(), 0);
    disk_is_quiet = false;
}

// Linux writes the superblock's counts when it unmounts.
static void counts(void **unused)
{
    (void)unused;
    for (unsigned kind = 0; kind < 2; kind++) {
        disk_make(kinds[kind], "12M");
        uint32_t blocks = ext4_get32(super() + EXT4_S_FREE_BLOCKS);
        ext4_put32(super() + EXT4_S_FREE_BLOCKS, 2);
        ext4_put32(super() + EXT4_S_FREE_INODES, 7);
        super_seal();
        assert_int_equal(mount_for_writing(), 0);
        struct ext4_inode root = inode_of(EXT4_ROOT), file = make(&root, "file", BM_FILE_REGULAR | 0644);
        uint32_t done;
        assert_int_equal(bm_ext4_file_allocate(&fs, &file, 0, 100, &done), 0);
        assert_int_equal(unmount(), 0);
        assert_int_equal(ext4_get32(super() + EXT4_S_FREE_BLOCKS), blocks - 100);
        crash_fsck(image);
    }
}

// A journal that Linux ended for an error is left to e2fsck; what is on the disk can be read.
static void ended_journal(void **unused)
{
    (void)unused;
    for (unsigned crashed = 0; crashed < 2; crashed++) {
        disk_make(kinds[0], "12M");
        assert_int_equal(mount_for_writing(), 0);
        struct ext4_inode root = inode_of(EXT4_ROOT), journal = inode_of(fs.super.journal);
        uint8_t *log = disk_bytes + first_block(&journal) * 1024;
        make(&root, "file", BM_FILE_REGULAR | 0644);
        assert_int_equal(bm_ext4_commit(&fs), 0);
        if (crashed)
            disk_left = 0;
        disk_is_quiet = true;
        assert_true(unmount() == 0 || crashed);
        disk_is_quiet = false;
        disk_left = -1;
        jbd2_put32(log + JBD2_S_ERROR, (uint32_t)-BM_EIO);
        jbd2_put32(log + JBD2_S_CHECKSUM, bm_ext4_log_super_checksum(log));
        struct ext4_fs other = {0};
        const char *why = NULL;
        assert_int_equal(bm_ext4_mount(&other, &disk, BUFFERS, &why), 0);
        assert_int_equal(other.replayed, crashed);
        assert_int_equal(bm_ext4_transactions_begin(&other, &why), -BM_EROFS);
        assert_non_null(strstr(why, "e2fsck"));
        uint32_t number;
        assert_int_equal(bm_ext4_directory_find(&other, &root, "file", 4, &number), 0);
        bm_ext4_unmount(&other);
        assert_int_equal(jbd2_get32(log + JBD2_S_ERROR), (uint32_t)-BM_EIO);
    }
}

// A file has the inodes of another group among its blocks.
static void tables(void **unused)
{
    (void)unused;
    disk_make(plain, "20M");
    assert_int_equal(mount_for_writing(), 0);
    struct ext4_inode root = inode_of(EXT4_ROOT), file = make(&root, "file", BM_FILE_REGULAR | 0644);
    struct ext4_group group;
    assert_int_equal(bm_ext4_group_get(&fs, 1, &group), 0);
    assert_true(group.inode_table < fs.super.group_blocks); // in the first one, with flex_bg
    ext4_put16(file.block + EXT4_X_COUNT, 1);
    struct ext4_extent extent = {.count = 3, .block = group.inode_table};
    ext4_put16(file.block + EXT4_X_SIZE + EXT4_X_LENGTH, 3);
    ext4_put32(file.block + EXT4_X_SIZE + EXT4_X_LOW, (uint32_t)group.inode_table);
    disk_is_quiet = true;
    assert_int_equal(bm_ext4_map(&fs, &file, 0, &extent), -BM_EIO);
    assert_int_equal(bm_ext4_file_resize(&fs, &file, 0), -BM_EIO);
    assert_false(bm_ext4_is_data(&fs, fs.super.first_data + 1, 1));
    assert_false(bm_ext4_is_data(&fs, group.inode_table - 1, 2));
    assert_int_equal(unmount(), 0);
    crash_fsck(image);
    // A table in two groups: nothing can be written.
    uint32_t size =
        ext4_get32(super() + EXT4_S_INCOMPAT) & EXT4_INCOMPAT_64BIT ? EXT4_G_SIZE_64 : EXT4_G_SIZE;
    uint8_t *first = disk_bytes + 2048;
    ext4_put32(first + size + EXT4_G_INODE_TABLE, ext4_get32(first + EXT4_G_INODE_TABLE));
    assert_int_equal(mount_for_writing(), -BM_EROFS);
    disk_is_quiet = false;
}

// A directory of many blocks, all of them in the journal, is freed in steps that the journal has room for.
static void large_directory(void **unused)
{
    (void)unused;
    disk_make(kinds[0], "12M");
    assert_int_equal(mount_for_writing(), 0);
    struct ext4_inode root = inode_of(EXT4_ROOT), file = make(&root, "file", BM_FILE_REGULAR | 0644);
    uint64_t before = free_count();
    struct ext4_inode directory = make(&root, "many", BM_FILE_DIRECTORY | 0755);
    char name[200];
    for (unsigned i = 0; i < NAMES; i++)
        assert_int_equal(
            bm_ext4_link(&fs, &directory, name, (size_t)sprintf(name, "%u%.100s", i, PAD), &file), 0);
    assert_true(directory.size >> fs.super.block_bits > 2 * EXT4_OPERATION_BLOCKS);
    for (unsigned i = 0; i < NAMES; i++)
        assert_int_equal(
            bm_ext4_unlink(&fs, &directory, name, (size_t)sprintf(name, "%u%.100s", i, PAD), &file), 0);
    struct ext4_transactions *all = fs.transactions;
    while (all->log.last - all->head > 2 * EXT4_OPERATION_BLOCKS) { // until the log has little room
        assert_int_equal(bm_ext4_operate(&fs, NULL, 0, write_step, &file), 0);
        assert_int_equal(bm_ext4_commit(&fs), 0);
    }
    assert_true(all->pinned > 2 * EXT4_OPERATION_BLOCKS);
    assert_int_equal(bm_ext4_unlink(&fs, &root, "many", 4, &directory), 0);
    assert_int_equal(bm_ext4_file_end(&fs, &directory), 0);
    assert_int_equal(free_count(), before);
    assert_int_equal(unmount(), 0);
    crash_fsck(image);
}

// A link whose words are in a block that a block map has.
static void mapped_link(void **unused)
{
    (void)unused;
    run("rm -rf %s %s/t; mkdir %s/t; ln -s %.200s %s/t/link; export PATH=$PATH:/usr/sbin:/sbin; "
        "mkfs.ext4 -q -F -J size=4 -b 1024 -O ^extent,^64bit -d %s/t %s 12M && tune2fs -O extent %s "
        ">/dev/null",
        image, folder, folder, PAD PAD, folder, folder, image, image);
    disk_load(image);
    assert_int_equal(mount_for_writing(), 0);
    uint64_t before = free_count();
    struct ext4_inode root = inode_of(EXT4_ROOT), link;
    assert_true(find(&root, "link", 4, &link));
    assert_false(link.flags & EXT4_INODE_EXTENTS);
    assert_int_equal(bm_ext4_unlink(&fs, &root, "link", 4, &link), 0);
    assert_int_equal(bm_ext4_file_end(&fs, &link), 0);
    assert_int_equal(free_count(), before + 1);
    assert_int_equal(unmount(), 0);
    crash_fsck(image);
}

// Linux gives directories that are removed the size 0; a crash leaves one that was still open.
static void empty_orphan(void **unused)
{
    (void)unused;
    disk_make(kinds[0], "12M");
    assert_int_equal(mount_for_writing(), 0);
    uint64_t before = free_count();
    struct ext4_inode root = inode_of(EXT4_ROOT),
                      directory = make(&root, "directory", BM_FILE_DIRECTORY | 0755);
    assert_int_equal(bm_ext4_unlink(&fs, &root, "directory", 9, &directory), 0);
    directory.size = 0;
    assert_int_equal(bm_ext4_operate(&fs, NULL, 0, write_step, &directory), 0);
    assert_int_equal(unmount(), 0);
    assert_int_equal(mount_for_writing(), 0);
    assert_int_equal(free_count(), before);
    assert_int_equal(unmount(), 0);
    crash_fsck(image);
}

// An inode that was freed can be had again, behind a commit.
static void inodes(void **unused)
{
    (void)unused;
    disk_make("-b 1024 -N 32", "12M");
    assert_int_equal(mount_for_writing(), 0);
    struct ext4_inode root = inode_of(EXT4_ROOT), file = make(&root, "first", BM_FILE_REGULAR | 0644);
    int error = 0;
    for (unsigned i = 0; !error; i++) {
        char name[20];
        struct ext4_inode made = {.mode = BM_FILE_PIPE | 0644};
        error = bm_ext4_create(&fs, &root, name, (size_t)sprintf(name, "%u", i), &made, NULL);
    }
    assert_int_equal(error, -BM_ENOSPC);
    assert_int_equal(bm_ext4_commit(&fs), 0);
    assert_int_equal(bm_ext4_unlink(&fs, &root, "first", 5, &file), 0);
    assert_int_equal(bm_ext4_file_end(&fs, &file), 0);
    make(&root, "again", BM_FILE_REGULAR | 0644);
    assert_int_equal(unmount(), 0);
    crash_fsck(image);
}

int main(void)
{
    alarm(120); // a hang is what some of these are about
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_roles),       cmocka_unit_test(counts),
                                       cmocka_unit_test(ended_journal),   cmocka_unit_test(tables),
                                       cmocka_unit_test(large_directory), cmocka_unit_test(mapped_link),
                                       cmocka_unit_test(empty_orphan),    cmocka_unit_test(inodes)};
    return cmocka_run_group_tests(tests, begin, end);
}
