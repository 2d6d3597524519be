// The calls of the oracle test, each on both sides.
// SPDX-License-Identifier: MIT
#pragma once

#include "oracle.h"

static char path_a[9000], path_b[9000];

static void say(const char *call, const char *a, const char *b)
{
    snprintf(state.text, sizeof state.text, "%s %.4000s %.4000s", call, a, b);
}

// The POSIX layer's part: whether a descriptor is open for that.
static struct bm_file *find(int slot, int mode)
{
    struct bm_file *file = state.ours[slot] < 0 ? NULL : bm_file_acquire(state.ours[slot]);
    if (file && mode >= 0 && (file->flags & O_ACCMODE) != mode && (file->flags & O_ACCMODE) != O_RDWR) {
        bm_file_release(file);
        return NULL;
    }
    return file;
}

static void call_open(void)
{
    static const int flags[] = {O_RDONLY,
                                O_WRONLY,
                                O_RDWR,
                                O_RDWR | O_CREAT,
                                O_WRONLY | O_CREAT | O_EXCL,
                                O_RDWR | O_TRUNC,
                                O_RDWR | O_CREAT | O_TRUNC,
                                O_RDONLY | O_DIRECTORY,
                                O_WRONLY | O_APPEND | O_CREAT,
                                O_RDONLY | O_NOFOLLOW,
                                O_RDONLY | O_TRUNC,
                                O_RDONLY | O_CREAT,
                                O_RDWR | O_APPEND,
                                O_RDONLY | O_DIRECTORY,
                                O_RDONLY | O_NOFOLLOW | O_DIRECTORY,
                                O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW};
    int flag = flags[dice(sizeof flags / sizeof *flags)], at = slot_make(), slot = (int)dice(SLOTS);
    int mode = dice(2) ? 0644 : 0755;
    path_make(path_a);
    say("open", path_a, "");
    sprintf(state.text + strlen(state.text), " at %d flags %o", at, flag);
    long linux_result = theirs(openat(at_of(at, state.theirs), path_a, flag, mode));
    long result = bm_path_open(at_of(at, state.ours), path_a, flag, (unsigned)mode);
    same(result < 0 ? result : 0, linux_result < 0 ? linux_result : 0);
    if (result < 0)
        return;
    if (state.ours[slot] >= 0) {
        bm_file_close(state.ours[slot]);
        close(state.theirs[slot]);
    }
    state.ours[slot] = (int)result;
    state.theirs[slot] = (int)linux_result;
}

static void call_transfer(void)
{
    int slot = (int)dice(SLOTS);
    bool writing = dice(2), at = dice(3) == 0;
    size_t size = dice(4) ? dice(300) : dice(CHUNK);
    uint64_t offset = dice(8) ? dice(12000) : dice(1 << 30);
    sprintf(state.text, "%s %d, %zu bytes at %ld", writing ? "write" : "read", slot, size,
            at ? (long)offset : -1);
    struct bm_file *file = find(slot, writing ? O_WRONLY : O_RDONLY);
    for (size_t i = 0; i < size; i++)
        contents_ours[i] = contents_theirs[i] = (char)(state.call + i / 7);
    long result = -BM_EBADF, linux_result;
    if (writing) {
        linux_result = theirs(at ? pwrite(state.theirs[slot], contents_theirs, size, (off_t)offset)
                                 : write(state.theirs[slot], contents_theirs, size));
        if (file)
            result = at ? file->ops->write_at(file, contents_ours, size, offset)
                        : file->ops->write(file, contents_ours, size);
    } else {
        linux_result = theirs(at ? pread(state.theirs[slot], contents_theirs, size, (off_t)offset)
                                 : read(state.theirs[slot], contents_theirs, size));
        if (file)
            result = at ? file->ops->read_at(file, contents_ours, size, offset)
                        : file->ops->read(file, contents_ours, size);
    }
    if (file)
        bm_file_release(file);
    same(result, linux_result);
    if (result > 0 && memcmp(contents_ours, contents_theirs, (size_t)result))
        DIFFER("other bytes");
}

