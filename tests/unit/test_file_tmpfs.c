// Files in memory: the image's files below them, removal while open, bounds, and memory that ends at any
// place.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/base/format.c libbaremetal/file/devfs.c libbaremetal/file/devices.c
// @sources libbaremetal/file/embedded.c
// @sources libbaremetal/file/inode.c libbaremetal/file/mount.c libbaremetal/file/open.c
// @sources libbaremetal/file/path.c libbaremetal/file/path_open.c libbaremetal/file/pipe.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c
// @sources libbaremetal/file/watch.c libbaremetal/wait/interrupt.c libbaremetal/wait/waitqueue.c
// @sources libbaremetal/base/stack.c
#include "file_host/file_host.h"

#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

enum { AT = BM_AT_FDCWD, SPACE = 1 << 20 };

static char big[10000];

const struct bm_embedded_file bm_embedded_files[] = {
    {"/big", big, sizeof big, ""}, {"/www/index.html", "<p>", 3, ""}, {"/www/sub/x", "x", 1, ""}};
const size_t bm_embedded_file_count = 3;

static struct bm_file *opened(const char *path, int flags, int *descriptor)
{
    *descriptor = bm_path_open(AT, path, flags, 0644);
    assert_true(*descriptor >= 0);
    struct bm_file *file = bm_file_acquire(*descriptor);
    bm_file_release(file); // the descriptor keeps it
    return file;
}

static long write_whole(const char *path, int flags, const char *text)
{
    int descriptor = bm_path_open(AT, path, flags, 0644);
    if (descriptor < 0)
        return descriptor;
    struct bm_file *file = bm_file_acquire(descriptor);
    long result = file->ops->write(file, text, strlen(text));
    bm_file_release(file);
    bm_file_close(descriptor);
    return result;
}

static uint64_t used(const struct bm_mount *mount)
{
    return ((const struct tmpfs *)mount)->used;
}

// What is written is copied, page by page; the image stays.
static void copy_on_write(void **state)
{
    (void)state;
    int descriptor;
    char buffer[sizeof big];
    struct bm_file_status status;
    memset(big, 'b', sizeof big);
    struct bm_file *file = opened("/big", BM_O_RDWR, &descriptor);
    assert_int_equal(bm_file_status_of(file, &status), 0);
    assert_int_equal(status.blocks, 0);
    assert_int_equal(file->ops->write_at(file, "changed", 7, 5000), 7);
    assert_int_equal(bm_file_status_of(file, &status), 0);
    assert_int_equal(status.blocks, 8); // a page
    assert_int_equal(file->ops->read(file, buffer, sizeof buffer), sizeof big);
    assert_memory_equal(buffer + 4990, "bbbbbbbbbbchangedbbb", 20);
    assert_int_equal(big[5000], 'b');
    // A cut and longer file has zeros, not the image's bytes.
    assert_int_equal(bm_file_truncate(file, 100), 0);
    assert_int_equal(bm_file_truncate(file, sizeof big), 0);
    assert_int_equal(file->ops->read_at(file, buffer, sizeof buffer, 0), sizeof big);
    assert_int_equal(buffer[99], 'b');
    for (size_t i = 100; i < sizeof big; i++)
        assert_int_equal(buffer[i], 0);
    bm_file_close(descriptor);
}

// The bound is for what the program makes: the image's files are there however full it is.
static void image_when_full(void **state)
{
    (void)state;
    struct bm_inode *root = bm_mount_root();
    struct tmpfs *fs = (struct tmpfs *)root->mount;
    struct bm_file_status status;
    uint64_t limit = fs->limit;
    fs->limit = fs->used;
    assert_int_equal(bm_path_mkdir(AT, "/more", 0755), -BM_ENOSPC);
    assert_int_equal(bm_path_status(AT, "/www/sub/x", 0, &status), 0);
    assert_true(fs->used > fs->limit);
    assert_int_equal(bm_path_mkdir(AT, "/more", 0755), -BM_ENOSPC);
    struct bm_mount_space space;
    assert_int_equal(fs->mount.space(&fs->mount, &space), 0);
    assert_int_equal(space.free, 0);
    fs->limit = limit;
    bm_inode_put(root);
}

