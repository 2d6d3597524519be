// Writing ext4: random operations on files and directories; e2fsck, a walk over the tree and power cuts
// judge.
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
//
// A file's owner is a number of its own, and each of its blocks holds that number and its place: what another
// file had, or what no file has any more, is seen. EXT4_OPERATIONS and EXT4_SEED of the environment choose
// how many operations there are and which; EXT4_STEP at how many of the moments the power goes.
#include "ext4_host/write.h"

#include <baremetal/file.h>

enum { OPERATIONS_MAX = 100000, NAMES = 24, DEPTH = 3, BLOCKS = 300 };

static uint64_t hashes[OPERATIONS_MAX + 1]; // of the tree behind each operation
static size_t safe[OPERATIONS_MAX + 1];     // events that had happened when it was committed
static unsigned operations, owners, counts[16];

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *word = getenv(name);
    return word ? (unsigned)strtoul(word, NULL, 0) : otherwise;
}

// --- What is there ---

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
}

static uint64_t mix_bytes(uint64_t hash, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = mix(hash, (uint8_t)bytes[i]);
    return hash;
}

static void fill(uint8_t *data, uint32_t owner, uint32_t index)
{
    for (unsigned at = 0; at < fs.super.block_size; at += 8) {
        ext4_put32(data + at, owner);
        ext4_put32(data + at + 4, index + 1);
    }
}

// What is written in a file is its own.
static void check_blocks(const struct ext4_inode *file)
{
    uint8_t right[EXT4_BLOCK_MAX];
    for (uint64_t at = 0; at < (file->size + fs.super.block_size - 1) / fs.super.block_size;) {
        struct ext4_extent extent;
        assert_int_equal(bm_ext4_map(&fs, file, at, &extent), 0);
        for (uint64_t i = extent.first; !extent.hole && i < extent.first + extent.count; i++) {
            fill(right, file->owner, (uint32_t)i);
            if (memcmp(right, disk_bytes + (extent.block + i - extent.first) * fs.super.block_size,
                       fs.super.block_size))
                fail_msg("block %lu of the file of %u is not its own", (unsigned long)i, file->owner);
        }
        at = extent.first + extent.count;
    }
}