static void call_descriptor(void)
{
    int slot = (int)dice(SLOTS), kind = (int)dice(4);
    long long offset = (long long)dice(20000) - 100;
    struct bm_file *file = find(slot, -1);
    struct bm_file_status said;
    struct stat status;
    sprintf(state.text, "%s %d %lld", (const char *[]){"lseek", "ftruncate", "fstat", "fchmod"}[kind], slot,
            offset);
    long result = -BM_EBADF, linux_result;
    if (kind == 0) {
        int whence = (int)dice(5);
        if (file && file->inode->type == BM_FILE_DIRECTORY) { // places in directories are each system's own
            bm_file_release(file);
            return;
        }
        linux_result = theirs(lseek(state.theirs[slot], offset, whence));
        if (file)
            result = file->ops->seek(file, offset, whence);
    } else if (kind == 1) {
        linux_result = theirs(ftruncate(state.theirs[slot], offset));
        if (file || offset < 0)
            result = offset < 0 ? -BM_EINVAL : bm_file_truncate(file, offset);
    } else if (kind == 2) {
        linux_result = theirs(fstat(state.theirs[slot], &status));
        if (file && (result = bm_file_status_of(file, &said)) == 0)
            compare_status(&said, &status);
    } else {
        linux_result = theirs(fchmod(state.theirs[slot], 0700));
        if (file)
            result = bm_file_change(file, &(struct bm_inode_change){.which = BM_CHANGE_MODE, .mode = 0700});
    }
    if (file)
        bm_file_release(file);
    same(result, linux_result);
}

// Also behind the end, and of places that hold data already.
static void call_allocate(void)
{
    int slot = (int)dice(SLOTS);
    uint64_t begin = dice(4) ? dice(30000) : dice(1 << 30), size = 1 + dice(30000);
    bool keep_size = dice(2);
    sprintf(state.text, "fallocate %d, %lu bytes at %lu, %d", slot, (unsigned long)size, (unsigned long)begin,
            keep_size);
    struct bm_file *file = find(slot, O_WRONLY);
    bool regular = file && file->inode->type == BM_FILE_REGULAR;
    long result = regular ? bm_inode_allocate(file->inode, begin, begin + size, keep_size) : 0;
    if (file)
        bm_file_release(file);
    if (regular)
        same(result, theirs(fallocate(state.theirs[slot], keep_size ? FALLOC_FL_KEEP_SIZE : 0, (off_t)begin,
                                      (off_t)size)));
}

// Three pieces, one of them empty.
static void call_pieces(void)
{
    int slot = (int)dice(SLOTS);
    bool writing = dice(2);
    size_t first = dice(6000), last = dice(6000);
    sprintf(state.text, "%s %d, %zu and %zu bytes", writing ? "writev" : "readv", slot, first, last);
    for (size_t i = 0; i < first + last; i++)
        contents_ours[i] = contents_theirs[i] = (char)(state.call + i / 7);
    struct bm_file_piece ours[] = {{contents_ours, first}, {NULL, 0}, {contents_ours + first, last}};
    struct iovec linuxs[] = {{contents_theirs, first}, {NULL, 0}, {contents_theirs + first, last}};
    struct bm_file *file = find(slot, writing ? O_WRONLY : O_RDONLY);
    if (!file)
        return;
    bool regular = file->inode->type == BM_FILE_REGULAR;
    if (regular)
        same(writing ? file->ops->writev(file, ours, 3) : file->ops->readv(file, ours, 3),
             theirs(writing ? writev(state.theirs[slot], linuxs, 3) : readv(state.theirs[slot], linuxs, 3)));
    bm_file_release(file);
    if (memcmp(contents_ours, contents_theirs, first + last))
        DIFFER("other bytes");
}

static void call_close(void)
{
    int slot = (int)dice(SLOTS);
    sprintf(state.text, "close %d", slot);
    same(bm_file_close(state.ours[slot]), theirs(close(state.theirs[slot])));
    state.ours[slot] = state.theirs[slot] = -1;
}

static void call_list(void)
{
    int slot = (int)dice(SLOTS);
    struct bm_file *file = find(slot, -1);
    bool directory = file && file->inode->type == BM_FILE_DIRECTORY;
    if (file)
        bm_file_release(file);
    if (!directory)
        return;
    struct names *names = malloc(sizeof *names);
    sprintf(state.text, "list %d", slot);
    DIR *stream = fdopendir(dup(state.theirs[slot]));
    rewinddir(stream);
    file = bm_file_acquire(state.ours[slot]);
    file->ops->seek(file, 0, SEEK_SET);
    bm_file_release(file);
    compare_names(state.ours[slot], stream, names, "the directory");
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names);
    closedir(stream);
}

static void call_status(void)
{
    int slot = slot_make(), flags = dice(2) ? AT_SYMLINK_NOFOLLOW : 0;
    say(flags ? "lstat" : "stat", path_make(path_a), "");
    both_status(slot, path_a, flags);
}

static void call_mkdir(void)
{
    int slot = slot_make();
    say("mkdir", path_make(path_a), "");
    same(bm_path_mkdir(at_of(slot, state.ours), path_a, 0777),
         theirs(mkdirat(at_of(slot, state.theirs), path_a, 0777)));
}

static void call_unlink(void)
{
    int slot = slot_make(), flags = dice(2) ? AT_REMOVEDIR : 0;
    say(flags ? "rmdir" : "unlink", path_make(path_a), "");
    same(bm_path_unlink(at_of(slot, state.ours), path_a, flags),
         theirs(unlinkat(at_of(slot, state.theirs), path_a, flags)));
}

