// Calls by path, as POSIX has them, with Linux' numbers: what the C libraries' layers stand on.
// SPDX-License-Identifier: MIT
//
// `at` is a descriptor of a directory where a relative path begins, or BM_AT_FDCWD for the working directory;
// there is one, the program's. Paths are at most BM_PATH_MAX - 1 bytes, names BM_NAME_MAX; 40 symbolic links
// are followed. Everything may wait, on any core, not in handlers; the result is 0 or more, or a negative
// error, the one that Linux gives. There is one user, who may do everything: permissions are kept, not
// enforced.
#pragma once

#include <baremetal/inode.h>

#ifdef __cplusplus
extern "C" {
#endif

// Where a path begins, and flags of the *at calls.
enum {
    BM_AT_FDCWD = -100,
    BM_AT_SYMLINK_NOFOLLOW = 0x100,
    BM_AT_REMOVEDIR = 0x200,
    BM_AT_SYMLINK_FOLLOW = 0x400,
    BM_AT_EMPTY_PATH = 0x1000
};
// Flags of bm_path_rename.
enum { BM_RENAME_NOREPLACE = 1 };

// Opens a file: BM_O_… flags, and permissions of one that is created, of which the umask is taken. Returns a
// descriptor.
int bm_path_open(int at, const char *path, int flags, unsigned mode);
// The inode that a path names, with a reference; `flags`: BM_AT_SYMLINK_NOFOLLOW, BM_AT_EMPTY_PATH.
int bm_path_inode(int at, const char *path, int flags, struct bm_inode **found);
// Status of what a path names; flags as above.
int bm_path_status(int at, const char *path, int flags, struct bm_file_status *status);
// Changes mode, owner, size or times; flags as above.
int bm_path_change(int at, const char *path, int flags, const struct bm_inode_change *change);
// Whether it may be used so: 4 read, 2 write, 1 execute, 0: it is there.
int bm_path_access(int at, const char *path, int mode, int flags);
// Makes a directory, or with `mode` of another type (enum bm_file_type) such a node.
int bm_path_mkdir(int at, const char *path, unsigned mode);
int bm_path_mknod(int at, const char *path, unsigned mode, uint64_t special);
// Removes a name; BM_AT_REMOVEDIR: of an empty directory.
int bm_path_unlink(int at, const char *path, int flags);
int bm_path_rename(int from_at, const char *from, int to_at, const char *to, unsigned flags);
// Another name of a file; BM_AT_SYMLINK_FOLLOW: of what the link `from` leads to.
int bm_path_link(int from_at, const char *from, int to_at, const char *to, int flags);
int bm_path_symlink(const char *target, int at, const char *path);
// What a link says: at most size bytes of it, no NUL; returns how many.
long bm_path_readlink(int at, const char *path, char *buffer, size_t size);
// The working directory: changes it; writes its path with a NUL, returns the length with it, or -BM_ERANGE.
int bm_path_chdir(int at, const char *path, int flags);
long bm_path_getcwd(char *buffer, size_t size);
// The path of the same file without links, `.` and `..`, as bm_path_getcwd tells it (realpath).
long bm_path_real(const char *path, char *buffer, size_t size);
// Sets the bits that new files do not get; returns the old ones.
unsigned bm_path_umask(unsigned mask);

#ifdef __cplusplus
}
#endif
