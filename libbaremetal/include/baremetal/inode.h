// Inodes: what file systems do for the file service, and how their pages reach readers, mappings and disks.
// SPDX-License-Identifier: MIT
//
// A file system is a set of inodes, reached from its root (mount.h). Programs never see them: they use paths
// (path.h) and descriptors (file.h).
//
// References. An inode lives while somebody has a reference to it: the walk that found it, an open file, a
// working directory, a mapping. A file system hands out inodes with one reference for the caller, also those
// that it keeps itself. When the last reference goes, `unused` is called, so that a file without names goes
// away then and not before.
//
// Locks. Operations are called without locks, on any core, not in handlers; they may wait for devices. What
// must be one step (to create a name that is not there, to rename) is one operation, and the file system
// locks as it needs. Only `written`, `change` of the size, and `page` for writing are serialised for each
// inode, by its own lock `busy`. There is no cache of names: a file system whose directories are on a disk
// keeps them in pages of its own.
//
// Pages. The bytes of a regular file are its pages, of BM_PAGE_SIZE. Whoever reads, writes or maps a file
// asks for a page, uses its bytes where they are, and puts it back:
// - A page that was asked for keeps its memory until it is put back, also when the file is truncated or
//   removed meanwhile. So a copy to or from a program's memory, which may fault, is done without any lock,
//   and the network may send from it.
// - Of one file and index there is one page for writing, whoever asks: a shared mapping and write() see the
//   same bytes. A page for reading may be elsewhere (in the image's constants); from the first one for
//   writing on it is the same, and who keeps pages for reading (a mapping) asks again then.
// - The bytes behind `size` of a page count as zeros. Those from the file's end to the page's end are zeros
//   in a page for writing, too, so that a file may grow by its size alone.
// - Data that is not aligned to a page is read from where it is and mapped as a copy.
//
// Disks. A file system on <baremetal/block.h> says where a page lies by `extent`, and a page cache
// (page_cache.h, which reads) beneath `page` and `page_put` does the rest, the same for each of them: it
// keeps pages in frames of their own, sends requests whose segments are the pages themselves
// (bm_dma_segments), as many pages in one as are side by side on the disk; `done` runs in a poller, so it
// only marks the page and wakes who waits for it. A page for writing is dirty when it is put back; its way to
// the disk begins in the background, and `sync` waits until it has arrived, with what is needed to find it,
// and then flushes. An error of writing is kept until a `sync` has told it. Blocks smaller than a page are
// told as several extents in one page.
#pragma once

#include <baremetal/compiler.h>
#include <baremetal/file.h>
#include <baremetal/memory.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_inode;
struct bm_mount;

enum {
    BM_NAME_MAX = 255, // bytes of a name
    BM_PATH_MAX = 4096 // of a path, with its NUL
};

// What a page is asked for.
enum bm_page_use {
    BM_PAGE_READ,
    BM_PAGE_WRITE, // part of it: the rest is as it was
    BM_PAGE_WHOLE  // all of it is going to be written: what was there need not be fetched
};

// A page while it is used.
struct bm_inode_page {
    void *data;   // its first byte; NULL: a hole (size is 0)
    size_t size;  // bytes that are there
    void *keeper; // the file system's own
    bool written; // by page_put's caller: it was for writing, and was written
};

// Where pages of a file lie on a disk.
struct bm_inode_extent {
    uint64_t first;  // byte of the file, a multiple of the file system's block
    uint64_t length; // bytes, the same
    uint64_t sector; // on the device; of no meaning for a hole
    bool hole;       // nothing is there: zeros
};

// What a new inode is to be.
struct bm_inode_new {
    uint32_t mode;         // enum bm_file_type and permissions
    uint32_t owner, group; // their numbers
    uint64_t special;      // of a device: its number
    const char *target;    // of a link: what it says, with a NUL
    const void *data; // of a regular file: what it begins with, which stays there for good; NULL: nothing
    uint64_t size;    // bytes of that
};

// What is to be changed of an inode; `which` names the members that count.
struct bm_inode_change {
    unsigned which;             // enum bm_inode_change_flags
    uint32_t mode;              // permissions
    uint32_t owner, group;      // their numbers
    uint64_t size;              // of a regular file
    int64_t accessed, modified; // nanoseconds since 1970-01-01 00:00 UTC
};
// The members of struct bm_inode_change.
enum bm_inode_change_flags {
    BM_CHANGE_MODE = 1,
    BM_CHANGE_OWNER = 2,
    BM_CHANGE_GROUP = 4,
    BM_CHANGE_SIZE = 8,
    BM_CHANGE_ACCESSED = 16,
    BM_CHANGE_MODIFIED = 32,
    BM_CHANGE_TOUCH = 64 // the times are now: whoever may write may set them
};

