// Character devices that need no hardware, and the terminal, by Linux' numbers.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <baremetal/random.h>

const char bm_devices_linked = 1; // Linux' open asks for it

static long null_read(struct bm_file *file, void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return 0;
}

static long null_write(struct bm_file *file, const void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    return (long)size;
}

static long zero_read(struct bm_file *file, void *buffer, size_t size)
{
    (void)file;
    __builtin_memset(buffer, 0, size);
    return (long)size;
}

static long full_write(struct bm_file *file, const void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    return size ? -BM_ENOSPC : 0;
}

static long random_read(struct bm_file *file, void *buffer, size_t size)
{
    (void)file;
    bm_random_fill(buffer, size);
    return (long)size;
}

static long random_write(struct bm_file *file, const void *buffer, size_t size)
{
    (void)file;
    bm_random_add("/dev/random", buffer, size, 0);
    return (long)size;
}

static long null_read_at(struct bm_file *file, void *buffer, size_t size, uint64_t offset)
{
    (void)offset;
    return file->ops->read(file, buffer, size);
}

static long null_write_at(struct bm_file *file, const void *buffer, size_t size, uint64_t offset)
{
    (void)offset;
    return file->ops->write(file, buffer, size);
}

static long long device_seek(struct bm_file *file, long long offset, int whence)
{
    (void)file;
    (void)offset;
    return whence >= BM_SEEK_SET && whence <= BM_SEEK_END ? 0 : -BM_EINVAL;
}

static int device_stat(struct bm_file *file, struct bm_file_status *status)
{
    return bm_inode_status(file->inode, status);
}

static int device_close(struct bm_file *file)
{
    bm_inode_put(file->inode);
    bm_file_free(file, sizeof *file);
    return 0;
}

#define DEVICE(reads, writes)                                                                                \
    {                                                                                                        \
        .read = (reads), .write = (writes), .read_at = null_read_at, .write_at = null_write_at,              \
        .seek = device_seek, .stat = device_stat, .close = device_close                                      \
    }

// By minor number of the major number 1.
static const struct bm_file_ops memory_ops[] = {[3] = DEVICE(null_read, null_write),
                                                [5] = DEVICE(zero_read, null_write),
                                                [7] = DEVICE(zero_read, full_write),
                                                [8] = DEVICE(random_read, random_write),
                                                [9] = DEVICE(random_read, random_write)};

int bm_terminal_close(struct bm_file *file)
{
    return file == &bm_terminal_file ? 0 : device_close(file);
}

int bm_device_open(struct bm_inode *inode, int flags, struct bm_file **file)
{
    unsigned major = (unsigned)(inode->special >> 8) & 0xfff, minor = inode->special & 0xff;
    bool terminal = major == 5 && minor <= 1; // tty, console
    if (!terminal &&
        (major != 1 || minor >= sizeof memory_ops / sizeof *memory_ops || !memory_ops[minor].read))
        return -BM_ENXIO;
    struct bm_file *made = bm_file_allocate(sizeof *made);
    if (!made)
        return -BM_ENOMEM;
    made->ops = terminal ? bm_terminal_file.ops : &memory_ops[minor];
    made->flags = flags & ~BM_OPENING;
    made->inode = bm_inode_hold(inode);
    *file = made;
    return 0;
}
