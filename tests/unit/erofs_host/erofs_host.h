// A disk in memory below EROFS, for tests on the host: its requests are answered at once, or fail.
// SPDX-License-Identifier: MIT
#pragma once

#include "../file_host/file_host.h"

#include <baremetal/block.h>
#include <baremetal/file_system.h>
#include <baremetal/option.h>
#include <baremetal/page_cache.h>

extern const struct bm_file_system bm_driver_erofs;

enum { DISK_SECTOR = 512 };

static uint8_t *disk_bytes;
static size_t disk_size;              // a multiple of a sector
static unsigned disk_reads;           // requests
static uint64_t disk_bad = INT64_MAX; // this sector cannot be read
static struct bm_blockqueue disk_queue;
static struct bm_blockdev disk = {.name = "vda",
                                  .sector_size = DISK_SECTOR,
                                  .transfer_max = 1 << 20,
                                  .segment_max = 1 << 20,
                                  .segments_max = 8,
                                  .alignment = 1,
                                  .queues = &disk_queue};

// The mount table's words are not tested here.
int bm_option_get_nth(const char *key, unsigned index, char *value, size_t size)
{
    (void)key, (void)index, (void)value, (void)size;
    return -1;
}

struct bm_blockdev *bm_blockdev_first(void)
{
    return &disk;
}

struct bm_blockdev *bm_blockdev_find(const char *name)
{
    return strcmp(name, disk.name) ? NULL : &disk;
}

struct bm_blockqueue *bm_blockdev_queue(const struct bm_blockdev *device, unsigned number)
{
    (void)device, (void)number;
    return &disk_queue;
}

void bm_block_kick(struct bm_blockqueue *queue)
{
    (void)queue;
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address;
}

static int disk_read(uint64_t sector, void *buffer, uint64_t count)
{
    if (sector >= disk.sectors || count > disk.sectors - sector)
        return -BM_ERANGE;
    disk_reads++;
    if (disk_bad >= sector && disk_bad < sector + count)
        return -BM_EIO;
    memcpy(buffer, disk_bytes + sector * DISK_SECTOR, count * DISK_SECTOR);
    return 0;
}

int bm_block_read(struct bm_blockdev *device, uint64_t sector, void *buffer, uint32_t count)
{
    (void)device;
    return disk_read(sector, buffer, count);
}

int bm_block_submit(struct bm_blockdev *device, struct bm_blockqueue *queue, struct bm_block_request *request)
{
    uint64_t sector = request->sector, left = request->count;
    (void)device, (void)queue;
    if (!left || request->segment_count > disk.segments_max || !request->segment_count)
        return -BM_EINVAL;
    if (sector >= disk.sectors || left > disk.sectors - sector)
        return -BM_ERANGE;
    request->result = 0;
    for (unsigned i = 0; i < request->segment_count; i++) {
        uint64_t part = request->segments[i].length / DISK_SECTOR;
        int error = disk_read(sector, (void *)(uintptr_t)request->segments[i].address, part);
        request->result = error ? error : request->result;
        sector += part;
        left -= part;
    }
    if (left)
        return -BM_EINVAL;
    request->done(request);
    return 0;
}

static void disk_set(uint8_t *bytes, size_t size)
{
    disk_bytes = bytes;
    disk_size = size / DISK_SECTOR * DISK_SECTOR;
    disk.sectors = disk_size / DISK_SECTOR;
    disk_reads = 0;
    disk_bad = INT64_MAX;
}