// A name in a directory.
struct bm_inode_entry {
    uint64_t number;            // of the inode
    uint64_t cookie;            // asks for the one behind it
    uint32_t type;              // enum bm_file_type
    uint32_t length;            // of the name
    char name[BM_NAME_MAX + 1]; // with a NUL
};

// What a file system does for its inodes. NULL: it cannot; the service then answers for it. Names have 1 to
// BM_NAME_MAX bytes, no slash, are never "." or "..", and need not end in a NUL. Return 0 or more, or a
// negative error.
struct bm_inode_ops {
    // Pages for writing of its regular files may be mapped shared: `page` gives one, `page_put` takes it and
    // `written` sets the time without waiting, also in a page fault and without `busy`; once made, a page
    // stays where it is until the file ends before it, of which bm_inode_unmap is told first.
    bool shares;
    // Directories. One that has been removed has no names, and none can be made in it: -BM_ENOENT.
    int (*lookup)(struct bm_inode *directory, const char *name, size_t length, struct bm_inode **found);
    // The directory above; of the root, itself. Also of a directory that has been removed.
    int (*parent)(struct bm_inode *directory, struct bm_inode **found);
    int (*create)(struct bm_inode *directory, const char *name, size_t length,
                  const struct bm_inode_new *what, struct bm_inode **made);
    // A regular file without a name (O_TMPFILE), which `link` may give one if it is `linkable`.
    int (*create_nameless)(struct bm_inode *directory, const struct bm_inode_new *what, bool linkable,
                           struct bm_inode **made);
    int (*link)(struct bm_inode *directory, const char *name, size_t length, struct bm_inode *inode);
    // `removes_directory`: rmdir, of an empty directory; otherwise unlink, of anything else.
    int (*unlink)(struct bm_inode *directory, const char *name, size_t length, bool removes_directory);
    // As POSIX' rename; `flags` as of bm_path_rename. Both directories are of this file system.
    int (*rename)(struct bm_inode *from, const char *name, size_t length, struct bm_inode *to,
                  const char *new_name, size_t new_length, unsigned flags);
    // The first name whose cookie is greater than `after`, without "." and "..". Cookies are 3 or more and
    // stay with their name; a name that is there all the while is told exactly once by a loop. Returns 1, 0
    // at the end, or a negative error.
    int (*entry)(struct bm_inode *directory, uint64_t after, struct bm_inode_entry *entry);
    // All inodes.
    int (*status)(struct bm_inode *inode, struct bm_file_status *status); // *status is all zeros
    int (*change)(struct bm_inode *inode, const struct bm_inode_change *change);
    // What was written is safe. NULL: it always is, or never will be.
    int (*sync)(struct bm_inode *inode, bool data_only);
    // In place of dropping the last reference: drops it, under the file system's lock, since a lookup may
    // find the inode again at the same time; frees it if it has no name and nobody has a reference.
    void (*unused)(struct bm_inode *inode);
    // Links: what one says, at most size bytes, no NUL. Returns its whole length.
    long (*target)(struct bm_inode *inode, char *buffer, size_t size);
    // Of a link that leads to something whatever its name is by now, such as /proc/self/fd/3: that, and 0, or
    // a negative error; 1: it leads where its text says. NULL: each does.
    int (*through)(struct bm_inode *link, struct bm_inode **found);
    // Regular files. `open`: of those that are no pages, the file system makes the open file, with `flags` to
    // be kept; NULL: the service does.
    int (*open)(struct bm_inode *inode, int flags, struct bm_file **file);
    // Of files that are somewhere else, not in pages: their bytes, in place of all below; fewer at the end,
    // or when there is no more space. `write` is serialised as `page` for writing is, and sets size and time.
    long (*read)(struct bm_inode *inode, void *buffer, size_t size, uint64_t offset);
    long (*write)(struct bm_inode *inode, const void *buffer, size_t size, uint64_t offset);
    int (*page)(struct bm_inode *inode, uint64_t index, enum bm_page_use use, struct bm_inode_page *page);
    void (*page_put)(struct bm_inode *inode, struct bm_inode_page *page);
    // Pages up to byte `end` have been written, now: the size is at least that, the time is set.
    int (*written)(struct bm_inode *inode, uint64_t end);
    // Makes memory or blocks for the pages from `first` to `last`; what it made is given back when it fails.
    int (*allocate)(struct bm_inode *inode, uint64_t first, uint64_t last);
    // Where the byte `at`, which is before the end, lies on the disk, and what is side by side with it, or a
    // part of that; `allocate`: a hole becomes blocks first. NULL: nobody can tell holes.
    int (*extent)(struct bm_inode *inode, uint64_t at, bool allocate, struct bm_inode_extent *extent);
};