// Several at once, more than there are hints.
static void listings_at_once(void **state)
{
    (void)state;
    enum { LISTINGS = TMPFS_HINTS + 2, NAMES = 50 };
    char name[40];
    int descriptors[LISTINGS];
    struct bm_file *files[LISTINGS];
    struct bm_inode_entry entry;
    assert_int_equal(bm_path_mkdir(AT, "/several", 0755), 0);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "/several/%d", i);
        assert_int_equal(write_whole(name, BM_O_WRONLY | BM_O_CREAT, ""), 0);
    }
    for (int i = 0; i < LISTINGS; i++) {
        files[i] = opened("/several", BM_O_RDONLY, &descriptors[i]);
        for (int skipped = 0; skipped < i + 2; skipped++) // "." and ".." among them
            assert_int_equal(bm_file_entry(files[i], &entry), 1);
    }
    for (int number = 0; number < NAMES; number++) {
        for (int i = 0; i < LISTINGS; i++) {
            assert_int_equal(bm_file_entry(files[i], &entry), number + i < NAMES);
            if (number + i < NAMES)
                assert_int_equal(atoi(entry.name), number + i);
        }
    }
    for (int i = 0; i < LISTINGS; i++)
        bm_file_close(descriptors[i]);
}

// No bucket gets much more than its share, and which one gets a name is the mount's secret.
static void names_are_spread(void **state)
{
    (void)state;
    enum { NAMES = 4096, LONGEST = 14 };
    struct bm_mount *mounts[2] = {bm_tmpfs_make(SPACE), bm_tmpfs_make(SPACE)};
    unsigned equal = 0;
    int error;
    ((struct tmpfs *)mounts[1])->key += 12345;
    for (unsigned i = 0; i < NAMES; i++) {
        char name[20];
        size_t length = (size_t)snprintf(name, sizeof name, "file%u", i);
        struct tmpfs_entry *entries[2];
        for (unsigned m = 0; m < 2; m++) {
            struct tmpfs_node *root = tmpfs_node_of(mounts[m]->root);
            entries[m] = bm_tmpfs_entry_make(tmpfs_of(root), name, length, &error);
            assert_non_null(entries[m]);
            bm_tmpfs_insert(root, entries[m], root);
        }
        equal += entries[0]->hash % NAMES == entries[1]->hash % NAMES;
    }
    assert_true(equal < 20);
    const struct tmpfs_directory *directory = &tmpfs_node_of(mounts[0]->root)->directory;
    for (size_t bucket = 0; bucket < directory->bucket_count; bucket++) {
        unsigned length = 0;
        for (struct tmpfs_entry *entry = directory->buckets[bucket]; entry; entry = entry->chain)
            length++;
        assert_true(length <= LONGEST);
    }
}

static void removal(void **state)
{
    (void)state;
    int descriptor;
    struct bm_inode *inode;
    char text[8] = {0};
    struct bm_file *file = opened("/www/index.html", BM_O_RDONLY, &descriptor);
    assert_int_equal(bm_path_unlink(AT, "/www/index.html", 0), 0);
    assert_int_equal(bm_path_inode(AT, "/www/index.html", 0, &inode), -BM_ENOENT);
    assert_int_equal(bm_path_unlink(AT, "/www", BM_AT_REMOVEDIR), -BM_ENOTEMPTY);
    assert_int_equal(file->ops->read(file, text, 8), 3);
    assert_string_equal(text, "<p>");
    bm_file_close(descriptor);
    assert_int_equal(bm_path_unlink(AT, "/www/sub/x", 0), 0);
    assert_int_equal(bm_path_unlink(AT, "/www/sub", BM_AT_REMOVEDIR), 0);
    assert_int_equal(bm_path_unlink(AT, "/www", BM_AT_REMOVEDIR), 0);
    assert_int_equal(bm_path_mkdir(AT, "/www", 0755), 0); // empty, whatever the image has
    assert_int_equal(bm_path_inode(AT, "/www/sub", 0, &inode), -BM_ENOENT);
}

