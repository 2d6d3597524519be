// EROFS on a disk in memory: what is read and with how many requests, wrong fields, sectors that cannot be
// read, and memory that ends at any place.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c libbaremetal/file/page_cache.c
// @sources libbaremetal/file/disk_mount.c drivers/fs/erofs/erofs.c drivers/fs/erofs/erofs_parse.c
// @sources libbaremetal/base/stack.c
#include "erofs_host/erofs_host.h"

#include "../../drivers/fs/erofs/erofs_parse.h"

#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

const struct bm_embedded_file bm_embedded_files[] = {{0}};
const size_t bm_embedded_file_count = 0;

enum {
    AT = BM_AT_FDCWD,
    BLOCK = EROFS_BLOCK,
    PAGES = 100, // of the file "big"
    ROOT = 0,    // numbers of inodes, in slots of 32 bytes
    BIG = 16,
    LITTLE = 20,
    CHUNKS = 24,
    META = 1, // blocks
    BIG_BLOCK = 2,
    BLOCKS = BIG_BLOCK + PAGES,
    SUPER = EROFS_SUPER_OFFSET,
    AT_ROOT = META * BLOCK + ROOT * 32,
    AT_BIG = META * BLOCK + BIG * 32,
    AT_LITTLE = META * BLOCK + LITTLE * 32,
    AT_CHUNKS = META * BLOCK + CHUNKS * 32
};

static uint8_t image[BLOCKS * BLOCK];

static void put(size_t at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        image[at + i] = (uint8_t)(value >> 8 * i);
}

// A compact inode.
static void inode_put(size_t at, unsigned layout, unsigned mode, uint32_t size, uint32_t block)
{
    put(at, layout << 1, 2);
    put(at + 4, mode, 2);
    put(at + 6, 1, 2);
    put(at + 8, size, 4);
    put(at + 16, block, 4);
}

// A directory's names, sorted, behind its inode.
static unsigned directory_put(size_t at)
{
    static const struct {
        const char *name;
        unsigned inode, type;
    } names[] = {
        {".", ROOT, 2}, {"..", ROOT, 2}, {"big", BIG, 1}, {"chunks", CHUNKS, 1}, {"little", LITTLE, 1}};
    enum { COUNT = sizeof names / sizeof *names };
    size_t name = COUNT * EROFS_ENTRY;
    for (unsigned i = 0; i < COUNT; i++) {
        put(at + i * EROFS_ENTRY, names[i].inode, 8);
        put(at + i * EROFS_ENTRY + 8, name, 2);
        put(at + i * EROFS_ENTRY + 10, names[i].type, 1);
        memcpy(image + at + name, names[i].name, strlen(names[i].name));
        name += strlen(names[i].name);
    }
    return (unsigned)name;
}

static void image_make(void)
{
    memset(image, 0, sizeof image);
    put(SUPER, (uint32_t)EROFS_MAGIC, 4);
    put(SUPER + 12, 12, 1);
    put(SUPER + 14, ROOT, 2);
    put(SUPER + 24, 1000000000, 8);
    put(SUPER + 36, BLOCKS, 4);
    put(SUPER + 40, META, 4);
    for (unsigned i = 0; i < 16; i++)
        image[SUPER + 48 + i] = (uint8_t)i;
    memcpy(image + SUPER + 64, "a disk", 6);
    inode_put(AT_ROOT, EROFS_INLINE, 0040755, directory_put(AT_ROOT + 32), 0);
    inode_put(AT_BIG, EROFS_PLAIN, 0100644, PAGES * BLOCK - 10, BIG_BLOCK);
    inode_put(AT_LITTLE, EROFS_INLINE, 0100600, 5, 0);
    memcpy(image + AT_LITTLE + 32, "five!", 5);
    // Of chunks of a block: the last page of "big", a hole, its first one.
    inode_put(AT_CHUNKS, EROFS_CHUNKS, 0100644, 2 * BLOCK + 1, 0);
    put(AT_CHUNKS + 32, BIG_BLOCK + PAGES - 1, 4);
    put(AT_CHUNKS + 36, UINT32_MAX, 4);
    put(AT_CHUNKS + 40, BIG_BLOCK, 4);
    for (size_t i = BIG_BLOCK * BLOCK; i < sizeof image; i++)
        image[i] = (uint8_t)(i / BLOCK + i * 7);
    disk_set(image, sizeof image);
}

