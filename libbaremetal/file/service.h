// What the files of the file service share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/file.h>
#include <baremetal/inode.h>
#include <baremetal/mount.h>
#include <baremetal/path.h>

// --- pool.c: memory for what the service keeps, all zeros; NULL when there is none. `size` again to free it.
void *bm_file_allocate(size_t size);
void bm_file_free(void *block, size_t size);

// --- wait.c: waiting for what another core does. `cores`: those that wait; all zeros: none.
// In a condition of bm_wait_until, before it is looked at: this core wants to be woken.
void bm_file_waiter_note(BM_ATOMIC(uint64_t) cores[4]);
// Behind a change of what they look at: wakes those noted.
void bm_file_waiters_wake(BM_ATOMIC(uint64_t) cores[4]);

// --- walk.c
// What stands for the last component of a path.
enum bm_walk_last { BM_WALK_NAME, BM_WALK_DOT, BM_WALK_DOTDOT, BM_WALK_ROOT };

// A walk along a path: where it is, and what is left.
struct bm_walk {
    struct bm_inode *directory; // with a reference
    struct bm_inode *through;   // what the last component has led to by itself, with a reference; or NULL
    const char *at;             // the rest of the innermost text
    const char *name;           // the last component
    size_t length;              // of it
    enum bm_walk_last last;     // what it is
    bool slashes;               // something behind it wants a directory
    bool real;                  // directories are searched as the real user
    unsigned links, depth;      // links followed; texts below the innermost
    char *texts[41];            // of links that are being followed; [0] is NULL: the path itself
    const char *rests[41];      // where the outer texts go on
};

// Walks to the directory of the last component. 0: to be ended by bm_walk_end, or an error.
int bm_walk_begin(struct bm_walk *walk, int at, const char *path);
// The same, as the real user or that of files (credentials.h).
int bm_walk_begin_as(struct bm_walk *walk, int at, const char *path, bool real);
// The inode of the last component, with a reference; mounts are crossed, links not followed. -BM_ENOENT.
int bm_walk_last(struct bm_walk *walk, struct bm_inode **found);
// Goes on through a link that is the last component, whose reference it takes, to the directory of its last.
int bm_walk_follow(struct bm_walk *walk, struct bm_inode *link);
void bm_walk_end(struct bm_walk *walk);
// The directory above, over mounts.
int bm_walk_up(struct bm_inode *directory, struct bm_inode **found);

// --- linux/reach.c, where programs map files: whether a path can be read up to its end; 0 or -BM_EFAULT.
int bm_path_reach(const char *path) __attribute__((weak));

// --- path.c: the permissions of what is made with `mode`, by the umask.
unsigned bm_path_mode(unsigned mode);

// Makes what is not there, whatever the umask is; -BM_EEXIST.
int bm_path_make(const char *path, const struct bm_inode_new *what);

// --- working.c
// Writes the path of a directory, whose reference it takes, and "/name" behind it when `length` is not 0; as
// bm_path_getcwd.
long bm_path_of(struct bm_inode *inode, const char *name, size_t length, char *buffer, size_t size);
// Finds the name of `child` in its directory. -BM_ENOENT.
int bm_inode_name(struct bm_inode *directory, const struct bm_inode *child, struct bm_inode_entry *entry);
// Where a walk begins, with a reference.
int bm_path_base(int at, bool absolute, struct bm_inode **found);

// --- inode.c: bm_inode_change, if the program may (credentials.h).
int bm_inode_change_permitted(struct bm_inode *inode, const struct bm_inode_change *change);

// --- open.c: an open file of an inode, or a device's. `directory`: where its name is; NULL: not known.
int bm_inode_open(struct bm_inode *inode, struct bm_inode *directory, int flags, struct bm_file **file);
// The directory in which a file was opened, without a reference; NULL: not known.
struct bm_inode *bm_open_directory(struct bm_file *file);

// --- tmpfs_mount.c: the root, above the image's files.
struct bm_mount *bm_tmpfs_root_make(void);

// --- devices.c, when linked: opens a character device.
int bm_device_open(struct bm_inode *inode, int flags, struct bm_file **file) __attribute__((weak));
// The terminal's close: frees a file that was opened by path.
int bm_terminal_close(struct bm_file *file);
// --- disk_device.c, when disks are linked: the name of the disk with an index (NULL: there is none), and the
// number of its node; opens a node; what was written to one is safe.
const char *bm_disk_node(unsigned index, uint64_t *special) __attribute__((weak));
int bm_disk_open(struct bm_inode *inode, int flags, struct bm_file **file) __attribute__((weak));
int bm_disk_sync(struct bm_file *file) __attribute__((weak));
// --- devfs.c, when linked: mounts /dev. The root is there.
void bm_devfs_mount(void) __attribute__((weak));
// --- proc/, when linked: mounts /proc and /sys, and fills /etc. The root is there.
void bm_procfs_mount(void) __attribute__((weak));

// --- initrd.c, when linked: unpacks the loader's modules. The root is there.
void bm_initrd_unpack_all(void) __attribute__((weak));
// One archive, which stays where it is for good; `who` is a word for the log. 0 or a negative error.
int bm_initrd_unpack(const void *bytes, size_t size, const char *who);

// --- disk_mount.c, when a file system for disks is linked: what mount= says. The root is there.
void bm_disk_mount_all(void) __attribute__((weak));

// --- writable.c, linked by baremetal::tmpfs: the root may be changed. Without it changes fail with
// -BM_EROFS.
extern const char bm_files_writable __attribute__((weak));

// The bytes of `size` that a call may still move which has moved `done`: 2 GiB less a page in all, as Linux
// has it (MAX_RW_COUNT), so that counts fit into an int.
static inline size_t bm_file_part(size_t size, size_t done)
{
    const size_t max = 0x7ffff000 - done;
    return size < max ? size : max;
}

// Flags of opening alone: an open file does not keep them.
enum { BM_OPENING = BM_O_CREAT | BM_O_EXCL | BM_O_NOCTTY | BM_O_TRUNC | BM_O_CLOEXEC };

// Linux' number of a device, and st_rdev.
static inline uint64_t bm_device_number(unsigned major, unsigned minor)
{
    return (minor & 0xff) | (uint64_t)major << 8 | (uint64_t)(minor & ~0xffu) << 12;
}

static inline size_t bm_text_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

// Of a path; of one that is too long BM_PATH_MAX, and what is behind that is not looked at.
static inline size_t bm_path_length(const char *path)
{
    size_t length = 0;
    while (length < BM_PATH_MAX && path[length])
        length++;
    return length;
}

// The time that files are marked with.
int64_t bm_file_now(void);