// A listing goes on behind the name that it told last, whatever was removed and made meanwhile.
static void stable_listing(void **state)
{
    (void)state;
    char name[40], seen[300] = {0};
    struct bm_inode_entry entry;
    int descriptor, result, told = 0;
    assert_int_equal(bm_path_mkdir(AT, "/list", 0755), 0);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "/list/%d", i);
        assert_int_equal(write_whole(name, BM_O_WRONLY | BM_O_CREAT, ""), 0);
    }
    struct bm_file *file = opened("/list", BM_O_RDONLY, &descriptor);
    while ((result = bm_file_entry(file, &entry)) == 1) {
        if (entry.name[0] == '.')
            continue;
        int number = atoi(entry.name);
        assert_int_equal(seen[number]++, 0);
        told += number < 200;
        snprintf(name, sizeof name, "/list/%d", number);
        assert_int_equal(bm_path_unlink(AT, name, 0), 0);
        if (number % 2 == 0 && number < 198) {
            snprintf(name, sizeof name, "/list/%d", number + 1); // told later: not at all
            assert_int_equal(bm_path_unlink(AT, name, 0), 0);
        }
    }
    assert_int_equal(result, 0);
    assert_int_equal(told, 101);
    bm_file_close(descriptor);
    assert_int_equal(bm_path_unlink(AT, "/list", BM_AT_REMOVEDIR), 0);
}

static void mounts(void **state)
{
    (void)state;
    struct bm_file_status root, below;
    struct bm_mount *mount = bm_tmpfs_make(SPACE), *second = bm_tmpfs_make(SPACE);
    char path[100];
    assert_int_equal(bm_path_mkdir(AT, "/mnt", 0755), 0);
    assert_int_equal(bm_mount_add(mount, "/mnt"), 0);
    assert_int_equal(bm_mount_add(mount, "/tmp"), -BM_EBUSY);
    assert_int_equal(bm_path_status(AT, "/", 0, &root), 0);
    assert_int_equal(bm_path_status(AT, "/mnt", 0, &below), 0);
    assert_int_not_equal(root.device, below.device);
    assert_int_equal(bm_path_mkdir(AT, "/mnt/d", 0755), 0);
    assert_int_equal(bm_path_chdir(AT, "/mnt/d", 0), 0);
    assert_int_equal(bm_path_getcwd(path, sizeof path), 7);
    assert_string_equal(path, "/mnt/d");
    assert_int_equal(bm_path_getcwd(path, 6), -BM_ERANGE);
    assert_int_equal(bm_path_status(AT, "../..", 0, &below), 0);
    assert_int_equal(below.number == root.number && below.device == root.device, 1);
    assert_int_equal(bm_path_unlink(AT, "/mnt", BM_AT_REMOVEDIR), -BM_EBUSY);
    assert_int_equal(bm_path_rename(AT, "/mnt", AT, "/other", 0), -BM_EBUSY);
    assert_int_equal(bm_path_rename(AT, "/mnt/d", AT, "/d", 0), -BM_EXDEV);
    assert_int_equal(write_whole("/mnt/f", BM_O_WRONLY | BM_O_CREAT, "f"), 1);
    assert_int_equal(bm_path_link(AT, "/mnt/f", AT, "/f", 0), -BM_EXDEV);
    assert_int_equal(bm_mount_add(second, "/mnt"), 0); // over the first one
    assert_int_equal(bm_path_status(AT, "/mnt/f", 0, &below), -BM_ENOENT);
    assert_int_equal(bm_path_status(AT, "f", 0, &below), -BM_ENOENT); // /mnt/d is the working directory
    assert_int_equal(bm_path_status(AT, "../f", 0, &below), -BM_ENOENT);
    second->read_only = true;
    assert_int_equal(bm_path_mkdir(AT, "/mnt/x", 0755), -BM_EROFS);
    assert_int_equal(write_whole("/mnt/x", BM_O_WRONLY | BM_O_CREAT, ""), -BM_EROFS);
    assert_int_equal(bm_path_access(AT, "/mnt", 2, 0), -BM_EROFS);
    second->read_only = false;
    assert_int_equal(bm_path_chdir(AT, "/", 0), 0);
}