static void call_rename(void)
{
    int from = slot_make(), to = slot_make();
    unsigned flags = dice(5) ? 0 : BM_RENAME_NOREPLACE;
    say(flags ? "rename without replacing" : "rename", path_make(path_a), path_make(path_b));
    same(bm_path_rename(at_of(from, state.ours), path_a, at_of(to, state.ours), path_b, flags),
         theirs(renameat2(at_of(from, state.theirs), path_a, at_of(to, state.theirs), path_b, flags)));
}

static void call_link(void)
{
    int from = slot_make(), to = slot_make(), flags = dice(2) ? AT_SYMLINK_FOLLOW : 0;
    say("link", path_make(path_a), path_make(path_b));
    same(bm_path_link(at_of(from, state.ours), path_a, at_of(to, state.ours), path_b, flags),
         theirs(linkat(at_of(from, state.theirs), path_a, at_of(to, state.theirs), path_b, flags)));
}

static void call_symlink(void)
{
    int slot = slot_make();
    say("symlink", path_make(path_a), path_make(path_b));
    if (strlen(path_a) == 4095) // tmpfs' own bound is one less
        return;
    same(bm_path_symlink(path_a, at_of(slot, state.ours), path_b),
         theirs(symlinkat(path_a, at_of(slot, state.theirs), path_b)));
}

static void call_readlink(void)
{
    int slot = slot_make();
    size_t size = dice(5) ? 500 : dice(3);
    char a[500], b[500];
    say("readlink", path_make(path_a), "");
    long linux_result = theirs(readlinkat(at_of(slot, state.theirs), path_a, b, size));
    same(bm_path_readlink(at_of(slot, state.ours), path_a, a, size), linux_result);
    if (linux_result > 0 && memcmp(a, b, (size_t)linux_result))
        DIFFER("another text");
}

static void call_truncate(void)
{
    off_t size = (off_t)dice(20000) - 10;
    say("truncate", path_make(path_a), "");
    long result = -BM_EINVAL;
    if (size >= 0)
        result = bm_path_change(AT_FDCWD, path_a, 0,
                                &(struct bm_inode_change){.which = BM_CHANGE_SIZE, .size = (uint64_t)size});
    same(result, theirs(truncate(path_a, size)));
}

static void call_chmod(void)
{
    say("chmod", path_make(path_a), "");
    unsigned mode = dice(2) ? 0755 : 0700;
    same(
        bm_path_change(AT_FDCWD, path_a, 0, &(struct bm_inode_change){.which = BM_CHANGE_MODE, .mode = mode}),
        theirs(chmod(path_a, mode)));
}

static void call_access(void)
{
    int mode = (int)dice(8);
    say("access", path_make(path_a), "");
    same(bm_path_access(AT_FDCWD, path_a, mode, 0), theirs(access(path_a, mode)));
}

static void call_chdir(void)
{
    bool by_descriptor = dice(3) == 0;
    int slot = (int)dice(SLOTS);
    say(by_descriptor ? "fchdir" : "chdir", by_descriptor ? "" : path_make(path_a), "");
    if (by_descriptor)
        same(bm_path_chdir(state.ours[slot], "", BM_AT_EMPTY_PATH), theirs(fchdir(state.theirs[slot])));
    else
        same(bm_path_chdir(AT_FDCWD, path_a, 0), theirs(chdir(path_a)));
}

static void call_names(void)
{
    char a[5000], b[5000];
    bool real = dice(2);
    say(real ? "realpath" : "getcwd", real ? path_make(path_a) : "", "");
    // The host's C library has a bound of its own, and wants a working directory that has a path.
    if (real && (strlen(path_a) > 4000 || !getcwd(b, sizeof b)))
        return;
    char *text = real ? realpath(path_a, b) : getcwd(b, sizeof b);
    long linux_result = text ? (long)strlen(text) + 1 : -errno;
    if (text && *text != '/') // "(unreachable)"
        linux_result = -BM_ENOENT;
    same(real ? bm_path_real(path_a, a, sizeof a) : bm_path_getcwd(a, sizeof a), linux_result);
    if (linux_result > 0 && strcmp(a, b))
        DIFFER("%s, Linux %s", a, b);
}

static void any_call(void)
{
    static void (*const calls[])(void) = {
        call_open,   call_open,  call_open,     call_transfer, call_transfer, call_transfer, call_descriptor,
        call_close,  call_list,  call_status,   call_mkdir,    call_mkdir,    call_unlink,   call_rename,
        call_rename, call_link,  call_symlink,  call_readlink, call_truncate, call_chmod,    call_access,
        call_chdir,  call_names, call_allocate, call_pieces};
    calls[dice(sizeof calls / sizeof *calls)]();
}
