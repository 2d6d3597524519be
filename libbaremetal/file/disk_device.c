// Disks and partitions as files: /dev/vda, /dev/vda1.
// SPDX-License-Identifier: MIT
//
// Bytes go straight to and from the disk. Parts of sectors are read and written as a whole through a buffer;
// writers of a part wait for each other. A disk that a file system has mounted is not to be written beside
// it.
#include "service.h"

#include <baremetal/block.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

const char bm_disk_device_linked = 1;

// Linux' ioctls of disks.
enum {
    READ_ONLY = 0x125e,
    SIZE_SECTORS = 0x1260,
    FLUSH = 0x1261,
    SECTOR_SIZE = 0x1268,
    DISCARD = 0x1277,
    IO_MIN = 0x1278,
    PHYSICAL_SIZE = 0x127b,
    ZERO_OUT = 0x127f
};
#define SIZE_BYTES 0x80081272ul

enum { MAJOR = 254, LINUX_SECTOR = 512, TRANSFER = 1 << 20 };

static struct bm_file_mutex parts; // over writing a part of a sector

static struct bm_blockdev *disk_at(uint64_t index)
{
    struct bm_blockdev *disk = bm_blockdev_first();
    while (disk && index--)
        disk = disk->next;
    return disk;
}

const char *bm_disk_node(unsigned index, uint64_t *special)
{
    const struct bm_blockdev *disk = disk_at(index);
    *special = bm_device_number(MAJOR, index);
    return disk ? disk->name : NULL;
}

static struct bm_blockdev *disk_of(const struct bm_file *file)
{
    return file->state;
}

static uint64_t size_of(const struct bm_blockdev *disk)
{
    return disk->sectors * disk->sector_size;
}

// A part of the sector in which a byte lies.
static int move_part(struct bm_blockdev *disk, char *buffer, size_t size, uint64_t offset, bool writing)
{
    char *sector = bm_frame_allocate(0);
    if (!sector)
        return -BM_ENOMEM;
    if (writing)
        bm_file_mutex_acquire(&parts);
    int error = bm_block_read(disk, offset / disk->sector_size, sector, 1);
    char *at = sector + offset % disk->sector_size;
    if (!error && writing) {
        __builtin_memcpy(at, buffer, size);
        error = bm_block_write(disk, offset / disk->sector_size, sector, 1, 0);
    } else if (!error) {
        __builtin_memcpy(buffer, at, size);
    }
    if (writing)
        bm_file_mutex_release(&parts);
    bm_frame_free(sector, 0);
    return error;
}

// Whole sectors, if the memory is where the disk wants it; *moved: how many bytes at once.
static int move(struct bm_blockdev *disk, char *buffer, size_t size, uint64_t offset, bool writing,
                size_t *moved)
{
    size_t in_sector = offset % disk->sector_size;
    if (!in_sector && size >= disk->sector_size && !((uintptr_t)buffer & (disk->alignment - 1))) {
        uint32_t count = (uint32_t)((size < TRANSFER ? size : TRANSFER) / disk->sector_size);
        uint64_t sector = offset / disk->sector_size;
        *moved = (size_t)count * disk->sector_size;
        return writing ? bm_block_write(disk, sector, buffer, count, 0)
                       : bm_block_read(disk, sector, buffer, count);
    }
    *moved = disk->sector_size - in_sector;
    if (*moved > size)
        *moved = size;
    return move_part(disk, buffer, *moved, offset, writing);
}

static long transfer(struct bm_file *file, char *buffer, size_t size, uint64_t offset, bool writing)
{
    struct bm_blockdev *disk = disk_of(file);
    uint64_t end = size_of(disk);
    if (writing && disk->read_only)
        return -BM_EPERM;
    if (offset >= end)
        return writing && size ? -BM_ENOSPC : 0;
    if (size > end - offset)
        size = end - offset;
    for (size_t done = 0, part; done < size; done += part) {
        int error = move(disk, buffer + done, size - done, offset + done, writing, &part);
        if (error)
            return done ? (long)done : error;
    }
    return (long)size;
}

static long disk_read_at(struct bm_file *file, void *buffer, size_t size, uint64_t offset)
{
    return transfer(file, buffer, size, offset, false);
}

static long disk_write_at(struct bm_file *file, const void *buffer, size_t size, uint64_t offset)
{
    return transfer(file, (char *)(uintptr_t)buffer, size, offset, true);
}

// The position is one step with the bytes for each call alone: who shares an open disk takes care of it.
static long disk_read(struct bm_file *file, void *buffer, size_t size)
{
    long done = disk_read_at(file, buffer, size, (uint64_t)file->position);
    file->position += done > 0 ? done : 0;
    return done;
}

static long disk_write(struct bm_file *file, const void *buffer, size_t size)
{
    long done = disk_write_at(file, buffer, size, (uint64_t)file->position);
    file->position += done > 0 ? done : 0;
    return done;
}