static void bounds(void **state)
{
    (void)state;
    int descriptor;
    char name[60];
    struct bm_mount *mount = bm_tmpfs_make(SPACE);
    assert_int_equal(bm_path_mkdir(AT, "/small", 0755), 0);
    assert_int_equal(bm_mount_add(mount, "/small"), 0);
    uint64_t before = used(mount);
    struct bm_file *file = opened("/small/f", BM_O_RDWR | BM_O_CREAT, &descriptor);
    long done, total = 0;
    while ((done = file->ops->write(file, big, sizeof big)) > 0)
        total += done;
    assert_int_equal(done, -BM_ENOSPC);
    assert_true(total > SPACE - 30000 && total < SPACE);
    assert_true(used(mount) <= SPACE);
    assert_int_equal(bm_path_unlink(AT, "/small/f", 0), 0);
    assert_true(used(mount) > SPACE / 2); // still open
    bm_file_close(descriptor);
    int made = 0;
    do
        snprintf(name, sizeof name, "/small/%d", made++);
    while ((done = bm_path_mkdir(AT, name, 0755)) == 0);
    assert_int_equal(done, -BM_ENOSPC);
    assert_true(made > 2000);
    while (made-- > 1) {
        snprintf(name, sizeof name, "/small/%d", made - 1);
        assert_int_equal(bm_path_unlink(AT, name, BM_AT_REMOVEDIR), 0);
    }
    size_t buckets = tmpfs_node_of(mount->root)->directory.bucket_count;
    assert_int_equal(used(mount), before + buckets * sizeof(void *));
}

// A failed fallocate leaves what was there, and no more.
static void allocation_fails(void **state)
{
    (void)state;
    int descriptor;
    struct bm_mount *mount = bm_tmpfs_make(SPACE);
    assert_int_equal(bm_path_mkdir(AT, "/allocated", 0755), 0);
    assert_int_equal(bm_mount_add(mount, "/allocated"), 0);
    struct bm_file *file = opened("/allocated/f", BM_O_RDWR | BM_O_CREAT, &descriptor);
    assert_int_equal(file->ops->write_at(file, "there", 5, 10 * BM_PAGE_SIZE), 5);
    assert_int_equal(bm_inode_allocate(file->inode, 0, BM_PAGE_SIZE, true), 0);
    uint64_t before = used(mount);
    struct bm_file_status status;
    assert_int_equal(bm_inode_allocate(file->inode, 0, SPACE, false), -BM_ENOSPC);
    assert_int_equal(used(mount), before);
    assert_int_equal(bm_inode_allocate(file->inode, 1ull << 40, (1ull << 40) + SPACE, false), -BM_ENOSPC);
    assert_int_equal(used(mount), before);
    assert_int_equal(bm_file_status_of(file, &status), 0);
    assert_int_equal(status.size, 10 * BM_PAGE_SIZE + 5);
    assert_int_equal(status.blocks, 2 * BM_PAGE_SIZE / 512);
    char buffer[5];
    assert_int_equal(file->ops->read_at(file, buffer, 5, 10 * BM_PAGE_SIZE), 5);
    assert_memory_equal(buffer, "there", 5);
    bm_file_close(descriptor);
    assert_int_equal(bm_path_unlink(AT, "/allocated/f", 0), 0);
}

// A long file is cut in slices, between which the lock is free, and ends wherever it is cut.
static void long_files(void **state)
{
    (void)state;
    enum { PAGES = 4 * TMPFS_SLICE + 1 };
    int descriptor;
    struct bm_mount *mount = bm_tmpfs_make(2 * PAGES * BM_PAGE_SIZE);
    assert_int_equal(bm_path_mkdir(AT, "/long", 0755), 0);
    assert_int_equal(bm_mount_add(mount, "/long"), 0);
    struct bm_file *file = opened("/long/f", BM_O_RDWR | BM_O_CREAT, &descriptor);
    struct tmpfs_node *node = tmpfs_node_of(file->inode);
    uint64_t before = used(mount);
    assert_int_equal(bm_inode_allocate(file->inode, 0, PAGES * BM_PAGE_SIZE, false), 0);
    assert_true(bm_tmpfs_cut(node, 0));
    assert_int_equal(node->data.pages, PAGES - TMPFS_SLICE);
    assert_int_equal(bm_file_truncate(file, 1), 0);
    assert_int_equal(bm_file_truncate(file, 0), 0);
    assert_int_equal(used(mount), before);
    assert_int_equal(bm_inode_allocate(file->inode, 0, PAGES * BM_PAGE_SIZE, false), 0);
    assert_int_equal(bm_path_unlink(AT, "/long/f", 0), 0);
    bm_file_close(descriptor);
    assert_true(used(mount) < before);
    assert_int_equal(((struct tmpfs *)mount)->inodes, 1);
    assert_null(((struct tmpfs *)mount)->dying);
}

