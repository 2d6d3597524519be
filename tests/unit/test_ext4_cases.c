// Writing ext4 where it is hard: full disks, large directories, many extents, orphans of another system.
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

enum { LINKS = 3000, EXTENTS = 3000, STAY = 50, COME = 150 };

// A full disk: data leaves the reserved blocks, names take them, and what is freed is there again behind the
// commit.
static void full(void **unused)
{
    (void)unused;
    disk_make("-b 1024 -m 5", "12M");
    assert_int_equal(mount_for_writing(), 0);
    struct ext4_inode root = inode_of(EXT4_ROOT), file = {.mode = BM_FILE_REGULAR | 0644, .owner = 1};
    uint64_t before = free_count(), reserved = ext4_get32(disk_bytes + EXT4_SUPER_OFFSET + EXT4_S_RESERVED);
    assert_int_equal(bm_ext4_create(&fs, &root, "file", 4, &file, NULL), 0);
    assert_int_equal(bm_ext4_create(&fs, &root, "file", 4, &file, NULL), -BM_EEXIST);
    uint32_t done;
    assert_int_equal(bm_ext4_file_fits(&fs, &file, 0, 1 << 20), -BM_ENOSPC);
    assert_int_equal(bm_ext4_file_fits(&fs, &file, 0, (uint32_t)(before - reserved - 10)), 0);
    assert_int_equal(bm_ext4_file_allocate(&fs, &file, 0, 1 << 20, &done), -BM_ENOSPC);
    assert_true(done >= before - reserved - 10 && done <= before - reserved);
    assert_int_equal(bm_ext4_file_fits(&fs, &file, 0, done), 0); // what is there needs nothing
    assert_true(reserved > 300 && free_count() <= reserved && free_count() >= reserved - 4);
    assert_int_equal(bm_ext4_file_allocate(&fs, &file, 1 << 21, 1, &done), -BM_ENOSPC);
    int error = 0;
    unsigned names = 0;
    for (; !error; names++) {
        char name[200];
        struct ext4_inode made = {.mode = BM_FILE_DIRECTORY | 0700};
        error = bm_ext4_create(&fs, &root, name, (size_t)sprintf(name, "%0150u", names), &made, NULL);
    }
    assert_int_equal(error, -BM_ENOSPC);
    // A name wants a block for what it names, and by the disk's seed of hashes a leaf, a node of the index
    // and one of extents.
    assert_true(names > 200 && free_count() < 4);
    assert_int_equal(bm_ext4_file_resize(&fs, &file, 0), 0);
    struct ext4_inode other = {.mode = BM_FILE_REGULAR | 0644, .owner = 2};
    assert_int_equal(bm_ext4_create(&fs, &root, "other", 5, &other, NULL), 0);
    uint32_t sequence = fs.transactions->sequence;
    assert_int_equal(bm_ext4_file_allocate(&fs, &other, 0, 4000, &done), 0);
    assert_true(fs.transactions->sequence > sequence); // not before what was freed is
    assert_int_equal(bm_ext4_unlink(&fs, &root, "other", 5, &other), 0);
    assert_int_equal(bm_ext4_file_end(&fs, &other), 0);
    for (unsigned i = 0; i + 1 < names; i++) {
        char name[200];
        size_t length = (size_t)sprintf(name, "%0150u", i);
        struct ext4_inode made;
        assert_true(find(&root, name, length, &made));
        assert_int_equal(bm_ext4_unlink(&fs, &root, name, length, &made), 0);
        assert_int_equal(bm_ext4_file_end(&fs, &made), 0);
    }
    uint64_t directory = (root.size >> fs.super.block_bits) + 2; // and its nodes of extents
    assert_true(free_count() >= before - directory && free_count() < before);
    assert_int_equal(unmount(), 0);
    crash_fsck(image);
}

