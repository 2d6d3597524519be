// ext4 as mkfs.ext4 makes it of a folder: what the core reads is compared with the folder, for each kind of
// file system; wrong fields are refused.
// SPDX-License-Identifier: MIT
// @sources drivers/fs/ext4/ext4_buffer.c drivers/fs/ext4/ext4_checksum.c drivers/fs/ext4/ext4_directory.c
// @sources drivers/fs/ext4/ext4_extent.c drivers/fs/ext4/ext4_group.c drivers/fs/ext4/ext4_hash.c
// @sources drivers/fs/ext4/ext4_index.c drivers/fs/ext4/ext4_inode.c drivers/fs/ext4/ext4_log.c
// @sources drivers/fs/ext4/ext4_map.c drivers/fs/ext4/ext4_mount.c drivers/fs/ext4/ext4_replay.c
// @sources drivers/fs/ext4/ext4_super.c
// @sources drivers/fs/ext4/ext4_listing.c
#include "ext4_host/ext4_host.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { NAMES = 500, BUFFERS = 64 };

static const char *folder;

static void put_file(const char *name, const void *data, size_t size, off_t at)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tree/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT, 0640);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, data, size, at), size);
    assert_int_equal(close(file), 0);
}

// Files of all sizes, holes, links, a directory of many names.
static int tree_make(void **state)
{
    static char bytes[700000];
    char name[300], text[5000];
    (void)state;
    folder = folder_make();
    run("mkdir %s/tree %s/tree/many %s/tree/a", folder, folder, folder);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "many/%u%.*s%s", i, (int)(i % 50),
                 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", i % 7 ? "" : "\xc3\xa4");
        put_file(name, name, i % 9, 0);
    }
    static const size_t sizes[] = {0,     1,      59,    1023, 1024, 1025, 4095, 4096, 4097, 12 * 1024 + 1,
                                   49153, 300000, 700000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "a/%zu", sizes[i]);
        put_file(name, bytes, sizes[i], 0);
    }
    for (unsigned i = 0; i < 400; i++) // more extents than an inode and a block of 1024 bytes have room for
        put_file("a/holes", bytes + i, 1000, (off_t)i * 12288 + 5);
    put_file("a/far", bytes, 3000, (off_t)100 << 20);
    memset(text, 'x', sizeof text);
    static const size_t links[] = {1, 59, 60, 61, 900};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(name, sizeof name, "%s/tree/link%zu", folder, links[i]);
        text[links[i]] = 0;
        assert_int_equal(symlink(text, name), 0);
        text[links[i]] = 'x';
    }
    run("mkfifo %s/tree/fifo", folder);
    return 0;
}

static int tree_end(void **state)
{
    (void)state;
    run("rm -r %s", folder);
    return 0;
}

static void compare_bytes(struct ext4_fs *fs, const struct ext4_inode *inode, const char *path)
{
    static uint8_t ours[EXT4_BLOCK_MAX], theirs[EXT4_BLOCK_MAX];
    uint32_t size = fs->super.block_size;
    int file = open(path, O_RDONLY);
    for (uint64_t at = 0; at < inode->size; at += size) {
        struct ext4_extent extent;
        assert_int_equal(bm_ext4_map(fs, inode, at / size, &extent), 0);
        assert_true(extent.first <= at / size && at / size - extent.first < extent.count);
        if (extent.hole && extent.count > 1000 && at / size + extent.count < inode->size / size)
            at += (extent.first + extent.count - 2 - at / size) * size; // a long one: its end
        memset(ours, 0, sizeof ours);
        if (!extent.hole)
            memcpy(ours, disk_bytes + (extent.block + at / size - extent.first) * size, size);
        memset(theirs, 0, sizeof theirs);
        ssize_t part = pread(file, theirs, size, (off_t)at);
        assert_true(part >= 0);
        assert_memory_equal(ours, theirs, part);
    }
    close(file);
}

static void compare(struct ext4_fs *fs, uint32_t number, const char *path);

