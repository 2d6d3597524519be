// Any bytes as an EROFS disk: what is on it is listed, looked up and read, all of it within bounds.
// SPDX-License-Identifier: MIT
// @includes tests/unit
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c libbaremetal/file/page_cache.c
// @sources libbaremetal/file/disk_mount.c drivers/fs/erofs/erofs.c drivers/fs/erofs/erofs_parse.c
// @sources libbaremetal/base/stack.c
//
// The first byte says where the input's bytes go in an image that mkfs.erofs could have made: its superblock
// is right, so that the rest is reached.
#include "erofs_host/erofs_host.h"

#include "../../drivers/fs/erofs/erofs_parse.h"

enum { DISK_BYTES = 16 * 4096, DEPTH = 4, STEPS = 400 };

const struct bm_embedded_file bm_embedded_files[] = {{0}};
const size_t bm_embedded_file_count = 0;

static unsigned steps;

static void read_all(struct bm_inode *inode)
{
    static char buffer[3 * 4096 + 100];
    uint64_t size = atomic_load(&inode->size);
    const uint64_t places[] = {0, 4000, size / 2, size > 100 ? size - 100 : 0, INT64_MAX};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        long done = bm_inode_read(inode, buffer, sizeof buffer, places[i]);
        if (done > 0 && places[i] + (uint64_t)done > size)
            abort();
    }
    bm_inode_find(inode, 0, true);
    bm_inode_find(inode, size / 2, false);
}

static void visit(struct bm_inode *inode, unsigned depth)
{
    struct bm_file_status status;
    struct bm_inode *found;
    if (steps++ > STEPS)
        return;
    bm_inode_status(inode, &status);
    if (inode->type == BM_FILE_REGULAR)
        read_all(inode);
    if (inode->type == BM_FILE_LINK) {
        char *text = malloc(100);
        inode->ops->target(inode, text, 100);
        free(text);
    }
    if (inode->type != BM_FILE_DIRECTORY)
        return;
    if (inode->ops->parent(inode, &found) == 0)
        bm_inode_put(found);
    struct bm_inode_entry entry;
    for (uint64_t after = 2; inode->ops->entry(inode, after, &entry) > 0 && steps < STEPS;
         after = entry.cookie) {
        if (entry.cookie <= after || entry.length > BM_NAME_MAX || strlen(entry.name) != entry.length)
            abort();
        if (inode->ops->lookup(inode, entry.name, entry.length, &found))
            continue;
        if (depth)
            visit(found, depth - 1);
        bm_inode_put(found);
    }
    if (inode->ops->lookup(inode, "no such name", 12, &found) == 0)
        bm_inode_put(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[DISK_BYTES];
    static const uint8_t super[] = {0xe2, 0xe1, 0xf5, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 36, 0};
    if (size < 2)
        return 0;
    memset(bytes, 0, sizeof bytes);
    size_t offset = data[0] % 16 * 128, length = size - 1;
    if (length > DISK_BYTES - offset)
        length = DISK_BYTES - offset;
    memcpy(bytes + offset, data + 1, length);
    if (data[0] & 16) {
        memcpy(bytes + EROFS_SUPER_OFFSET, super, sizeof super);
        memset(bytes + EROFS_SUPER_OFFSET + 36, 0, 8);
        bytes[EROFS_SUPER_OFFSET + 36] = DISK_BYTES / 4096;
        memset(bytes + EROFS_SUPER_OFFSET + 80, 0, 12);
    }
    disk_set(bytes, data[0] & 32 ? DISK_BYTES : DISK_BYTES / 2 + 512);
    struct bm_mount *mount;
    struct bm_volume volume;
    long before = frames_out;
    bm_driver_erofs.identify(&disk, &volume);
    if (bm_driver_erofs.mount(&disk, &mount) == 0) {
        steps = 0;
        visit(mount->root, DEPTH);
        bm_driver_erofs.end(mount);
    }
    if (frames_out != before)
        abort();
    return 0;
}
