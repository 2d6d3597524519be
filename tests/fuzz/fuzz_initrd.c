// Any bytes as an archive of the loader: it is unpacked within bounds, and all of it can be listed, read and
// removed.
// SPDX-License-Identifier: MIT
// @includes tests/unit
// @max_len 8192
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c libbaremetal/file/archive.c
// @sources libbaremetal/file/initrd.c libbaremetal/base/format.c
// @sources libbaremetal/base/stack.c
//
// The sums of tar's headers are made right where the first byte says so, so that what is behind them is
// reached.
#include "file_host/initrd_host.h"

static void read_all(const char *path)
{
    char buffer[300];
    int descriptor = bm_path_open(BM_AT_FDCWD, path, BM_O_RDWR | BM_O_NOFOLLOW, 0);
    if (descriptor < 0)
        return;
    struct bm_file *file = bm_file_acquire(descriptor);
    while (file->ops->read(file, buffer, sizeof buffer) > 0)
        ;
    if (file->ops->write_at)
        file->ops->write_at(file, "x", 1, 3);
    bm_file_release(file);
    bm_file_close(descriptor);
}

// Removes all below a path; what is in the way of its removal is a fault.
static void remove_all(const char *path)
{
    struct bm_inode_entry entry;
    for (;;) {
        char below[BM_PATH_MAX + BM_NAME_MAX + 2];
        int descriptor = bm_path_open(BM_AT_FDCWD, path, BM_O_RDONLY | BM_O_DIRECTORY, 0);
        if (descriptor < 0) // longer than a path may be
            return;
        struct bm_file *file = bm_file_acquire(descriptor);
        int more = 1;
        do
            more = bm_file_entry(file, &entry);
        while (more == 1 && entry.name[0] == '.' &&
               (entry.length == 1 || (entry.length == 2 && entry.name[1] == '.')));
        bm_file_release(file);
        bm_file_close(descriptor);
        if (more != 1)
            return;
        sprintf(below, "%s/%s", path[1] ? path : "", entry.name);
        read_all(below);
        if (entry.type == BM_FILE_DIRECTORY)
            remove_all(below);
        if (bm_path_unlink(BM_AT_FDCWD, below, entry.type == BM_FILE_DIRECTORY ? BM_AT_REMOVEDIR : 0))
            abort();
    }
}

static void sums_make(uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + 512 <= size; at += 512) {
        unsigned sum = 0;
        if (memcmp(bytes + at + 257, "ustar", 5))
            continue;
        for (unsigned i = 0; i < 512; i++)
            sum += i >= 148 && i < 156 ? ' ' : bytes[at + i];
        snprintf((char *)bytes + at + 148, 8, "%06o", sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint8_t *bytes = malloc(size - 1);
    memcpy(bytes, data + 1, size - 1);
    if (data[0] & 1)
        sums_make(bytes, size - 1);
    bm_initrd_unpack(bytes, size - 1, "input");
    remove_all("/");
    free(bytes);
    const struct tmpfs *fs = (const struct tmpfs *)bm_mount_first();
    if (fs->inodes != 1)
        abort();
    return 0;
}