static void compare_names(struct ext4_fs *fs, const struct ext4_inode *inode, const char *path)
{
    char below[8192];
    struct ext4_entry entry = {.next = 0};
    unsigned count = 0, found = 0;
    DIR *directory = opendir(path);
    for (struct dirent *name; (name = readdir(directory));) {
        uint32_t number;
        if (!strcmp(name->d_name, ".") || !strcmp(name->d_name, ".."))
            continue;
        found++;
        assert_int_equal(bm_ext4_directory_find(fs, inode, name->d_name, strlen(name->d_name), &number), 0);
        snprintf(below, sizeof below, "%s/%s", path, name->d_name);
        compare(fs, number, below);
    }
    closedir(directory);
    while (bm_ext4_directory_next(fs, inode, entry.next, &entry) == 1) {
        struct stat status;
        snprintf(below, sizeof below, "%s/%s", path, entry.name);
        bool lost = !strcmp(entry.name, "lost+found");
        assert_true(lost || lstat(below, &status) == 0);
        assert_true(lost || entry.type == (status.st_mode & S_IFMT));
        count += !lost;
    }
    assert_int_equal(count, found);
    uint32_t number;
    assert_int_equal(bm_ext4_directory_find(fs, inode, "no such name", 12, &number), -BM_ENOENT);
    assert_int_equal(bm_ext4_directory_find(fs, inode, "..", 2, &number), 0);
}

static void compare(struct ext4_fs *fs, uint32_t number, const char *path)
{
    struct ext4_inode inode;
    struct stat status;
    char text[5000] = "", ours[5000] = "";
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(bm_ext4_inode_get(fs, number, &inode), 0);
    if (number != EXT4_ROOT)
        assert_int_equal(inode.mode, status.st_mode);
    if (S_ISREG(status.st_mode)) {
        assert_int_equal(inode.size, status.st_size);
        assert_int_equal(inode.modified / 1000000000, status.st_mtim.tv_sec);
        compare_bytes(fs, &inode, path);
    } else if (S_ISLNK(status.st_mode)) {
        assert_int_equal(readlink(path, text, sizeof text - 1), status.st_size);
        assert_int_equal(bm_ext4_link_read(fs, &inode, ours, sizeof ours), status.st_size);
        assert_string_equal(ours, text);
    } else if (S_ISDIR(status.st_mode)) {
        compare_names(fs, &inode, path);
    }
}

static void disk_make(const char *options)
{
    run("rm -f %s/disk; PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q -F -d %s/tree %s %s/disk 24M", folder,
        folder, options, folder);
    char path[4096];
    snprintf(path, sizeof path, "%s/disk", folder);
    // Indexes, which mkfs.ext4 does not make.
    run("PATH=$PATH:/usr/sbin:/sbin; e2fsck -fyD %s/disk >%s/log 2>&1", folder, folder);
    disk_load(path);
}

static void kinds(void **state)
{
    static const char *const options[] = {
        "-b 4096",
        "-b 1024",
        "-b 2048 -I 512 -O metadata_csum_seed",
        "-t ext2 -b 1024",
        "-t ext3 -b 4096 -I 128",
        "-b 4096 -O ^64bit,^metadata_csum,uninit_bg",
        "-b 1024 -O meta_bg,^resize_inode -g 1024",
        "-b 1024 -O ^flex_bg,sparse_super2 -E hash_seed=01020304-0506-0708-090a-0b0c0d0e0f10",
        "-b 4096 -O large_dir,^has_journal,bigalloc -C 16384"};
    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct ext4_fs fs = {0};
        const char *why = NULL;
        print_message("%s\n", options[i]);
        disk_make(options[i]);
        int error = bm_ext4_mount(&fs, &disk, BUFFERS, &why);
        if (error)
            fail_msg("%s: %d %s", options[i], error, why);
        char path[4096];
        snprintf(path, sizeof path, "%s/tree", folder);
        compare(&fs, EXT4_ROOT, path);
        assert_true(fs.buffers <= BUFFERS);
        assert_int_equal(disk_reports, 0);
        uint64_t blocks, inodes;
        assert_int_equal(bm_ext4_count_free(&fs, &blocks, &inodes), 0);
        assert_true(blocks < fs.super.blocks && inodes < fs.super.inodes);
        bm_ext4_unmount(&fs);
        assert_int_equal(fs.buffers, 0);
        assert_int_equal(memory_out, 0);
    }
}