// A directory's index grows to two levels of nodes; all names are found, by e2fsck's hashes, too.
static void indexes(void **unused)
{
    (void)unused;
    for (unsigned kind = 0; kind < 3; kind += 2) {
        char name[200];
        uint32_t number;
        disk_make(kinds[kind], "12M");
        assert_int_equal(mount_for_writing(), 0);
        struct ext4_inode root = inode_of(EXT4_ROOT);
        struct ext4_inode directory = {.mode = BM_FILE_DIRECTORY | 0755},
                          file = {.mode = BM_FILE_REGULAR | 0644};
        assert_int_equal(bm_ext4_create(&fs, &root, "many", 4, &directory, NULL), 0);
        assert_int_equal(bm_ext4_create(&fs, &root, "file", 4, &file, NULL), 0);
        for (unsigned i = 0; i < LINKS; i++)
            assert_int_equal(bm_ext4_link(&fs, &directory, name,
                                          (size_t)sprintf(name, "%u%.*s", i, (int)(i % 150), PAD), &file),
                             0);
        assert_true(directory.flags & EXT4_INODE_INDEX);
        struct ext4_extent first;
        assert_int_equal(bm_ext4_map(&fs, &directory, 0, &first), 0);
        struct ext4_buffer *buffer;
        assert_int_equal(bm_ext4_buffer_get(&fs, first.block, &buffer), 0);
        assert_int_equal(buffer->data[EXT4_DX_LEVELS], 1);
        bm_ext4_buffer_put(&fs, buffer);
        for (unsigned i = 0; i < LINKS; i += 2)
            assert_int_equal(bm_ext4_unlink(&fs, &directory, name,
                                            (size_t)sprintf(name, "%u%.*s", i, (int)(i % 150), PAD), &file),
                             0);
        for (unsigned i = 0; i < LINKS; i++)
            assert_int_equal(bm_ext4_directory_find(&fs, &directory, name,
                                                    (size_t)sprintf(name, "%u%.*s", i, (int)(i % 150), PAD),
                                                    &number),
                             i % 2 ? 0 : -BM_ENOENT);
        assert_int_equal(unmount(), 0);
        crash_fsck(image);
    }
}

// Extents from the end to the beginning, then between them, then written here and there, then cut.
static void extents(void **unused)
{
    (void)unused;
    for (unsigned kind = 0; kind < 3; kind += 2) {
        disk_make(kinds[kind], "12M");
        assert_int_equal(mount_for_writing(), 0);
        uint64_t size = (uint64_t)EXTENTS * fs.super.block_size, before = free_count();
        struct ext4_inode root = inode_of(EXT4_ROOT), file = {.mode = BM_FILE_REGULAR | 0644};
        struct ext4_extent extent;
        uint32_t done;
        assert_int_equal(bm_ext4_create(&fs, &root, "file", 4, &file, NULL), 0);
        for (uint32_t i = EXTENTS; i; i -= 2) {
            assert_int_equal(bm_ext4_file_allocate(&fs, &file, i - 1, 1, &done), 0);
            assert_int_equal(bm_ext4_file_written(&fs, &file, i - 1, 1, size), 0);
        }
        assert_int_equal(ext4_get16(file.block + EXT4_X_DEPTH), 2);
        for (uint32_t i = 0; i < EXTENTS; i++) {
            assert_int_equal(bm_ext4_map(&fs, &file, i, &extent), 0);
            assert_true(extent.hole == (i % 2 == 0) && extent.first == i && extent.count == 1);
        }
        assert_int_equal(bm_ext4_file_allocate(&fs, &file, 0, EXTENTS, &done), 0);
        for (uint32_t i = 0; i < EXTENTS; i += 1 + crash_number(30))
            assert_int_equal(bm_ext4_file_written(&fs, &file, i, 1 + crash_number(9), 0), 0);
        assert_int_equal(bm_ext4_file_resize(&fs, &file, size), 0); // what was written behind its end goes
        assert_int_equal(bm_ext4_commit(&fs), 0);
        disk_save(image);
        run("PATH=$PATH:/usr/sbin:/sbin; e2fsck -fp %s >%s.log 2>&1; [ $? -le 1 ] && e2fsck -fn %s >>%s.log "
            "2>&1 || "
            "{ cat %s.log; false; }",
            image, image, image, image, image);
        for (uint64_t end = EXTENTS; end; end = end * 2 / 3) {
            assert_int_equal(bm_ext4_file_resize(&fs, &file, end * fs.super.block_size), 0);
            assert_int_equal(bm_ext4_map(&fs, &file, end, &extent), 0);
            assert_true(extent.hole && !extent.unwritten);
            assert_int_equal(bm_ext4_map(&fs, &file, end - 1, &extent), 0);
            assert_true(!extent.hole || extent.unwritten);
        }
        assert_int_equal(bm_ext4_file_resize(&fs, &file, 0), 0);
        assert_int_equal(file.blocks, 0);
        assert_int_equal(free_count(), before);
        assert_int_equal(unmount(), 0);
        crash_fsck(image);
    }
}

