// A disk's partitions as block devices.
// SPDX-License-Identifier: MIT
#include "partition.h"

#include <baremetal/block.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

#include <stddef.h>

// Where there is /dev, disks are files; elsewhere the linker drops them, and the pointer itself always.
extern const char bm_disk_device_linked; // file/disk_device.c
static const char *const disk_device_needed __attribute__((used)) = &bm_disk_device_linked;

struct reading {
    struct bm_blockdev *disk, *last; // the partition that was added last
};

static int read_sectors(void *arg, uint64_t sector, void *buffer, uint32_t count)
{
    return bm_block_read(((struct reading *)arg)->disk, sector, buffer, count);
}

static void refused(void *arg, unsigned number, const char *why)
{
    const struct bm_blockdev *disk = ((struct reading *)arg)->disk;
    if (number)
        bm_log_warn(disk->name, "partition %u %s: it is left out", number, why);
    else
        bm_log_warn(disk->name, "the disk %s", why);
}

// "vda" and 1: vda1; "nvme0n1" and 1: nvme0n1p1.
static void name_make(char *name, const char *disk, unsigned number)
{
    size_t length = 0;
    while (disk[length])
        length++;
    bool digit = disk[length - 1] >= '0' && disk[length - 1] <= '9';
    bm_format(name, BM_BLOCK_NAME_MAX, "%s%s%u", disk, digit ? "p" : "", number);
}

static void found(void *arg, const struct bm_partition *partition)
{
    struct reading *reading = arg;
    struct bm_blockdev *device = bm_memory_permanent(sizeof *device, _Alignof(struct bm_blockdev));
    if (!device) {
        refused(arg, partition->number, "cannot be used: out of memory");
        return;
    }
    *device = *reading->disk;
    device->disk = reading->disk;
    device->first = partition->first;
    device->sectors = partition->count;
    __builtin_memcpy(device->type, partition->type, sizeof device->type);
    __builtin_memcpy(device->id, partition->id, sizeof device->id);
    name_make(device->name, reading->disk->name, partition->number);
    bm_blockdev_insert(device, reading->last);
    reading->last = device;
}

void bm_partition_add_all(struct bm_blockdev *disk)
{
    struct reading reading = {.disk = disk, .last = disk};
    unsigned order = bm_frame_order(BM_PARTITION_BUFFER);
    const struct bm_partition_source source = {.read = read_sectors,
                                               .found = found,
                                               .refused = refused,
                                               .arg = &reading,
                                               .sectors = disk->sectors,
                                               .sector_size = disk->sector_size,
                                               .buffer = bm_frame_allocate(order)};
    if (!source.buffer) {
        bm_log_error(disk->name, "out of memory: its partitions are left out");
        return;
    }
    int count = bm_partition_scan(&source);
    if (count < 0)
        bm_log_error(disk->name, "cannot be read (error %d): its partitions are left out", -count);
    bm_frame_free(source.buffer, order);
}