static long long disk_seek(struct bm_file *file, long long offset, int whence)
{
    long long base = whence == BM_SEEK_SET   ? 0
                     : whence == BM_SEEK_CUR ? file->position
                     : whence == BM_SEEK_END ? (long long)size_of(disk_of(file))
                                             : -1;
    if (base < 0 || __builtin_add_overflow(base, offset, &base) || base < 0)
        return -BM_EINVAL;
    file->position = base;
    return base;
}

static int write_zeros(struct bm_blockdev *disk, uint64_t sector, uint64_t count)
{
    unsigned order = bm_frame_order(TRANSFER);
    char *zeros = bm_frame_allocate(order);
    if (!zeros)
        return -BM_ENOMEM;
    __builtin_memset(zeros, 0, TRANSFER);
    int error = 0;
    while (count && !error) {
        uint32_t piece = TRANSFER / disk->sector_size;
        piece = piece < count ? piece : (uint32_t)count;
        error = bm_block_write(disk, sector, zeros, piece, 0);
        sector += piece;
        count -= piece;
    }
    bm_frame_free(zeros, order);
    return error;
}

// A range of bytes, whole sectors: its contents are not wanted any more, or are zeros from now on.
static int disk_range(const struct bm_file *file, unsigned long request, const uint64_t *range)
{
    struct bm_blockdev *disk = disk_of(file);
    uint64_t begin = range[0], length = range[1], size = disk->sector_size, end = size_of(disk);
    if ((file->flags & BM_O_ACCMODE) == BM_O_RDONLY)
        return -BM_EBADF;
    if (begin % size || length % size || begin > end || length > end - begin)
        return -BM_EINVAL;
    if (!length)
        return 0;
    if (request == DISCARD)
        return disk->capabilities & BM_BLOCK_CAN_DISCARD ? bm_block_discard(disk, begin / size, length / size)
                                                         : -BM_EOPNOTSUPP;
    int error = -BM_ENXIO; // also of a device that says so only when it is asked
    if (disk->capabilities & BM_BLOCK_CAN_WRITE_ZEROES)
        error = bm_block_write_zeroes(disk, begin / size, length / size);
    return error == -BM_ENXIO ? write_zeros(disk, begin / size, length / size) : error;
}

static int disk_control(struct bm_file *file, unsigned long request, void *argument)
{
    const struct bm_blockdev *disk = disk_of(file);
    switch (request) {
    case SIZE_BYTES:
        *(uint64_t *)argument = size_of(disk);
        return 0;
    case SIZE_SECTORS:
        *(uint64_t *)argument = size_of(disk) / LINUX_SECTOR;
        return 0;
    case SECTOR_SIZE:
        *(int *)argument = (int)disk->sector_size;
        return 0;
    case PHYSICAL_SIZE:
    case IO_MIN:
        *(int *)argument = (int)disk->physical_size;
        return 0;
    case DISCARD:
    case ZERO_OUT:
        return disk_range(file, request, argument);
    case READ_ONLY:
        *(int *)argument = disk->read_only;
        return 0;
    case FLUSH:
        return bm_disk_sync(file);
    default:
        return -BM_ENOTTY;
    }
}

static int disk_stat(struct bm_file *file, struct bm_file_status *status)
{
    return bm_inode_status(file->inode, status);
}

static int disk_close(struct bm_file *file)
{
    bm_inode_put(file->inode);
    bm_file_free(file, sizeof *file);
    return 0;
}

static const struct bm_file_ops ops = {.read = disk_read,
                                       .write = disk_write,
                                       .read_at = disk_read_at,
                                       .write_at = disk_write_at,
                                       .seek = disk_seek,
                                       .control = disk_control,
                                       .stat = disk_stat,
                                       .close = disk_close};

int bm_disk_sync(struct bm_file *file)
{
    return disk_of(file)->read_only ? 0 : bm_block_flush(disk_of(file));
}

int bm_disk_open(struct bm_inode *inode, int flags, struct bm_file **file)
{
    uint64_t minor = (inode->special & 0xff) | (inode->special >> 12 & 0xfff00);
    struct bm_blockdev *disk = (inode->special >> 8 & 0xfff) == MAJOR ? disk_at(minor) : NULL;
    if (!disk)
        return -BM_ENXIO;
    if (disk->read_only && (flags & BM_O_ACCMODE) != BM_O_RDONLY)
        return -BM_EACCES;
    struct bm_file *made = bm_file_allocate(sizeof *made);
    if (!made)
        return -BM_ENOMEM;
    made->ops = &ops;
    made->flags = flags & ~BM_OPENING;
    made->state = disk;
    made->inode = bm_inode_hold(inode);
    *file = made;
    return 0;
}