// O_TMPFILE: a file without a name, which may get one.
static void nameless(void **state)
{
    (void)state;
    int descriptor;
    struct bm_file_status status;
    struct bm_inode *root = bm_mount_root();
    uint64_t inodes = ((struct tmpfs *)root->mount)->inodes;
    assert_int_equal(bm_path_open(AT, "/tmp", BM_O_TMPFILE | BM_O_RDONLY, 0600), -BM_EINVAL);
    assert_int_equal(bm_path_open(AT, "/tmp", BM_O_TMPFILE | BM_O_CREAT | BM_O_RDWR, 0600), -BM_EINVAL);
    assert_int_equal(bm_path_open(AT, "/tmp", (BM_O_TMPFILE & ~BM_O_DIRECTORY) | BM_O_RDWR, 0600),
                     -BM_EINVAL);
    assert_int_equal(bm_path_open(AT, "/big", BM_O_TMPFILE | BM_O_RDWR, 0600), -BM_ENOTDIR);
    assert_int_equal(bm_path_open(AT, "/none", BM_O_TMPFILE | BM_O_RDWR, 0600), -BM_ENOENT);
    struct bm_file *file = opened("/tmp", BM_O_TMPFILE | BM_O_RDWR, &descriptor);
    assert_int_equal(file->ops->write(file, "x", 1), 1);
    assert_int_equal(bm_file_status_of(file, &status), 0);
    assert_int_equal(status.links, 0);
    assert_int_equal(bm_path_link(descriptor, "", AT, "/tmp/named", BM_AT_EMPTY_PATH), 0);
    assert_int_equal(bm_path_status(AT, "/tmp/named", 0, &status), 0);
    assert_int_equal(status.links, 1);
    assert_int_equal(bm_path_unlink(AT, "/tmp/named", 0), 0);
    assert_int_equal(bm_path_link(descriptor, "", AT, "/tmp/named", BM_AT_EMPTY_PATH), -BM_ENOENT);
    bm_file_close(descriptor);
    opened("/tmp", BM_O_TMPFILE | BM_O_WRONLY | BM_O_EXCL, &descriptor);
    assert_int_equal(bm_path_link(descriptor, "", AT, "/tmp/named", BM_AT_EMPTY_PATH), -BM_ENOENT);
    bm_file_close(descriptor);
    assert_int_equal(((struct tmpfs *)root->mount)->inodes, inodes);
    bm_inode_put(root);
}

