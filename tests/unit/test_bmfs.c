// BMFS on a disk in memory: what is read, records that cannot be, sectors that cannot be read, and no memory.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c libbaremetal/file/page_cache.c
// @sources libbaremetal/file/disk_mount.c drivers/fs/bmfs/bmfs.c drivers/fs/bmfs/bmfs_parse.c
// @sources libbaremetal/base/stack.c
#include "erofs_host/erofs_host.h"

#include "../../drivers/fs/bmfs/bmfs_parse.h"

#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

extern const struct bm_file_system bm_driver_bmfs;
const struct bm_embedded_file bm_embedded_files[] = {{0}};
const size_t bm_embedded_file_count = 0;

enum { BLOCKS = 4, RECORD = 64, SIZE = 300001 };

static uint8_t image[BLOCKS * BMFS_BLOCK];

static void put(size_t at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        image[at + i] = (uint8_t)(value >> 8 * i);
}

static void record(unsigned index, const char *name, uint64_t first, uint64_t reserved, uint64_t size)
{
    size_t at = BMFS_DIRECTORY + index * RECORD;
    memset(image + at, 0, RECORD);
    strncpy((char *)image + at, name, BMFS_NAME);
    put(at + 32, first);
    put(at + 40, reserved);
    put(at + 48, size);
}

static int set_up(void **state)
{
    (void)state;
    memset(image, 0xaa, sizeof image);
    memcpy(image + BMFS_MARKER, "BMFS", 4);
    memset(image + BMFS_DIRECTORY, 0, BMFS_RECORDS * RECORD);
    for (unsigned i = 0; i < SIZE; i++)
        image[2 * BMFS_BLOCK + i] = (uint8_t)(i * 7 + i / 256);
    record(0, "first.app", 1, 1, 5);
    memcpy(image + BMFS_BLOCK, "hello", 5);
    record(1, "\x01removed", 3, 1, 100);
    record(2, "large", 2, 1, SIZE);
    record(3, "empty", 3, 1, 0);
    disk_set(image, sizeof image);
    return 0;
}

static struct bm_mount *mounted(void)
{
    struct bm_mount *mount = NULL;
    struct bm_volume volume = {.label = ""};
    assert_int_equal(bm_driver_bmfs.identify(&disk, &volume), 0);
    assert_int_equal(bm_driver_bmfs.mount(&disk, &mount), 0);
    return mount;
}

static struct bm_inode *looked_up(struct bm_mount *mount, const char *name)
{
    struct bm_inode *found = NULL;
    if (mount->root->ops->lookup(mount->root, name, strlen(name), &found))
        return NULL;
    return found;
}

// The names of the root, in their order.
static void names_are(struct bm_mount *mount, const char *wanted)
{
    char text[1000] = "";
    struct bm_inode_entry entry;
    for (uint64_t after = 2; mount->root->ops->entry(mount->root, after, &entry) > 0; after = entry.cookie) {
        assert_true(entry.cookie > after);
        assert_int_equal(strlen(entry.name), entry.length);
        assert_int_equal(entry.type, BM_FILE_REGULAR);
        strcat(strcat(text, entry.name), " ");
    }
    assert_string_equal(text, wanted);
}

static void test_reads(void **state)
{
    (void)state;
    static char buffer[SIZE + 5000];
    struct bm_file_status status = {0};
    long frames = frames_out;
    struct bm_mount *mount = mounted();
    assert_true(mount->read_only);
    names_are(mount, "first.app large empty ");
    struct bm_inode *file = looked_up(mount, "large");
    assert_int_equal(bm_inode_read(file, buffer, sizeof buffer, 0), SIZE);
    assert_memory_equal(buffer, image + 2 * BMFS_BLOCK, SIZE);
    assert_int_equal(bm_inode_read(file, buffer, 100, SIZE - 10), 10);
    assert_memory_equal(buffer, image + 2 * BMFS_BLOCK + SIZE - 10, 10);
    assert_int_equal(bm_inode_read(file, buffer, 100, SIZE), 0);
    struct bm_inode_page page; // what is behind the end belongs to nobody
    assert_int_equal(file->ops->page(file, SIZE / BM_PAGE_SIZE, BM_PAGE_READ, &page), 0);
    assert_int_equal(page.size, SIZE % BM_PAGE_SIZE);
    file->ops->page_put(file, &page);
    bm_inode_status(file, &status);
    assert_int_equal(status.mode, BM_FILE_REGULAR | 0644);
    bm_inode_put(file);
    file = looked_up(mount, "first.app");
    assert_int_equal(bm_inode_read(file, buffer, 100, 0), 5);
    assert_memory_equal(buffer, "hello", 5);
    bm_inode_put(file);
    file = looked_up(mount, "empty");
    assert_int_equal(bm_inode_read(file, buffer, 100, 0), 0);
    bm_inode_put(file);
    assert_null(looked_up(mount, "removed"));
    assert_null(looked_up(mount, "larg"));
    bm_driver_bmfs.end(mount);
    assert_int_equal(frames_out, frames);
}

