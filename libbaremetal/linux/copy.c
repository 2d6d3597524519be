// From one descriptor to another: sendfile, copy_file_range and splice.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/inode.h>
#include <baremetal/memory.h>

enum { ORDER = 4 }; // of the frames that the bytes go through: 64 KiB

// What is copied: an end with an offset keeps its position.
struct copy {
    struct bm_file *in, *out;
    uint64_t in_at;
    uint64_t *out_at; // NULL: at the position of `out`
    size_t left;
};

// Bytes that were read and not written are read again by the next call: the position counts what was written.
static long copy_all(struct copy *copy)
{
    unsigned order = copy->left > BM_PAGE_SIZE ? ORDER : 0;
    char *buffer = bm_frame_allocate(order);
    if (!buffer && !(buffer = bm_frame_allocate(order = 0)))
        return -BM_ENOMEM;
    size_t room = BM_PAGE_SIZE << order;
    long total = 0, part = 1;
    while (copy->left && part > 0) {
        size_t wanted = copy->left < room ? copy->left : room;
        long there = part = copy->in->ops->read_at(copy->in, buffer, wanted, copy->in_at);
        if (part > 0)
            part = copy->out_at ? copy->out->ops->write_at(copy->out, buffer, (size_t)part, *copy->out_at)
                                : copy->out->ops->write(copy->out, buffer, (size_t)part);
        if (part <= 0)
            break;
        total += part;
        copy->in_at += (uint64_t)part;
        copy->left -= (size_t)part;
        if (copy->out_at)
            *copy->out_at += (uint64_t)part;
        if (part < there)
            break;
    }
    bm_frame_free(buffer, order);
    return total ? total : part < 0 ? part : 0;
}

// Where an end begins: at *offset or at its position.
static long begin_of(struct bm_file *file, const long *offset)
{
    if (offset)
        return *offset < 0 ? -BM_EINVAL : *offset;
    return (long)file->ops->seek(file, 0, BM_SEEK_CUR);
}

static void end_at(struct bm_file *file, long *offset, uint64_t at)
{
    if (offset)
        *offset = (long)at;
    else
        file->ops->seek(file, (long long)at, BM_SEEK_SET);
}

static size_t bounded(size_t count)
{
    enum { MAX = 0x7ffff000 }; // Linux' MAX_RW_COUNT
    return count < MAX ? count : MAX;
}

static long send_file(struct bm_file *out, struct bm_file *in, long *offset, size_t count)
{
    if (!in->ops->read_at || !in->ops->seek || !out->ops->write || out->flags & LINUX_O_APPEND)
        return -BM_EINVAL;
    long begin = begin_of(in, offset);
    if (begin < 0)
        return begin;
    struct copy copy = {.in = in, .out = out, .in_at = (uint64_t)begin, .left = bounded(count)};
    long result = copy_all(&copy);
    if (result > 0)
        end_at(in, offset, copy.in_at);
    return result;
}

// Finds both files, for reading and for writing; -BM_EBADF: none is held.
static int find_both(int from, int to, struct bm_file **in, struct bm_file **out)
{
    *in = bm_linux_file(from, LINUX_O_RDONLY);
    if (!*in)
        return -BM_EBADF;
    *out = bm_linux_file(to, LINUX_O_WRONLY);
    return *out ? 0 : (int)bm_linux_finish(*in, -BM_EBADF);
}

long bm_linux_sendfile(int to, int from, long *offset, size_t count)
{
    struct bm_file *in, *out;
    int error = find_both(from, to, &in, &out);
    return error ? error : bm_linux_finish(in, bm_linux_finish(out, send_file(out, in, offset, count)));
}

// The reasons against a copy, in Linux' order.
static int refuse_range(const struct bm_file *in, const struct bm_file *out)
{
    uint32_t types[2] = {in->inode ? in->inode->type : 0, out->inode ? out->inode->type : 0};
    if (types[0] == BM_FILE_DIRECTORY || types[1] == BM_FILE_DIRECTORY)
        return -BM_EISDIR;
    if (types[0] != BM_FILE_REGULAR || types[1] != BM_FILE_REGULAR)
        return -BM_EINVAL;
    return out->flags & LINUX_O_APPEND ? -BM_EBADF : 0;
}

static long copy_range(struct bm_file *in, long *in_offset, struct bm_file *out, long *out_offset,
                       size_t count)
{
    int error = refuse_range(in, out);
    if (error)
        return error;
    long from = begin_of(in, in_offset), to = begin_of(out, out_offset);
    if (from < 0 || to < 0)
        return -BM_EINVAL;
    uint64_t size = atomic_load(&in->inode->size), at = (uint64_t)to;
    size_t there = (uint64_t)from < size ? size - (uint64_t)from : 0;
    count = count < there ? bounded(count) : bounded(there);
    if (in->inode == out->inode && (uint64_t)from < at + count && at < (uint64_t)from + count)
        return -BM_EINVAL; // they overlap
    struct copy copy = {.in = in, .out = out, .in_at = (uint64_t)from, .out_at = &at, .left = count};
    long result = copy_all(&copy);
    if (result > 0) {
        end_at(in, in_offset, copy.in_at);
        end_at(out, out_offset, at);
    }
    return result;
}

long bm_linux_copy_file_range(int from, long *from_offset, int to, long *to_offset, size_t count,
                              unsigned flags)
{
    if (flags)
        return -BM_EINVAL;
    struct bm_file *in, *out;
    int error = find_both(from, to, &in, &out);
    if (error)
        return error;
    long result = copy_range(in, from_offset, out, to_offset, count);
    return bm_linux_finish(in, bm_linux_finish(out, result));
}

// Nothing is shared between a pipe and another file here, so it would copy as read and write do. Go's
// io.Copy, from 1.11 on, and others do that themselves on EINVAL, but take ENOSYS for an error of the
// connection.
long bm_linux_splice(int from, long *from_offset, int to, long *to_offset, size_t count, unsigned flags)
{
    (void)from;
    (void)from_offset;
    (void)to;
    (void)to_offset;
    (void)count;
    (void)flags;
    return -BM_EINVAL;
}