static void devices(void **state)
{
    (void)state;
    int descriptor;
    char buffer[4] = "abc";
    struct bm_file_status status;
    struct bm_file *file = opened("/dev/zero", BM_O_RDWR, &descriptor);
    assert_int_equal(file->ops->read(file, buffer, 3), 3);
    assert_memory_equal(buffer, "\0\0\0", 3);
    assert_int_equal(file->ops->write(file, buffer, 3), 3);
    assert_int_equal(bm_file_status_of(file, &status), 0);
    assert_int_equal(status.mode, BM_FILE_CHARACTER | 0666);
    assert_int_equal(status.special, bm_device_number(1, 5));
    bm_file_close(descriptor);
    file = opened("/dev/null", BM_O_RDWR, &descriptor);
    assert_int_equal(file->ops->read(file, buffer, 3), 0);
    bm_file_close(descriptor);
    file = opened("/dev/full", BM_O_RDWR, &descriptor);
    assert_int_equal(file->ops->write(file, buffer, 3), -BM_ENOSPC);
    bm_file_close(descriptor);
    file = opened("/dev/urandom", BM_O_RDONLY, &descriptor);
    assert_int_equal(file->ops->read(file, buffer, 3), 3);
    assert_memory_equal(buffer, "BBB", 3);
    bm_file_close(descriptor);
    long out = frames_out;
    file = opened("/dev/tty", BM_O_WRONLY | BM_O_NONBLOCK, &descriptor);
    assert_ptr_not_equal(file, &bm_terminal_file);
    assert_ptr_equal(file->ops, bm_terminal_file.ops);
    assert_int_equal(file->flags, BM_O_WRONLY | BM_O_NONBLOCK);
    bm_file_close(descriptor);
    assert_int_equal(frames_out, out);
    assert_int_equal(bm_terminal_file.flags, BM_O_RDWR);
    assert_int_equal(bm_path_status(AT, "/dev/shm", 0, &status), 0);
    assert_int_equal(write_whole("/dev/shm/x", BM_O_WRONLY | BM_O_CREAT, "x"), 1);
}

// 40 links are followed, and no more.
static void links(void **state)
{
    (void)state;
    char name[20], target[20];
    struct bm_file_status status;
    assert_int_equal(write_whole("/tmp/l0", BM_O_WRONLY | BM_O_CREAT, "x"), 1);
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "/tmp/l%d", i);
        snprintf(target, sizeof target, "l%d", i - 1);
        assert_int_equal(bm_path_symlink(target, AT, name), 0);
    }
    assert_int_equal(bm_path_status(AT, "/tmp/l40", 0, &status), 0);
    assert_int_equal(bm_path_status(AT, "/tmp/l41", 0, &status), -BM_ELOOP);
}

// Up to 4,096 bytes are written whole or not at all.
static void pipe_pieces(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(bm_pipe_open(ends, BM_O_NONBLOCK | BM_O_CLOEXEC), 0);
    assert_int_equal(bm_file_cloexec(ends[1]), 1);
    struct bm_file *reader = bm_file_acquire(ends[0]), *writer = bm_file_acquire(ends[1]);
    while (writer->ops->write(writer, big, 1000) == 1000)
        ;
    assert_int_equal(writer->ops->write(writer, big, 4096), -BM_EAGAIN);
    assert_int_equal(writer->ops->write(writer, big, 5000), 65536 % 1000); // longer: what fits
    assert_int_equal(reader->ops->read(reader, big, 4095), 4095);
    assert_int_equal(writer->ops->write(writer, big, 4096), -BM_EAGAIN);
    assert_int_equal(reader->ops->read(reader, big, 1), 1);
    assert_int_equal(writer->ops->write(writer, big, 4096), 4096);
    // Several pieces are one up to that size.
    const struct bm_file_piece small[] = {{big, 2000}, {NULL, 0}, {big + 2000, 2096}},
                               large[] = {{big, 4000}, {big, 5000}};
    char read[5000];
    for (int i = 0; i < 5000; i++)
        big[i] = (char)(i * 7 + i / 256);
    assert_int_equal(reader->ops->read(reader, read, 4095), 4095);
    assert_int_equal(writer->ops->writev(writer, small, 3), -BM_EAGAIN);
    assert_int_equal(reader->ops->read(reader, read, 1), 1);
    assert_int_equal(writer->ops->writev(writer, small, 3), 4096);
    for (int left = 65536; left > 4096; left -= 4096)
        assert_int_equal(reader->ops->read(reader, read, 4096), 4096);
    assert_int_equal(reader->ops->read(reader, read, 5000), 4096);
    assert_memory_equal(read, big, 4096);
    assert_int_equal(writer->ops->writev(writer, large, 2), 9000);
    assert_int_equal(writer->ops->writev(writer, small, 0), 0);
    bm_file_release(reader);
    assert_int_equal(bm_file_close(ends[0]), 0);
    assert_int_equal(writer->ops->write(writer, big, 1), -BM_EPIPE);
    bm_file_release(writer);
    assert_int_equal(bm_file_close(ends[1]), 0);
}

// --- Memory that ends ---