// A lock that may be held while waiting for devices; all zeros is free.
struct bm_file_mutex {
    BM_ATOMIC(uint32_t) held;     // by somebody
    BM_ATOMIC(uint64_t) cores[4]; // a bit for each core that waits
};

// Takes and releases a `mutex`, waiting for whoever has it. Any core, not in handlers, under no spinlock.
void bm_file_mutex_acquire(struct bm_file_mutex *mutex);
void bm_file_mutex_release(struct bm_file_mutex *mutex);

// An inode in memory. A file system embeds it in a structure of its own, with one reference.
struct bm_inode {
    const struct bm_inode_ops *ops;       // of its file system
    struct bm_mount *mount;               // its file system
    uint64_t number;                      // in it
    uint32_t type;                        // enum bm_file_type
    BM_ATOMIC(uint32_t) references;       // of everybody
    BM_ATOMIC(uint64_t) size;             // bytes of a regular file
    uint64_t special;                     // number of a device
    BM_ATOMIC(struct bm_mount *) covered; // by this file system, which is mounted here
    struct bm_file_mutex busy;            // who writes to a regular file
    BM_ATOMIC(uint32_t) seals;            // enum bm_seal: changes of a regular file that are refused
};

// What a file may refuse for good: by Linux' numbers (F_ADD_SEALS). They change under the inode's `busy`.
enum bm_seal {
    BM_SEAL_SEAL = 1,                 // further seals
    BM_SEAL_SHRINK = 2,               // to become shorter
    BM_SEAL_GROW = 4,                 // to become longer
    BM_SEAL_WRITE = 8,                // to be written
    BM_SEAL_FUTURE_WRITE = 16,        // to be written, but by mappings that are there
    BM_SEAL_EXEC = 32,                // to become executable or no longer be so
    BM_SEAL_ALLOWED = (int)(1u << 30) // none: it takes no seals
};

// Bytes, as a uint64_t, that no file may grow beyond by being written, allocated or truncated: -BM_EFBIG
// (RLIMIT_FSIZE). INT64_MAX at most.
extern BM_ATOMIC(uint64_t) bm_inode_size_max;

// One more reference; returns the inode. Any context.
struct bm_inode *bm_inode_hold(struct bm_inode *inode);
// Gives a reference back. Any core, not in handlers.
void bm_inode_put(struct bm_inode *inode);

// Where programs map files shared: the file ends at byte `size` now, and its pages behind that are about to
// go. By file systems whose operations say `shares`, on any core, not in handlers, under no lock.
void bm_inode_unmap(struct bm_inode *inode, uint64_t size) __attribute__((weak));

// Memory for what a file system keeps, `size` bytes, all zeros; NULL when there is none. `size` again to free
// `block`; NULL does nothing.
void *bm_inode_memory_allocate(size_t size);
void bm_inode_memory_free(void *block, size_t size);

// The bytes of a regular file, wherever its pages are. Return how many were read (0: the end) or written
// (perhaps fewer, when memory or space ends), or a negative error. `append`: at the file's end, whose place
// *offset becomes.
long bm_inode_read(struct bm_inode *inode, void *buffer, size_t size, uint64_t offset);
long bm_inode_write(struct bm_inode *inode, const void *buffer, size_t size, uint64_t *offset, bool append);
// The same of `count` pieces, side by side and with the same `append`: no other writer comes between them.
long bm_inode_write_pieces(struct bm_inode *inode, const struct bm_file_piece *pieces, int count,
                           uint64_t *offset, bool append);
// The first byte that is not before `at` and belongs to data, or with `hole` to none: a hole, or the end.
// -BM_ENXIO: there is none, or `at` is not before the end. What cannot tell holes is all data.
int64_t bm_inode_find(struct bm_inode *inode, uint64_t at, bool hole);

// Makes memory or disk space for the bytes from `begin` up to `end` of a regular file, whose size becomes at
// least `end` unless `keep_size`; what is there stays. 0 or a negative error, behind which the file is as it
// was.
int bm_inode_allocate(struct bm_inode *inode, uint64_t begin, uint64_t end, bool keep_size);

// Status and changes of an inode, whatever its file system can. A change of the size waits for writers.
int bm_inode_status(struct bm_inode *inode, struct bm_file_status *status);
int bm_inode_change(struct bm_inode *inode, const struct bm_inode_change *change);

#ifdef __cplusplus
}
#endif
