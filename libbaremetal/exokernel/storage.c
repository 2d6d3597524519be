// Disks in sectors of 4,096 bytes, whatever they have themselves.
// SPDX-License-Identifier: MIT
#include "exokernel.h"

#include <baremetal/block.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <stddef.h>

enum { SECTOR = 4096 };

// Disks are counted without their partitions.
static struct bm_blockdev *disk_find(u64 number)
{
    struct bm_blockdev *device = bm_blockdev_first();
    for (; device; device = device->next)
        if (!device->disk && number-- == 0)
            return device;
    return NULL;
}

static u64 transfer(void *memory, u64 start, u64 count, u64 drive, bool writes)
{
    struct bm_blockdev *disk = disk_find(drive);
    int error = disk ? -BM_ERANGE : -BM_ENODEV;
    u64 each = disk ? SECTOR / disk->sector_size : 0;
    if (disk && start <= disk->sectors / each && count <= disk->sectors / each - start &&
        count <= UINT32_MAX / each) {
        uint32_t sectors = (uint32_t)(count * each);
        if (!count)
            return 0;
        error = writes ? bm_block_write(disk, start * each, memory, sectors, 0)
                       : bm_block_read(disk, start * each, memory, sectors);
    }
    if (error)
        bm_log_error("exokernel", "%s of %lu sectors from %lu on of disk %lu failed (error %d)",
                     writes ? "writing" : "reading", (unsigned long)count, (unsigned long)start,
                     (unsigned long)drive, -error);
    return error ? 0 : count;
}

u64 b_nvs_read(void *mem, u64 start, u64 num, u64 drivenum)
{
    return transfer(mem, start, num, drivenum, false);
}

u64 b_nvs_write(void *mem, u64 start, u64 num, u64 drivenum)
{
    return transfer(mem, start, num, drivenum, true);
}
