// Calls by path, as POSIX has them, with Linux' numbers: what the C libraries' layers stand on.
// SPDX-License-Identifier: MIT
//
// `at` is a descriptor of a directory where a relative path begins, or BM_AT_FDCWD for the working directory;
// there is one, the program's. Paths are at most BM_PATH_MAX - 1 bytes, names BM_NAME_MAX; 40 symbolic links
// are followed. Everything may wait, on any core, not in handlers; the result is 0 or more, or a negative
// error, the one that Linux gives. The program is root, who may do everything, until it makes itself somebody
// else, which only one with musl can: then the permissions of files and directories are kept to.
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
    BM_AT_EACCESS = 0x200, // of bm_path_access: as the effective user, not the real one
    BM_AT_SYMLINK_FOLLOW = 0x400,
    BM_AT_EMPTY_PATH = 0x1000
};
// Flags of bm_path_rename.
enum { BM_RENAME_NOREPLACE = 1 };

// Opens the file at `at` and `path`: `flags` are BM_O_…, `mode` the permissions of one that is created, of
// which the umask is taken. Returns a descriptor.
int bm_path_open(int at, const char *path, int flags, unsigned mode);
// Puts into *found the inode that `at` and `path` name, with a reference; `flags`: BM_AT_SYMLINK_NOFOLLOW,
// BM_AT_EMPTY_PATH.
int bm_path_inode(int at, const char *path, int flags, struct bm_inode **found);
// Puts the status of what `at` and `path` name into *status; `flags` as above.
int bm_path_status(int at, const char *path, int flags, struct bm_file_status *status);
// Makes the `change` of mode, owner, size or times in what `at` and `path` name; `flags` as above.
int bm_path_change(int at, const char *path, int flags, const struct bm_inode_change *change);
// Whether what `at` and `path` name (`flags` as above, and BM_AT_EACCESS) may be used as `mode` says: 4 read,
// 2 write, 1 execute, 0: it is there.
int bm_path_access(int at, const char *path, int mode, int flags);
// Makes a directory at `at` and `path` with the permissions `mode`, of which the umask is taken.
int bm_path_mkdir(int at, const char *path, unsigned mode);
// Makes a node at `at` and `path` whose type (enum bm_file_type) is in `mode`; `special` is the number of a
// device.
int bm_path_mknod(int at, const char *path, unsigned mode, uint64_t special);
// Removes the name `at` and `path`; `flags`: BM_AT_REMOVEDIR, of an empty directory.
int bm_path_unlink(int at, const char *path, int flags);
// Gives what `from_at` and `from` name the name `to_at` and `to`, in place of what had it; `flags`:
// BM_RENAME_NOREPLACE, -BM_EEXIST if something has it.
int bm_path_rename(int from_at, const char *from, int to_at, const char *to, unsigned flags);
// Gives the file at `from_at` and `from` another name, `to_at` and `to`; `flags`: BM_AT_SYMLINK_FOLLOW, not
// the link `from` but what it leads to.
int bm_path_link(int from_at, const char *from, int to_at, const char *to, int flags);
// Makes a symbolic link at `at` and `path` that says `target`.
int bm_path_symlink(const char *target, int at, const char *path);
// Copies what the link at `at` and `path` says into buffer, at most `size` bytes, no NUL; returns how many.
long bm_path_readlink(int at, const char *path, char *buffer, size_t size);
// Makes the directory at `at` and `path` the working directory; `flags`: BM_AT_EMPTY_PATH, the directory of
// the descriptor `at` itself.
int bm_path_chdir(int at, const char *path, int flags);
// Writes the path of the working directory with a NUL into buffer; returns the length with it, or -BM_ERANGE
// when that is more than `size`.
long bm_path_getcwd(char *buffer, size_t size);
// The path of the same file as `path` without links, `.` and `..`, told in buffer as by bm_path_getcwd with
// `size` (realpath).
long bm_path_real(const char *path, char *buffer, size_t size);
// Sets the bits that new files do not get to `mask`; returns the old ones.
unsigned bm_path_umask(unsigned mask);

#ifdef __cplusplus
}
#endif