static uint64_t hash_tree(uint32_t number, unsigned depth)
{
    struct ext4_inode directory, inode;
    struct ext4_entry entry = {.next = 0};
    uint64_t sum = 0;
    int found;
    assert_true(depth < 20);
    assert_int_equal(bm_ext4_inode_get(&fs, number, &directory), 0);
    while ((found = bm_ext4_directory_next(&fs, &directory, entry.next, &entry)) == 1) {
        char text[EXT4_BLOCK_MAX];
        uint32_t again = 0;
        uint64_t hash = mix_bytes(1, entry.name, entry.length);
        assert_int_equal(bm_ext4_directory_find(&fs, &directory, entry.name, entry.length, &again), 0);
        assert_int_equal(again, entry.inode);
        assert_int_equal(bm_ext4_inode_get(&fs, entry.inode, &inode), 0);
        hash = mix(mix(mix(mix(hash, inode.mode), inode.links), inode.owner),
                   (inode.mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY ? 0 : inode.size);
        if ((inode.mode & BM_FILE_TYPE) == BM_FILE_LINK) {
            assert_int_equal(bm_ext4_link_read(&fs, &inode, text, sizeof text), inode.size);
            hash = mix_bytes(hash, text, inode.size);
        } else if ((inode.mode & BM_FILE_TYPE) == BM_FILE_DIRECTORY) {
            hash = mix(hash, hash_tree(entry.inode, depth + 1));
            assert_int_equal(bm_ext4_directory_find(&fs, &inode, "..", 2, &again), 0);
            assert_int_equal(again, number);
        } else {
            check_blocks(&inode);
        }
        sum += hash;
    }
    assert_int_equal(found, 0);
    return sum;
}

// --- Operations ---

// A directory that is there.
static struct ext4_inode directory_any(void)
{
    struct ext4_inode directory = inode_of(EXT4_ROOT);
    for (unsigned i = crash_number(DEPTH); i; i--) {
        char name[20];
        uint32_t number;
        int length = snprintf(name, sizeof name, "d%u", crash_number(4));
        if (bm_ext4_directory_find(&fs, &directory, name, (size_t)length, &number))
            break;
        directory = inode_of(number);
        assert_int_equal(directory.mode & BM_FILE_TYPE, BM_FILE_DIRECTORY);
    }
    return directory;
}

static size_t name_make(char *name, char kind)
{
    unsigned index = crash_number(kind == 'd' ? 4 : NAMES);
    return (size_t)sprintf(name, "%c%u%.*s", kind, index, kind == 'd' ? 0 : (int)(index * 9 % 200), PAD);
}

static int end_if_unnamed(struct ext4_inode *inode, int error)
{
    return !error && !inode->links ? bm_ext4_file_end(&fs, inode) : error;
}

static int create_any(void)
{
    static const uint32_t modes[] = {BM_FILE_REGULAR | 0644, BM_FILE_DIRECTORY | 0755, BM_FILE_LINK | 0777};
    char name[EXT4_NAME_MAX + 1], target[1000];
    uint32_t mode = modes[crash_number(3)];
    struct ext4_inode directory = directory_any(), made = {.mode = mode, .owner = ++owners};
    size_t length = name_make(name, mode & 0200 && mode & 0111 && mode != modes[2] ? 'd' : 'f');
    memset(target, 't', sizeof target);
    target[1 + crash_number(crash_number(2) ? 900 : 70)] = 0;
    return bm_ext4_create(&fs, &directory, name, length, &made, mode == modes[2] ? target : NULL);
}

static int unlink_any(void)
{
    char name[EXT4_NAME_MAX + 1];
    struct ext4_inode directory = directory_any(), inode;
    size_t length = name_make(name, crash_number(4) ? 'f' : 'd');
    if (!find(&directory, name, length, &inode))
        return -BM_ENOENT;
    int error = bm_ext4_unlink(&fs, &directory, name, length, &inode);
    return end_if_unnamed(&inode, error);
}

static int link_any(void)
{
    char name[EXT4_NAME_MAX + 1];
    struct ext4_inode directory = directory_any(), inode;
    size_t length = name_make(name, 'f');
    if (!find(&directory, name, length, &inode))
        return -BM_ENOENT;
    directory = directory_any();
    length = name_make(name, 'f');
    return bm_ext4_link(&fs, &directory, name, length, &inode);
}

static bool is_below(struct ext4_inode directory, uint32_t above)
{
    while (directory.number != above && directory.number != EXT4_ROOT) {
        uint32_t number;
        assert_int_equal(bm_ext4_directory_find(&fs, &directory, "..", 2, &number), 0);
        directory = inode_of(number);
    }
    return directory.number == above;
}

static int rename_any(void)
{
    char name[EXT4_NAME_MAX + 1], new_name[EXT4_NAME_MAX + 1], kind = crash_number(3) ? 'f' : 'd';
    struct ext4_inode from = directory_any(), other = directory_any(), inode, target;
    struct ext4_rename what = {.from = &from, .inode = &inode, .name = name, .new_name = new_name};
    what.to = other.number == from.number ? &from : &other;
    what.length = name_make(name, kind);
    what.new_length = name_make(new_name, kind);
    if (!find(&from, name, what.length, &inode))
        return -BM_ENOENT;
    if (find(what.to, new_name, what.new_length, &target))
        what.target = &target;
    if (what.target && (target.number == inode.number))
        return -BM_EEXIST;
    what.exchanges = what.target && crash_number(3) == 0;
    if (kind == 'd' && (is_below(*what.to, inode.number) || (what.target && is_below(from, target.number))))
        return -BM_EINVAL;
    // What is renamed over may be the directory of the other name, which must be one structure.
    if (what.target && (target.number == from.number || target.number == other.number))
        return -BM_EINVAL;
    if (inode.number == other.number || inode.number == from.number)
        return -BM_EINVAL;
    int error = bm_ext4_rename(&fs, &what);
    return what.target ? end_if_unnamed(&target, error) : error;
}

static int write_any(void)
{
    char name[EXT4_NAME_MAX + 1];
    uint8_t data[EXT4_BLOCK_MAX];
    struct ext4_inode directory = directory_any(), file;
    size_t length = name_make(name, 'f');
    if (!find(&directory, name, length, &file) || (file.mode & BM_FILE_TYPE) != BM_FILE_REGULAR)
        return -BM_ENOENT;
    uint32_t first = crash_number(BLOCKS), total = 1 + crash_number(crash_number(4) ? 3 : 60), done;
    int error = bm_ext4_file_allocate(&fs, &file, first, total, &done);
    for (uint32_t i = first; i < first + total && !error; i++) {
        struct ext4_extent extent;
        assert_int_equal(bm_ext4_map(&fs, &file, i, &extent), 0);
        fill(data, file.owner, i);
        error = disk.write(disk.arg, (extent.block + i - extent.first) * fs.super.block_size, data,
                           fs.super.block_size);
    }
    if (!error && crash_number(8) == 0)
        return 0; // the power goes before it is said
    return error ? error
                 : bm_ext4_file_written(&fs, &file, first, total,
                                        (uint64_t)(first + total) * fs.super.block_size);
}

static int resize_any(void)
{
    char name[EXT4_NAME_MAX + 1];
    struct ext4_inode directory = directory_any(), file;
    size_t length = name_make(name, 'f');
    if (!find(&directory, name, length, &file) || (file.mode & BM_FILE_TYPE) != BM_FILE_REGULAR)
        return -BM_ENOENT;
    return bm_ext4_file_resize(&fs, &file, (uint64_t)crash_number(BLOCKS) * fs.super.block_size);
}

static int nameless_any(void)
{
    char name[EXT4_NAME_MAX + 1];
    struct ext4_inode directory = directory_any(), made = {.mode = BM_FILE_REGULAR | 0600, .owner = ++owners};
    int error = bm_ext4_create_nameless(&fs, &directory, &made);
    size_t length = name_make(name, 'f');
    if (!error && crash_number(2))
        (void)bm_ext4_link(&fs, &directory, name, length, &made);
    return end_if_unnamed(&made, error);
}

static int (*const all[])(void) = {create_any, create_any, create_any, unlink_any, link_any,    rename_any,
                                   write_any,  write_any,  write_any,  resize_any, nameless_any};

static void operate(unsigned number)
{
    unsigned which = crash_number(sizeof all / sizeof *all);
    int error = all[which]();
    counts[which] += !error;
    if (error && error != -BM_ENOENT && error != -BM_EEXIST && error != -BM_ENOTEMPTY &&
        error != -BM_EINVAL && error != -BM_ENOSPC)
        fail_msg("operation %u of kind %u: error %d", number, which, error);
    hashes[number] = hash_tree(EXT4_ROOT, 0);
    if (crash_number(6) == 0) {
        assert_int_equal(bm_ext4_commit(&fs), 0);
        safe[number] = crash_count;
    }
}

static void judge(size_t happened)
{
    assert_int_equal(mount_for_writing(), 0);
    uint64_t hash = hash_tree(EXT4_ROOT, 0);
    unsigned min = 0;
    for (unsigned i = 1; i <= operations; i++)
        if (safe[i] && safe[i] <= happened)
            min = i;
    unsigned found = min;
    while (found <= operations && hashes[found] != hash)
        found++;
    if (found > operations)
        fail_msg("moment %zu: the tree is not as behind any operation from %u on", happened, min);
    assert_int_equal(unmount(), 0);
    crash_fsck(image);
}

static void power_cuts(void **unused)
{
    (void)unused;
    unsigned count = from_environment("EXT4_OPERATIONS", 250), step = from_environment("EXT4_STEP", 13);
    assert_true(count <= OPERATIONS_MAX);
    for (unsigned kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        disk_make(kinds[kind], "12M");
        crash_state = from_environment("EXT4_SEED", 1) + kind;
        memset(safe, 0, sizeof safe);
        assert_int_equal(mount_for_writing(), 0);
        crash_begin();
        hashes[0] = hash_tree(EXT4_ROOT, 0);
        operations = count;
        for (unsigned i = 1; i <= count; i++)
            operate(i);
        assert_int_equal(unmount(), 0);
        crash_fsck(image);
        unsigned points = crash_points, checks = crash_checks;
        crash_each(step, 1, fs.super.block_size, judge);
        print_message("%s: %zu events, %u crash points, %u disks for e2fsck\n", kinds[kind], crash_count,
                      crash_points - points, crash_checks - checks);
        crash_end();
    }
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        assert_true(counts[i] > 0 || from_environment("EXT4_OPERATIONS", 0));
}

// Any write fails: nothing is half done for who mounts the disk then.
static void errors(void **unused)
{
    (void)unused;
    disk_is_quiet = true;
    unsigned ended = 0;
    for (unsigned left = 3; left < 150; left += 12) {
        disk_make(kinds[0], "12M");
        crash_state = left;
        assert_int_equal(mount_for_writing(), 0);
        disk_left = left;
        for (unsigned i = 0; i < 200 && !fs.read_only; i++) {
            (void)all[crash_number(sizeof all / sizeof *all)]();
            if (crash_number(4) == 0)
                (void)bm_ext4_commit(&fs);
        }
        ended += fs.read_only;
        disk_left = -1;
        assert_true(unmount() == 0 || fs.read_only);
        operations = 0;
        const char *why = NULL;
        struct ext4_fs after = {0};
        assert_int_equal(bm_ext4_mount(&after, &disk, BUFFERS, &why), 0);
        bm_ext4_unmount(&after);
        disk_save(image);
        run("PATH=$PATH:/usr/sbin:/sbin; e2fsck -fp %s >%s.log 2>&1; [ $? -le 1 ] || { cat %s.log; false; }",
            image, image, image); // orphans are left
    }
    assert_true(ended > 8);
    disk_is_quiet = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(power_cuts), cmocka_unit_test(errors)};
    return cmocka_run_group_tests(tests, begin, end);
}