static int mount_it(struct bm_mount **mount)
{
    return bm_driver_erofs.mount(&disk, mount);
}

static int look_up(struct bm_mount *mount, const char *name, struct bm_inode **found)
{
    return mount->root->ops->lookup(mount->root, name, strlen(name), found);
}

// By path, mounted as mount= has it.
static void contents(void **state)
{
    (void)state;
    static char buffer[PAGES * BLOCK];
    image_make();
    assert_int_equal(bm_disk_mount("/deep/data", "vda"), 0);
    assert_int_equal(bm_disk_mount("/deep/none", "vdz"), -BM_ENODEV);
    assert_int_equal(bm_disk_mount("/named", "LABEL=a disk"), 0);
    assert_int_equal(bm_disk_mount("/none", "LABEL=a dis"), -BM_ENODEV);
    assert_int_equal(bm_disk_mount("/id", "UUID=000102030405-0607-0809-0A0b-0c0d0E0F"), 0);
    assert_int_equal(bm_disk_mount("/none", "UUID=00010203-0405-0607-0809-0a0b0c0d0e"), -BM_ENODEV);
    assert_int_equal(bm_disk_mount("/none", "UUID=00010203-0405-0607-0809-0a0b0c0d0e0f0"), -BM_ENODEV);
    assert_int_equal(bm_disk_mount("/id", "vda"), 0); // over the root of what is mounted there
    assert_int_equal(bm_disk_mount("/id/little", "vda"), -BM_ENOTDIR);
    int descriptor = bm_path_open(AT, "/deep/data/big", BM_O_RDONLY, 0);
    struct bm_file *file = bm_file_acquire(descriptor);
    disk_reads = 0;
    assert_int_equal(file->ops->read(file, buffer, sizeof buffer), PAGES * BLOCK - 10);
    assert_memory_equal(buffer, image + BIG_BLOCK * BLOCK, PAGES * BLOCK - 10);
    unsigned requests = (PAGES + 7) / 8; // of 8 segments at most
    assert_true(disk_reads >= requests && disk_reads <= PAGES);
    disk_reads = 0;
    assert_int_equal(file->ops->read_at(file, buffer, 100, 50 * BLOCK), 100);
    assert_int_equal(disk_reads, 0);
    assert_int_equal(file->ops->seek(file, 0, BM_SEEK_HOLE), PAGES * BLOCK - 10);
    bm_file_release(file);
    bm_file_close(descriptor);
    descriptor = bm_path_open(AT, "/deep/data/chunks", BM_O_RDONLY, 0);
    file = bm_file_acquire(descriptor);
    assert_int_equal(file->ops->read(file, buffer, sizeof buffer), 2 * BLOCK + 1);
    assert_memory_equal(buffer, image + (BIG_BLOCK + PAGES - 1) * BLOCK, BLOCK);
    for (unsigned i = BLOCK; i < 2 * BLOCK; i++)
        assert_int_equal(buffer[i], 0);
    assert_int_equal(buffer[2 * BLOCK], (char)image[BIG_BLOCK * BLOCK]);
    assert_int_equal(file->ops->seek(file, 0, BM_SEEK_HOLE), BLOCK);
    assert_int_equal(file->ops->seek(file, BLOCK, BM_SEEK_DATA), 2 * BLOCK);
    bm_file_release(file);
    bm_file_close(descriptor);
    struct bm_file_status status;
    assert_int_equal(bm_path_status(AT, "/deep/data/little", 0, &status), 0);
    assert_int_equal(status.mode, 0100600);
    assert_int_equal(status.modified, 1000000000000000000);
    assert_int_equal(bm_path_unlink(AT, "/deep/data/little", 0), -BM_EROFS);
    assert_int_equal(bm_path_rename(AT, "/deep/data/little", AT, "/deep/data/x", 0), -BM_EROFS);
}

