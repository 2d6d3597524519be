// Descriptors and embedded files: how consoles, files and sockets share one table of small numbers.
// SPDX-License-Identifier: MIT
//
// For those who add a kind of descriptor (the network layer's sockets do). Programs use the C library: open,
// read, close, poll.
#pragma once

#include <baremetal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Descriptors of one program: as many as there can be, and as many as there can be at first
// (bm_file_limit_set).
enum { BM_FILES_MAX = 65536, BM_FILES_DEFAULT = 4096 };

struct bm_file;
struct bm_socket_ops;
struct bm_file_watchers;

// A piece of memory to read into or to write from, as POSIX's struct iovec has it.
struct bm_file_piece {
    void *data;  // its first byte
    size_t size; // bytes
} __attribute__((may_alias));

// The most pieces of one call, and the most bytes that one call moves: Linux' numbers (IOV_MAX, MAX_RW_COUNT;
// counts fit into an int).
enum { BM_PIECES_MAX = 1024, BM_TRANSFER_MAX = 0x7ffff000 };

// What a file is; the numbers of POSIX' S_IF… in all C libraries.
enum bm_file_type {
    BM_FILE_PIPE = 0010000,
    BM_FILE_CHARACTER = 0020000,
    BM_FILE_DIRECTORY = 0040000,
    BM_FILE_BLOCK = 0060000,
    BM_FILE_REGULAR = 0100000,
    BM_FILE_LINK = 0120000,
    BM_FILE_SOCKET = 0140000,
    BM_FILE_TYPE = 0170000 // all bits of a type
};

// How a file is opened: Linux' numbers.
enum {
    BM_O_RDONLY = 0,
    BM_O_WRONLY = 1,
    BM_O_RDWR = 2,
    BM_O_ACCMODE = 3,
    BM_O_CREAT = 0100,
    BM_O_EXCL = 0200,
    BM_O_NOCTTY = 0400,
    BM_O_TRUNC = 01000,
    BM_O_APPEND = 02000,
    BM_O_NONBLOCK = 04000,
    BM_O_DSYNC = 010000,
    BM_O_ASYNC = 020000,
    BM_O_DIRECT = 040000,
    BM_O_LARGEFILE = 0100000,
    BM_O_DIRECTORY = 0200000,
    BM_O_NOFOLLOW = 0400000,
    BM_O_NOATIME = 01000000,
    BM_O_CLOEXEC = 02000000,
    BM_O_SYNC = 04010000,
    BM_O_PATH = 010000000,
    BM_O_TMPFILE = 020200000
};

// From where bm_file_ops.seek counts, and what its poll tells: the numbers of all C libraries.
enum { BM_SEEK_SET = 0, BM_SEEK_CUR = 1, BM_SEEK_END = 2, BM_SEEK_DATA = 3, BM_SEEK_HOLE = 4 };
enum {
    BM_POLLIN = 1,
    BM_POLLPRI = 2,
    BM_POLLOUT = 4,
    BM_POLLERR = 8,
    BM_POLLHUP = 16,
    BM_POLLNVAL = 32, // not open, or by BM_O_PATH
    BM_POLLRDNORM = 0x40,
    BM_POLLWRNORM = 0x100,
    BM_POLLRDHUP = 0x2000 // the peer has ended its sending: Linux' number
};

// What is known of a file: POSIX' struct stat without the C library's types. All zeros where nothing is
// known.
struct bm_file_status {
    uint32_t mode;                       // enum bm_file_type, and the permissions
    uint32_t links;                      // names that it has
    uint64_t number;                     // of the file on its device, st_ino
    uint64_t device;                     // st_dev
    uint64_t size;                       // bytes
    uint32_t block_size;                 // bytes that are best read and written at once
    uint64_t blocks;                     // that it occupies, of 512 bytes
    uint32_t owner, group;               // their numbers
    uint64_t special;                    // of a device: its number, st_rdev
    int64_t accessed, modified, changed; // nanoseconds since 1970-01-01 00:00 UTC
};

// What a kind of descriptor can do. An operation that is NULL fails with the errno that POSIX names for it
// (EBADF, EINVAL, ESPIPE, ENOTTY …). Each returns a result of 0 or more, or a negative errno. Called without
// locks, on any core.
struct bm_file_ops {
    // Like POSIX' read and write: as many bytes as there are, or fit.
    long (*read)(struct bm_file *file, void *buffer, size_t size);
    long (*write)(struct bm_file *file, const void *buffer, size_t size);
    // The pieces in one call. Optional: without it, read or write is called for one piece after the other.
    long (*readv)(struct bm_file *file, const struct bm_file_piece *pieces, int count);
    long (*writev)(struct bm_file *file, const struct bm_file_piece *pieces, int count);
    long long (*seek)(struct bm_file *file, long long offset, int whence);
    int (*stat)(struct bm_file *file, struct bm_file_status *status);            // *status is all zeros
    int (*control)(struct bm_file *file, unsigned long request, void *argument); // ioctl
    int (*set_flags)(struct bm_file *file, int flags); // F_SETFL: O_NONBLOCK, O_APPEND
    int (*poll)(struct bm_file *file);                 // BM_POLL… as they are now
    int (*close)(struct bm_file *file);                // the last descriptor is gone
    // As read and write, at an offset and without the file's position; for files that can seek.
    long (*read_at)(struct bm_file *file, void *buffer, size_t size, uint64_t offset);
    long (*write_at)(struct bm_file *file, const void *buffer, size_t size, uint64_t offset);
    const struct bm_socket_ops *socket; // <baremetal/socket_ops.h>; NULL: it is no socket
    // The list of those that watch the file (file_watch.h), who are told of every change of what `poll` says.
    // NULL: it cannot tell, and is asked whenever anything happens; not in epoll.
    struct bm_file_watchers *(*watchers)(struct bm_file *file);
};

