// A file system in memory: what its files share.
// SPDX-License-Identifier: MIT
//
// One lock for each file system is over everything but the bytes in pages. It is never held while waiting.
// Below its directories may lie those of the image: a directory takes their names in when it is first used,
// and a file its bytes when it is first written, page by page. What was removed is not taken in again.
#pragma once

#include "../base/stack.h"
#include "service.h"

#include <baremetal/lock.h>

enum { TMPFS_FANOUT_BITS = 6, TMPFS_FANOUT = 1 << TMPFS_FANOUT_BITS, TMPFS_PERMISSIONS = 07777 };
enum { TMPFS_HINTS = 4 };
enum { TMPFS_SLICE = 256 }; // pages that are dropped, or looked at, while the lock is held

struct tmpfs {
    struct bm_mount mount;
    struct bm_spinlock lock;
    uint64_t used, limit;     // bytes
    uint64_t last_number;     // of inodes
    uint64_t inodes;          // that there are
    uint64_t key;             // of the names' hashes, so that nobody can choose names that collide
    bool takes_in;            // names of the image: the bound is for what is made
    struct tmpfs_node *dying; // without names and references: their pages are still to be dropped
};

// A page of a file. The file has one reference, and so has everybody who uses it.
struct tmpfs_page {
    void *data; // a frame
    uint32_t references;
    uint32_t state; // enum tmpfs_page_state
};

// What is in a page: fallocate's count as a hole until they are written.
enum tmpfs_page_state {
    TMPFS_PAGE_WRITTEN,
    TMPFS_PAGE_RESERVED,
    TMPFS_PAGE_TAKEN // by the fallocate under way, which gives it back when it fails
};

// A name in a directory, in the order of its cookies and in the hash table.
struct tmpfs_entry {
    struct tmpfs_entry *next, *previous, *chain;
    struct tmpfs_node *node;
    uint64_t cookie;
    uint32_t hash;
    uint8_t length;
    char name[];
};

struct tmpfs_directory {
    struct tmpfs_node *parent; // with a reference; the root: itself, without
    struct tmpfs_entry *first, *last;
    struct tmpfs_entry *hints[TMPFS_HINTS]; // where listings were last
    unsigned last_hint;
    struct tmpfs_entry **buckets;
    size_t bucket_count; // a power of two, or 0
    size_t count;        // of entries
    uint64_t last_cookie;
    // Embedded files that it has not taken in: their paths begin with the directory's, `prefix` bytes.
    size_t lower_next, lower_end, prefix;
};

struct tmpfs_data {
    void *root;      // a page, or with height > 0 a table of what is below
    unsigned height; // of the tree
    uint64_t pages;  // in it
    // Bytes of the image that are the file's where it has no page.
    const char *lower;
    uint64_t lower_size;
    struct tmpfs_node *next_dying;
};

struct tmpfs_link {
    char *target;
    size_t length;
};

// An inode.
struct tmpfs_node {
    struct bm_inode inode;
    uint32_t mode, links, owner, group;
    bool linkable; // made without a name, may get one
    int64_t accessed, modified, changed;
    union {
        struct tmpfs_directory directory;
        struct tmpfs_data data;
        struct tmpfs_link link;
    };
};

static inline struct tmpfs *tmpfs_of(const struct tmpfs_node *node)
{
    return (struct tmpfs *)node->inode.mount;
}

static inline struct tmpfs_node *tmpfs_node_of(struct bm_inode *inode)
{
    return (struct tmpfs_node *)inode;
}

// Takes the lock, under which a page fault in a shared mapping may wait.
static inline void bm_tmpfs_lock(struct tmpfs *fs)
{
    bm_stack_ready(BM_STACK_FILES);
    bm_spinlock_acquire(&fs->lock);
}

// All below: under the lock, unless said otherwise.

extern const struct bm_inode_ops bm_tmpfs_ops; // tmpfs.c

// tmpfs_mount.c: memory that counts; NULL with *error ENOSPC (the bound) or ENOMEM.
void *bm_tmpfs_allocate(struct tmpfs *fs, size_t size, int *error);
void bm_tmpfs_free(struct tmpfs *fs, void *block, size_t size);
// A new inode with one reference and no name; NULL with *error.
struct tmpfs_node *bm_tmpfs_node_make(struct tmpfs *fs, const struct bm_inode_new *what, int *error);
// Drops a reference. A long file that ends by it is left to bm_tmpfs_release.
void bm_tmpfs_node_drop(struct tmpfs_node *node);
// Releases the lock, behind what may have dropped the last reference to a file.
void bm_tmpfs_release(struct tmpfs *fs);

// tmpfs_directory.c
// Takes in what lies below; before every other use of a directory. Returns 0 or an error.
int bm_tmpfs_populate(struct tmpfs_node *directory);
struct tmpfs_entry *bm_tmpfs_find(struct tmpfs_node *directory, const char *name, size_t length);
// A new entry that is in no directory yet; NULL with *error.
struct tmpfs_entry *bm_tmpfs_entry_make(struct tmpfs *fs, const char *name, size_t length, int *error);
void bm_tmpfs_entry_free(struct tmpfs *fs, struct tmpfs_entry *entry);
// Puts an entry in, with a node that gains no link. Cannot fail.
void bm_tmpfs_insert(struct tmpfs_node *directory, struct tmpfs_entry *entry, struct tmpfs_node *node);
// Takes an entry out and frees it.
void bm_tmpfs_remove(struct tmpfs_node *directory, struct tmpfs_entry *entry);
// The first entry behind a cookie, or NULL.
struct tmpfs_entry *bm_tmpfs_behind(struct tmpfs_node *directory, uint64_t cookie);
void bm_tmpfs_directory_end(struct tmpfs_node *directory);

// tmpfs_pages.c
// Sets the size; needs no memory. Whole pages behind it stay until bm_tmpfs_cut.
void bm_tmpfs_truncate(struct tmpfs_node *node, uint64_t size);
// Drops a slice of the whole pages behind `size`; whether there may be more.
bool bm_tmpfs_cut(struct tmpfs_node *node, uint64_t size);
// Without the lock: struct bm_inode_ops.
int bm_tmpfs_page_get(struct bm_inode *inode, uint64_t index, enum bm_page_use use,
                      struct bm_inode_page *page);
void bm_tmpfs_page_put(struct bm_inode *inode, struct bm_inode_page *page);
int bm_tmpfs_pages_allocate(struct bm_inode *inode, uint64_t first, uint64_t last);
int bm_tmpfs_extent(struct bm_inode *inode, uint64_t at, bool allocate, struct bm_inode_extent *extent);
