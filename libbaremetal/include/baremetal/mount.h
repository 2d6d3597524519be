// Mounted file systems.
// SPDX-License-Identifier: MIT
//
// The root is mounted when a path is first looked at: it is a tmpfs above the files of the image
// (docs/files.md).
#pragma once

#include <baremetal/inode.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How full a file system is.
struct bm_mount_space {
    uint64_t block_size;          // bytes, of what follows
    uint64_t blocks, free;        // all, and those that could still be had
    uint64_t inodes, inodes_free; // the same of inodes; 0: no bound
    uint32_t name_max;            // bytes of a name
    uint32_t magic;               // Linux' number of the kind of file system
};

// A file system, which its driver embeds in a structure of its own. It may be mounted at one place.
struct bm_mount {
    const char *kind;      // "tmpfs"
    const char *source;    // the disk that it is on, "vda1"; NULL: none
    struct bm_inode *root; // has a reference of its own
    bool read_only;        // the service refuses changes with -BM_EROFS
    int (*space)(struct bm_mount *mount, struct bm_mount_space *space); // *space is all zeros
    // What was written is safe; with `last` the machine is about to be powered off, and nothing can be
    // written any more. NULL: it always is, or never will be.
    int (*sync)(struct bm_mount *mount, bool last);
    // The service's:
    uint64_t device;        // st_dev
    struct bm_inode *place; // the directory that it covers; NULL: the root
    struct bm_mount *next;  // mounted before it
};

// Mounts a file system over the directory `path`. It stays for good. Returns 0; -BM_ENOTDIR; -BM_EBUSY when
// the file system or the place is mounted already; an error of the walk. Any core, not in handlers.
int bm_mount_add(struct bm_mount *mount, const char *path);

// The file systems, the one mounted last first, ends with the root. Any core.
struct bm_mount *bm_mount_first(void);

// The root directory, with a reference; NULL when there is no memory for it. Any core, not in handlers.
struct bm_inode *bm_mount_root(void);

// A file system in memory, empty, of at most `limit` bytes (0: half of the machine's memory). Everything that
// it keeps counts, names and inodes, too. NULL when memory is short.
struct bm_mount *bm_tmpfs_make(uint64_t limit);

#ifdef __cplusplus
}
#endif