// By each kind of hash, debugfs' own as the oracle.
static void hashes(void **state)
{
    static const char *const names[] = {"a", "name",
                                        "a name of more than thirty-two bytes, so that there are two rounds",
                                        "\xc3\xa4\xff", "exactly-thirty-two-bytes-of-name"};
    static const char *const kind[] = {"legacy", "half_md4", "tea"};
    (void)state;
    for (uint32_t version = 0; version < 3; version++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            struct ext4_super super = {.hash_seed = {0x04030201, 0x08070605, 0x0c0b0a09, 0x100f0e0d}};
            uint32_t ours = 0, theirs = 1;
            char command[1000];
            snprintf(command, sizeof command,
                     "PATH=$PATH:/usr/sbin:/sbin; debugfs -R 'dx_hash -h %s -s "
                     "01020304-0506-0708-090a-0b0c0d0e0f10 \"%s\"' 2>/dev/null",
                     kind[version], names[i]);
            FILE *said = popen(command, "r");
            char line[1000];
            assert_non_null(fgets(line, sizeof line, said));
            pclose(said);
            char *at = strrchr(line, '(') ? strstr(line, " is 0x") : NULL;
            assert_non_null(at);
            theirs = (uint32_t)strtoul(at + 4, NULL, 16);
            assert_int_equal(bm_ext4_hash(&super, version, names[i], strlen(names[i]), &ours), 0);
            assert_int_equal(ours, theirs);
            uint32_t other = 0;
            bm_ext4_hash(&super, version + EXT4_HASH_UNSIGNED, names[i], strlen(names[i]), &other);
            assert_true((other == ours) == (names[i][0] > 0)); // ASCII has no signs
        }
}

// Each wrong field by itself, with the checksum made right.
static void wrong_fields(void **state)
{
    static const struct {
        unsigned at, size;
        uint64_t value;
        int error;
    } wrong[] = {{EXT4_S_MAGIC, 2, 0, -BM_ENODEV},
                 {EXT4_S_REVISION, 4, 2, -BM_EOPNOTSUPP},
                 {EXT4_S_BLOCK_BITS, 4, 3, -BM_EOPNOTSUPP},
                 {EXT4_S_CLUSTER_BITS, 4, 1, -BM_EIO},
                 {EXT4_S_INODE_SIZE, 2, 100, -BM_EIO},
                 {EXT4_S_INODE_SIZE, 2, 8192, -BM_EIO},
                 {EXT4_S_DESCRIPTOR_SIZE, 2, 32, -BM_EIO},
                 {EXT4_S_BLOCKS_HIGH, 4, 1, -BM_EIO},
                 {EXT4_S_BLOCKS, 4, 0, -BM_EIO},
                 {EXT4_S_FIRST_DATA, 4, 1, -BM_EIO},
                 {EXT4_S_GROUP_BLOCKS, 4, 0, -BM_EIO},
                 {EXT4_S_GROUP_BLOCKS, 4, 65536, -BM_EIO},
                 {EXT4_S_GROUP_INODES, 4, 0, -BM_EIO},
                 {EXT4_S_INODES, 4, 1, -BM_EIO},
                 {EXT4_S_FIRST_INODE, 4, 1, -BM_EIO},
                 {EXT4_S_CHECKSUM_TYPE, 1, 2, -BM_EOPNOTSUPP},
                 {EXT4_S_INCOMPAT, 4, 0x2c2 | 0x8000, -BM_EOPNOTSUPP},
                 {EXT4_S_INCOMPAT, 4, 0x2c2 | 0x80000000, -BM_EOPNOTSUPP}};
    (void)state;
    disk_make("-b 4096");
    uint8_t *super = disk_bytes + EXT4_SUPER_OFFSET, saved[EXT4_SUPER_SIZE];
    memcpy(saved, super, sizeof saved);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ext4_fs fs = {0};
        const char *why = NULL;
        for (unsigned byte = 0; byte < wrong[i].size; byte++)
            super[wrong[i].at + byte] = (uint8_t)(wrong[i].value >> 8 * byte);
        ext4_put32(super + EXT4_S_CHECKSUM, bm_ext4_crc32c(~0u, super, EXT4_S_CHECKSUM));
        int error = bm_ext4_mount(&fs, &disk, BUFFERS, &why);
        if (error != wrong[i].error || (error != -BM_ENODEV && !why))
            fail_msg("field %zu: %d, not %d", i, error, wrong[i].error);
        memcpy(super, saved, sizeof saved);
    }
    struct ext4_fs fs = {0};
    const char *why;
    super[EXT4_S_LABEL] ^= 1;
    assert_int_equal(bm_ext4_mount(&fs, &disk, BUFFERS, &why), -BM_EIO);
    memcpy(super, saved, sizeof saved);
    assert_int_equal(memory_out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(hashes),
                                       cmocka_unit_test(wrong_fields)};
    return cmocka_run_group_tests(tests, tree_make, tree_end);
}