// A cache that is smaller than the file: pages go, and the newest stay.
static void bounds(void **state)
{
    (void)state;
    struct bm_mount *mount;
    struct bm_inode *file;
    struct bm_page_cache cache;
    struct bm_inode_page page;
    image_make();
    assert_int_equal(mount_it(&mount), 0);
    assert_int_equal(look_up(mount, "big", &file), 0);
    assert_int_equal(bm_page_cache_make(&cache, &disk, 40), 0);
    long before = frames_out;
    for (unsigned round = 0; round < 3; round++)
        for (uint64_t i = 0; i < PAGES; i++) {
            assert_int_equal(bm_page_cache_get(&cache, file, i, &page), 0);
            assert_memory_equal(page.data, image + (BIG_BLOCK + i) * BLOCK, BLOCK);
            bm_page_cache_put(&cache, &page);
            assert_true(cache.pages <= 40);
        }
    assert_true(frames_out - before <= 40 + 3); // and a few for what is known of them
    disk_reads = 0;
    assert_int_equal(bm_page_cache_get(&cache, file, PAGES - 1, &page), 0);
    assert_int_equal(disk_reads, 0);
    bm_page_cache_put(&cache, &page);
    bm_page_cache_end(&cache);
    bm_inode_put(file);
    bm_driver_erofs.end(mount);
}

// A sector that cannot be read is told as EIO, each time, and is read again.
static void errors(void **state)
{
    (void)state;
    struct bm_mount *mount;
    struct bm_inode *file;
    char buffer[BLOCK];
    image_make();
    disk_bad = 0;
    assert_int_equal(mount_it(&mount), -BM_EIO);
    disk_bad = META * BLOCK / DISK_SECTOR;
    assert_int_equal(mount_it(&mount), -BM_EIO);
    disk_bad = INT64_MAX;
    assert_int_equal(mount_it(&mount), 0);
    assert_int_equal(look_up(mount, "big", &file), 0);
    disk_bad = (BIG_BLOCK + 50) * BLOCK / DISK_SECTOR;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(bm_inode_read(file, buffer, BLOCK, 50 * BLOCK), -BM_EIO);
    assert_int_equal(bm_inode_read(file, buffer, BLOCK, 0), BLOCK);
    disk_bad = INT64_MAX;
    assert_int_equal(bm_inode_read(file, buffer, BLOCK, 50 * BLOCK), BLOCK);
    assert_memory_equal(buffer, image + (BIG_BLOCK + 50) * BLOCK, BLOCK);
    disk.removed = true;
    bm_inode_put(file);
    bm_driver_erofs.end(mount);
    disk.removed = false;
}