static void refused(const char *name, uint64_t first, uint64_t reserved, uint64_t size)
{
    record(1, name, first, reserved, size);
    struct bm_mount *mount = mounted();
    names_are(mount, "first.app large empty ");
    bm_driver_bmfs.end(mount);
}

// Names and places that cannot be are left out, and the others are there.
static void test_wrong(void **state)
{
    (void)state;
    refused("a/b", 3, 1, 1);
    refused(".", 3, 1, 1);
    refused("..", 3, 1, 1);
    refused("first.app", 3, 1, 1);
    refused("no end of a name, of 32 letters.", 3, 1, 1);
    refused("zero", 0, 1, 1);
    refused("behind", 3, 2, 1);
    refused("far", BLOCKS + 1, 0, 0);
    refused("large size", 3, 1, BMFS_BLOCK + 1);
    refused("overflow", UINT64_MAX, 2, 1);
    refused("overflow", 1, UINT64_MAX, 1);
    record(1, "last", 3, 1, BMFS_BLOCK); // the last that can be
    struct bm_mount *mount = mounted();
    names_are(mount, "first.app last large empty ");
    bm_driver_bmfs.end(mount);
    for (unsigned i = 0; i < BMFS_RECORDS; i++) { // no end of the directory
        char name[8];
        snprintf(name, sizeof name, "n%u", i);
        record(i, name, 1, 1, i);
    }
    mount = mounted();
    struct bm_inode *file = looked_up(mount, "n63");
    assert_int_equal(atomic_load(&file->size), 63);
    bm_inode_put(file);
    bm_driver_bmfs.end(mount);
}

static void test_others(void **state)
{
    (void)state;
    struct bm_volume volume;
    memcpy(image + BMFS_MARKER, "bmfs", 4);
    assert_int_equal(bm_driver_bmfs.identify(&disk, &volume), 0);
    memcpy(image + BMFS_MARKER, "BMFX", 4);
    assert_int_equal(bm_driver_bmfs.identify(&disk, &volume), -BM_ENODEV);
    disk_set(image, BMFS_HEAD - 512);
    assert_int_equal(bm_driver_bmfs.identify(&disk, &volume), -BM_ENODEV);
}

static void test_errors(void **state)
{
    (void)state;
    char buffer[100];
    struct bm_mount *mount;
    struct bm_volume volume;
    disk_bad = 8;
    assert_int_equal(bm_driver_bmfs.identify(&disk, &volume), -BM_EIO);
    assert_int_equal(bm_driver_bmfs.mount(&disk, &mount), -BM_EIO);
    disk_bad = INT64_MAX;
    mount = mounted();
    disk_bad = 2 * BMFS_BLOCK / DISK_SECTOR;
    struct bm_inode *file = looked_up(mount, "large");
    assert_int_equal(bm_inode_read(file, buffer, sizeof buffer, 0), -BM_EIO);
    disk_bad = INT64_MAX;
    assert_int_equal(bm_inode_read(file, buffer, sizeof buffer, 0), sizeof buffer);
    bm_inode_put(file);
    bm_driver_bmfs.end(mount);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reads, set_up), cmocka_unit_test_setup(test_wrong, set_up),
        cmocka_unit_test_setup(test_others, set_up), cmocka_unit_test_setup(test_errors, set_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