static int script_step(unsigned step)
{
    static const struct bm_inode_change cut = {.which = BM_CHANGE_SIZE, .size = 5000};
    switch (step) {
    case 0:
        return bm_path_mkdir(AT, "/oom", 0755);
    case 1:
        return (int)write_whole("/oom/f", BM_O_WRONLY | BM_O_CREAT | BM_O_EXCL, "0123456789");
    case 2:
        return bm_path_symlink("f", AT, "/oom/l");
    case 3:
        return bm_path_link(AT, "/oom/f", AT, "/oom/g", 0);
    case 4:
        return bm_path_change(AT, "/oom/f", 0, &cut);
    case 5:
        return (int)write_whole("/oom/l", BM_O_WRONLY | BM_O_APPEND, "abcdefghij");
    case 6:
        return bm_path_rename(AT, "/oom/g", AT, "/oom/h-with-a-long-name-that-is-in-another-size-of-blocks",
                              0);
    case 7:
        return bm_path_mkdir(AT, "/oom/d", 0755);
    case 8:
        return bm_path_rename(AT, "/oom/h-with-a-long-name-that-is-in-another-size-of-blocks", AT, "/oom/d/x",
                              0);
    default:
        return 1000;
    }
}

static void check_script_end(void)
{
    struct bm_file_status status;
    int descriptor;
    char text[12] = {0};
    assert_int_equal(bm_path_status(AT, "/oom/d/x", 0, &status), 0);
    assert_int_equal(status.links, 2);
    assert_int_equal(status.size, 5010);
    struct bm_file *file = opened("/oom/l", BM_O_RDONLY, &descriptor);
    assert_int_equal(file->ops->read_at(file, text, 11, 0), 11);
    assert_memory_equal(text, "0123456789", 11);
    assert_int_equal(file->ops->read_at(file, text, 11, 5000), 10);
    assert_memory_equal(text, "abcdefghij", 10);
    bm_file_close(descriptor);
}

// Each call of the script fails for want of frames once for each frame that it would take; then it succeeds,
// and its outcome is what it would have been.
static void memory_ends(void **state)
{
    (void)state;
    unsigned failures = 0;
    struct bm_mount *root = bm_mount_root()->mount;
    uint64_t before = used(root), buckets = tmpfs_node_of(root->root)->directory.bucket_count;
    for (unsigned step = 0;; step++) {
        int result;
        for (long allowed = 0;; allowed++) {
            atomic_store(&frames_left, allowed);
            result = script_step(step);
            atomic_store(&frames_left, -1);
            if (result >= 0)
                break;
            assert_true(result == -BM_ENOMEM || result == -BM_ENOSPC || (step == 1 && result == -BM_EEXIST));
            if (result == -BM_EEXIST) // the file was made, then its page was missing
                assert_int_equal(bm_path_unlink(AT, "/oom/f", 0), 0);
            failures++;
            assert_true(allowed < 100);
        }
        if (result == 1000)
            break;
    }
    assert_true(failures > 3);
    check_script_end();
    static const char *const left[] = {"/oom/d/x", "/oom/f", "/oom/l"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        assert_int_equal(bm_path_unlink(AT, left[i], 0), 0);
    assert_int_equal(bm_path_unlink(AT, "/oom/d", BM_AT_REMOVEDIR), 0);
    assert_int_equal(bm_path_unlink(AT, "/oom", BM_AT_REMOVEDIR), 0);
    buckets = tmpfs_node_of(root->root)->directory.bucket_count - buckets;
    assert_int_equal(used(root), before + buckets * sizeof(void *));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_when_full),
        cmocka_unit_test(listings_at_once),
        cmocka_unit_test(names_are_spread),
        cmocka_unit_test(copy_on_write),
        cmocka_unit_test(removal),
        cmocka_unit_test(stable_listing),
        cmocka_unit_test(mounts),
        cmocka_unit_test(bounds),
        cmocka_unit_test(allocation_fails),
        cmocka_unit_test(long_files),
        cmocka_unit_test(nameless),
        cmocka_unit_test(devices),
        cmocka_unit_test(links),
        cmocka_unit_test(pipe_pieces),
        cmocka_unit_test(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