// Each wrong field by itself.
static void wrong_fields(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        unsigned size;
        uint64_t value;
        int mounted, found, done; // what mounting, looking "big" or "chunks" up, and reading it say
    } wrong[] = {{SUPER, 4, 1, -BM_ENODEV, 0, 0},
                 {SUPER + 8, 4, 1, -BM_EIO, 0, 0},                  // a checksum, which is wrong
                 {SUPER + 12, 1, 9, -BM_EOPNOTSUPP, 0, 0},          // the block's size
                 {SUPER + 13, 1, 255, -BM_EIO, 0, 0},               // further slots
                 {SUPER + 14, 2, 0xffff, -BM_EIO, 0, 0},            // the root
                 {SUPER + 14, 2, BIG, -BM_EIO, 0, 0},               // no directory
                 {SUPER + 36, 4, BLOCKS + 1, -BM_EIO, 0, 0},        // beyond the disk
                 {SUPER + 36, 4, 0, -BM_EIO, 0, 0},                 //
                 {SUPER + 40, 4, BLOCKS, -BM_EIO, 0, 0},            // the inodes
                 {SUPER + 80, 4, 2, -BM_EOPNOTSUPP, 0, 0},          // compression
                 {SUPER + 86, 2, 1, -BM_EOPNOTSUPP, 0, 0},          // another disk
                 {SUPER + 90, 1, 1, -BM_EOPNOTSUPP, 0, 0},          // blocks of directories
                 {AT_ROOT, 2, 1 << 1, -BM_EOPNOTSUPP, 0, 0},        // a compressed directory
                 {AT_ROOT + 2, 2, 0xffff, 0, -BM_EIO, 0},           // its attributes leave no room
                 {AT_ROOT + 8, 4, 4095, -BM_EIO, 0, 0},             // its size
                 {AT_ROOT + 32 + 8, 2, 11, 0, -BM_EIO, 0},          // where names begin
                 {AT_ROOT + 32 + 8, 2, 5000, 0, -BM_EIO, 0},        //
                 {AT_ROOT + 32 + 20, 2, 0, 0, -BM_EIO, 0},          // names that go back
                 {AT_ROOT + 32 + 34, 1, 8, 0, -BM_EIO, 0},          // a type
                 {AT_ROOT + 32 + 64, 1, '/', 0, -BM_EIO, 0},        // a name
                 {AT_ROOT + 32 + 24, 8, 1ull << 40, 0, -BM_EIO, 0}, // an inode
                 {AT_BIG, 2, 0x8000, 0, -BM_EIO, 0},                // a format
                 {AT_BIG + 4, 2, 0, 0, -BM_EIO, 0},                 // no type
                 {AT_BIG + 8, 4, UINT32_MAX, 0, -BM_EIO, 0},        // longer than the disk
                 {AT_BIG + 16, 4, BLOCKS, 0, -BM_EIO, 0},           // where it is
                 {AT_BIG + 16, 4, BIG_BLOCK + 1, 0, -BM_EIO, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct bm_mount *mount;
        struct bm_inode *found;
        image_make();
        put(wrong[i].at, wrong[i].value, wrong[i].size);
        long before = frames_out;
        int result = mount_it(&mount);
        if (result != wrong[i].mounted)
            fail_msg("field %zu: mounting gave %d, not %d", i, result, wrong[i].mounted);
        if (result == 0) {
            result = look_up(mount, "big", &found);
            if (result != wrong[i].found)
                fail_msg("field %zu: looking up gave %d, not %d", i, result, wrong[i].found);
            if (result == 0)
                bm_inode_put(found);
            bm_driver_erofs.end(mount);
        }
        assert_int_equal(frames_out, before);
    }
}

// A chunk that lies beyond the end, or a table that does.
static void wrong_chunks(void **state)
{
    (void)state;
    struct bm_mount *mount;
    struct bm_inode *found;
    char byte;
    image_make();
    put(AT_CHUNKS + 32, BLOCKS, 4);
    assert_int_equal(mount_it(&mount), 0);
    assert_int_equal(look_up(mount, "chunks", &found), 0);
    assert_int_equal(bm_inode_read(found, &byte, 1, 0), -BM_EIO);
    assert_int_equal(bm_inode_find(found, 0, true), -BM_EIO);
    bm_inode_put(found);
    bm_driver_erofs.end(mount);
    put(AT_CHUNKS + 8, UINT32_MAX, 4);
    assert_int_equal(mount_it(&mount), 0);
    assert_int_equal(look_up(mount, "chunks", &found), -BM_EIO);
    bm_driver_erofs.end(mount);
}

static int use(void)
{
    struct bm_mount *mount;
    struct bm_inode *found;
    static char buffer[3 * BLOCK];
    int result = mount_it(&mount);
    if (result)
        return result;
    result = look_up(mount, "big", &found);
    if (!result) {
        long done = bm_inode_read(found, buffer, sizeof buffer, 0);
        result = done == sizeof buffer ? 0 : done < 0 ? (int)done : 1;
        bm_inode_put(found);
    }
    bm_driver_erofs.end(mount);
    return result;
}

static void memory_ends(void **state)
{
    (void)state;
    image_make();
    long before = frames_out;
    unsigned failures = 0;
    for (long allowed = 0;; allowed++) {
        atomic_store(&frames_left, allowed);
        int result = use();
        atomic_store(&frames_left, -1);
        assert_int_equal(frames_out, before);
        if (result == 0)
            break;
        assert_true(result == -BM_ENOMEM || result == 1);
        failures++;
        assert_true(allowed < 1000);
    }
    assert_true(failures > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents),     cmocka_unit_test(bounds),       cmocka_unit_test(errors),
        cmocka_unit_test(wrong_fields), cmocka_unit_test(wrong_chunks), cmocka_unit_test(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
