// Any bytes as a BMFS disk: what is on it is listed, looked up and read, all of it within bounds.
// SPDX-License-Identifier: MIT
// @includes tests/unit
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c libbaremetal/file/page_cache.c
// @sources libbaremetal/file/disk_mount.c drivers/fs/bmfs/bmfs.c drivers/fs/bmfs/bmfs_parse.c
// @sources libbaremetal/base/stack.c
//
// The input's first byte says how large the disk is, the others are its directory.
#include "erofs_host/erofs_host.h"

#include "../../drivers/fs/bmfs/bmfs_parse.h"

extern const struct bm_file_system bm_driver_bmfs;
const struct bm_embedded_file bm_embedded_files[] = {{0}};
const size_t bm_embedded_file_count = 0;

enum { BLOCKS = 3, DIRECTORY_BYTES = 4096 };

static uint8_t bytes[BLOCKS * BMFS_BLOCK];

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
    bm_inode_find(inode, size / 2, false);
}

static void visit(struct bm_inode *root)
{
    struct bm_inode_entry entry;
    struct bm_inode *found;
    unsigned steps = 0;
    for (uint64_t after = 2; root->ops->entry(root, after, &entry) > 0; after = entry.cookie) {
        if (steps++ > BMFS_RECORDS || entry.cookie <= after || strlen(entry.name) != entry.length)
            abort();
        if (root->ops->lookup(root, entry.name, entry.length, &found))
            abort();
        if (found->number != entry.number)
            abort();
        read_all(found);
        bm_inode_put(found);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bm_mount *mount;
    struct bm_volume volume;
    long before = frames_out;
    if (size < 1)
        return 0;
    size_t length = size - 1 < DIRECTORY_BYTES ? size - 1 : DIRECTORY_BYTES;
    memcpy(bytes + BMFS_MARKER, "BMFS", 4);
    memset(bytes + BMFS_DIRECTORY, 0, DIRECTORY_BYTES);
    memcpy(bytes + BMFS_DIRECTORY, data + 1, length);
    disk_set(bytes, data[0] & 1 ? sizeof bytes : BMFS_HEAD + data[0] * (size_t)(sizeof bytes / 256 - 32));
    bm_driver_bmfs.identify(&disk, &volume);
    if (bm_driver_bmfs.mount(&disk, &mount) == 0) {
        visit(mount->root);
        bm_driver_bmfs.end(mount);
    }
    if (frames_out != before)
        abort();
    return 0;
}