struct bm_inode;

// An open file, which several descriptors may share. Its kind embeds it in a structure of its own.
struct bm_file {
    const struct bm_file_ops *ops; // of its kind
    int flags;                     // open flags: O_ACCMODE, O_NONBLOCK, O_APPEND
    BM_ATOMIC(int) references;     // descriptors (dup) plus calls under way
    void *state;                   // the kind's own
    long long position;            // of seekable files
    struct bm_inode *inode;        // what was opened, with a reference of this file; NULL: it has none
};

// Puts a file into the lowest free descriptor that is `min` or higher; returns it, or -EMFILE. Any core,
// not in handlers.
int bm_file_install(struct bm_file *file, int min);

// Takes the lowest free descriptor for a file that is yet to come (POSIX' accept must not lose one).
// Meanwhile it is as good as not open, and nobody else can close it or put another file there. Returns it, or
// -BM_EMFILE; it is to be ended by bm_file_fill.
int bm_file_reserve(void);
// Puts the file that has come into the descriptor that bm_file_reserve has returned; NULL: none has, and the
// descriptor is free again. Any core, not in handlers.
void bm_file_fill(int descriptor, struct bm_file *file);

// From now on new descriptors are below `limit`, 0 … BM_FILES_MAX; those that are open stay. Any core, not in
// handlers.
void bm_file_limit_set(int limit);

// The file of a descriptor, with a reference that bm_file_release gives back; NULL when it is not open.
struct bm_file *bm_file_acquire(int descriptor);
void bm_file_release(struct bm_file *file);

// Takes a descriptor away; the result is that of the file's close when it was the last one. -BM_EBADF.
int bm_file_close(int descriptor);
// What dup2 does: `to`, closed first if it was open, becomes another descriptor of the file of `from`.
// Returns `to` or a negative error.
int bm_file_duplicate(int from, int to);
// Whether a descriptor has FD_CLOEXEC. There is no exec: it is kept and told. -BM_EBADF.
int bm_file_cloexec(int descriptor);
// Sets FD_CLOEXEC of a descriptor to `set`. -BM_EBADF.
int bm_file_set_cloexec(int descriptor, bool set);

// Reads into, or writes from, 0 … BM_PIECES_MAX pieces, whose sizes add up to INT64_MAX at most (else
// -BM_EINVAL), at the file's position; with `_at` at an offset, without the position. By the kind's readv or
// writev; without them one piece after the other until one is short, and in reading until nothing more is
// there. Returns the bytes moved, BM_TRANSFER_MAX at most then, or the error of the first piece; -BM_EINVAL
// when the kind cannot. The file is held, and its access mode has been looked at. Any core; may wait.
long bm_file_readv(struct bm_file *file, const struct bm_file_piece *pieces, int count);
long bm_file_writev(struct bm_file *file, const struct bm_file_piece *pieces, int count);
long bm_file_readv_at(struct bm_file *file, const struct bm_file_piece *pieces, int count, uint64_t offset);
long bm_file_writev_at(struct bm_file *file, const struct bm_file_piece *pieces, int count, uint64_t offset);

// Standard input, output and error output, which share one open file.
extern struct bm_file bm_terminal_file;

// --- Files of file systems (inode.h) ---

struct bm_file_mutex;
struct bm_inode_change;
struct bm_inode_entry;

// What fstat, fchmod, futimens and ftruncate do. Files without an inode answer for themselves, or with
// the errors of POSIX.
int bm_file_status_of(struct bm_file *file, struct bm_file_status *status);
int bm_file_change(struct bm_file *file, const struct bm_inode_change *change);
int bm_file_truncate(struct bm_file *file, int64_t size);
// Waits until what was written to the file is safe; `data_only`: times need not be (fdatasync).
int bm_file_sync(struct bm_file *file, bool data_only);
// The next name of an open directory, "." and ".." first. Returns 1, 0 at the end, or a negative error
// (-BM_ENOENT of a directory that has been removed). The position of the file is the entry's cookie; seeking
// there goes on behind it.
int bm_file_entry(struct bm_file *file, struct bm_inode_entry *entry);

// A pipe of 64 KiB: its reading end and its writing end as descriptors. `flags`: BM_O_NONBLOCK, BM_O_CLOEXEC.
// Writes of up to 4,096 bytes are one piece.
int bm_pipe_open(int descriptors[2], int flags);
// How many bytes a pipe holds, by the file of one of its ends; 0: it is none. Any context.
size_t bm_pipe_capacity(const struct bm_file *file);

// --- Embedded files ---

// A file that the build put into the image (CMake: baremetal_add_files). Paths are absolute
// ("/www/index.html"), sorted by strcmp.
struct bm_embedded_file {
    const char *path; // in the image
    const void *data; // its bytes, behind which a NUL stands
    size_t size;      // bytes without that NUL
    const char *hash; // hexadecimal, changes with the contents: fit for an ETag
};
extern const struct bm_embedded_file bm_embedded_files[];
extern const size_t bm_embedded_file_count;

// The embedded file of exactly that path, or NULL. Any context.
const struct bm_embedded_file *bm_embedded_file_find(const char *path);
// Index of the first one whose path is not before `path`; bm_embedded_file_count when there is none. Any
// context.
size_t bm_embedded_first_from(const char *path);

#ifdef __cplusplus
}
#endif