// What another system left in the file of orphans is freed by a mount.
static void orphan_file(void **unused)
{
    (void)unused;
    disk_make("-b 1024 -O orphan_file", "12M");
    assert_int_equal(mount_for_writing(), 0);
    uint64_t before = free_count();
    struct ext4_inode root = inode_of(EXT4_ROOT), file = {.mode = BM_FILE_REGULAR | 0600};
    struct ext4_inode orphans = inode_of(fs.super.orphan_file);
    struct ext4_extent extent;
    uint32_t done;
    assert_int_equal(bm_ext4_create_nameless(&fs, &root, &file), 0);
    assert_int_equal(bm_ext4_file_allocate(&fs, &file, 0, 500, &done), 0);
    assert_int_equal(bm_ext4_map(&fs, &orphans, 1, &extent), 0);
    uint64_t block = extent.block + (1 - extent.first);
    assert_int_equal(unmount(), 0);
    uint8_t *super = disk_bytes + EXT4_SUPER_OFFSET, *words = disk_bytes + block * 1024, place[8] = {0};
    assert_int_equal(ext4_get32(super + EXT4_S_LAST_ORPHAN), file.number);
    ext4_put32(super + EXT4_S_LAST_ORPHAN, 0);
    ext4_put32(super + EXT4_S_RO_COMPAT, ext4_get32(super + EXT4_S_RO_COMPAT) | EXT4_RO_ORPHAN_PRESENT);
    ext4_put32(super + EXT4_S_CHECKSUM, bm_ext4_crc32c(~0u, super, EXT4_S_CHECKSUM));
    ext4_put32(place, (uint32_t)block);
    ext4_put32(words + 40, file.number);
    uint32_t crc = bm_ext4_crc32c(bm_ext4_crc32c(orphans.seed, place, sizeof place), words, 1024 - 8);
    ext4_put32(words + 1024 - 4, crc);
    assert_int_equal(mount_for_writing(), 0);
    assert_int_equal(free_count(), before);
    assert_int_equal(unmount(), 0);
    assert_int_equal(ext4_get32(super + EXT4_S_RO_COMPAT) & EXT4_RO_ORPHAN_PRESENT, 0);
    crash_fsck(image);
}

// Lists a directory, of which other names come and go behind the first `before` of those that stay: each of
// these is told once.
static void list_changing(struct ext4_inode *directory, unsigned before, struct ext4_inode *file)
{
    unsigned told[STAY] = {0}, count = 0, others = 0;
    struct ext4_entry entry = {.next = 0};
    char name[200];
    int found;
    for (; (found = bm_ext4_directory_next(&fs, directory, entry.next, &entry)) == 1; count++) {
        unsigned number = (unsigned)strtoul(entry.name + 1, NULL, 10);
        if (entry.name[0] == 's' && number < STAY)
            told[number]++;
        for (unsigned i = 0; count == before && i < COME; i++, others++)
            assert_int_equal(bm_ext4_link(&fs, directory, name,
                                          (size_t)sprintf(name, "o%u%.*s", i, (int)(i % 90), PAD), file),
                             0);
        if (count > before && others && count % 2)
            assert_int_equal(
                bm_ext4_unlink(&fs, directory, name,
                               (size_t)sprintf(name, "o%u%.*s", others - 1, (int)((others - 1) % 90), PAD),
                               file),
                0);
        others -= count > before && others && count % 2;
        assert_true(count < STAY + COME);
    }
    assert_int_equal(found, 0);
    for (unsigned i = 0; i < STAY; i++)
        if (told[i] != 1)
            fail_msg("name %u was told %u times, as %u names had been when others came", i, told[i], before);
}

// A listing goes on while leaves are split and an index is made.
static void listings(void **unused)
{
    (void)unused;
    for (unsigned kind = 0; kind < 3; kind++) {
        disk_make(kinds[kind], "12M");
        assert_int_equal(mount_for_writing(), 0);
        struct ext4_inode root = inode_of(EXT4_ROOT), file = {.mode = BM_FILE_REGULAR | 0644};
        assert_int_equal(bm_ext4_create(&fs, &root, "file", 4, &file, NULL), 0);
        for (unsigned before = 0; before < STAY; before += 7) {
            char name[200];
            size_t length = (size_t)sprintf(name, "directory%u", before);
            struct ext4_inode directory = {.mode = BM_FILE_DIRECTORY | 0755};
            assert_int_equal(bm_ext4_create(&fs, &root, name, length, &directory, NULL), 0);
            for (unsigned i = 0; i < STAY; i++)
                assert_int_equal(bm_ext4_link(&fs, &directory, name, (size_t)sprintf(name, "s%u", i), &file),
                                 0);
            assert_false(directory.flags & EXT4_INODE_INDEX);
            list_changing(&directory, before, &file);
            assert_true(directory.flags & EXT4_INODE_INDEX);
        }
        assert_int_equal(unmount(), 0);
        crash_fsck(image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(full), cmocka_unit_test(indexes),
                                       cmocka_unit_test(extents), cmocka_unit_test(orphan_file),
                                       cmocka_unit_test(listings)};
    return cmocka_run_group_tests(tests, begin, end);
}
