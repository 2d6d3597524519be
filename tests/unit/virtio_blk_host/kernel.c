// The kernel around virtio's drivers of disks, for test_virtio_blk.c and test_virtio_scsi.c.
// SPDX-License-Identifier: MIT
#include "kernel.h"

#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stdlib.h>
#include <string.h>

// What a device is given differs from the pointer, so that one is not taken for the other.
enum { SHIFT = 0x100000 };
static void *blocks[64];
static unsigned block_count;
unsigned errors;
struct bm_blockdev *added;
int add_result;
uint64_t now;
const char *disk_prefix = "vd";
struct bm_blockdev *disks[8];
unsigned disk_count;

void *bm_frame_allocate(unsigned order)
{
    if (block_count == 64)
        abort();
    return blocks[block_count++] = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
}

void bm_frame_free(void *block, unsigned order)
{
    (void)block, (void)order;
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address + SHIFT;
}

int bm_dma_segments(const void *buffer, size_t length, struct bm_dma_segment *segments, unsigned max)
{
    (void)max;
    segments[0] = (struct bm_dma_segment){bm_dma_address(buffer), (uint32_t)length};
    return 1;
}

void *at_dma(uint64_t address)
{
    return (void *)(uintptr_t)(address - SHIFT);
}

uint64_t bm_time_monotonic(void)
{
    return now += 1000000;
}

void time_passes(void)
{
    now += 1000000000;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject, (void)format;
    errors += level == BM_LOG_ERROR;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    (void)condition, (void)arg, (void)deadline;
    abort(); // nobody waits here
}

void bm_blockqueue_add(struct bm_blockdev *device, struct bm_blockqueue *queue)
{
    queue->device = device;
    device->queues = queue;
}

int bm_blockdev_add(struct bm_blockdev *device, const char *prefix)
{
    if (prefix ? strcmp(prefix, disk_prefix) != 0 : !device->whole)
        abort();
    added = device;
    disks[disk_count++ % 8] = device;
    return add_result;
}

struct bm_blockqueue *bm_blockdev_queue(const struct bm_blockdev *device, unsigned number)
{
    return number ? NULL : device->queues;
}

void kernel_free(void)
{
    while (block_count)
        free(blocks[--block_count]);
}
