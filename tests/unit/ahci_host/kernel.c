// The kernel around the AHCI driver, for test_ahci.c.
// SPDX-License-Identifier: MIT
#include "kernel.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stdlib.h>
#include <string.h>

// --- The kernel. What a device is given differs from the pointer, so that one is not taken for the other.
// ---

// What a device is given differs from the pointer, so that one is not taken for the other.
#define SHIFT 0x10000000ull

static void *blocks[16];
static unsigned block_count;
unsigned errors, warnings, disabled, aimed, low_memory;
uint64_t now;
struct bm_blockdev *disk;
struct bm_blockqueue *queue;
bm_interrupt_handler handler;
void *handler_arg;
bool messages;

void *bm_frame_allocate(unsigned order)
{
    if (block_count == 16)
        abort();
    return blocks[block_count++] = aligned_alloc(BM_PAGE_SIZE << order, BM_PAGE_SIZE << order);
}

void *bm_frame_allocate_below(unsigned order, unsigned bits)
{
    if (bits != 32)
        abort();
    low_memory++;
    return bm_frame_allocate(order);
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address + SHIFT;
}

void *at(uint64_t address)
{
    return (void *)(uintptr_t)(address - SHIFT);
}

uint64_t bm_time_monotonic(void)
{
    return now += 1000 * 1000;
}

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject, (void)format;
    errors += level == BM_LOG_ERROR;
    warnings += level == BM_LOG_WARN;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    (void)size, (void)format;
    memcpy(buffer, "sr0", 4);
    return 3;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    (void)condition, (void)arg, (void)deadline;
    abort(); // nobody waits here
}

void bm_blockqueue_add(struct bm_blockdev *device, struct bm_blockqueue *added)
{
    added->device = device;
    device->queues = added;
    device->queue_count = 1;
}

int bm_blockdev_add(struct bm_blockdev *device, const char *prefix)
{
    if (prefix ? strcmp(prefix, "sd") != 0 : !device->whole)
        abort();
    disk = device;
    queue = device->queues;
    return 0;
}

struct bm_blockqueue *bm_blockdev_queue(const struct bm_blockdev *device, unsigned number)
{
    return number ? NULL : device->queues;
}

int bm_dma_segments(const void *buffer, size_t length, struct bm_dma_segment *segments, unsigned max)
{
    (void)buffer, (void)length, (void)segments, (void)max;
    abort();
}

void bm_pci_enable(struct bm_pci_device *device)
{
    (void)device;
}

void bm_pci_disable(struct bm_pci_device *device)
{
    (void)device;
    disabled++;
}

volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t length)
{
    static unsigned char unused[4];
    (void)device;
    return index == 5 && offset == 0 && length <= 0x1100 ? unused : NULL;
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned max)
{
    (void)device, (void)max;
    return messages ? 1 : -BM_ENODEV;
}

static void handler_set(bm_interrupt_handler called, void *arg)
{
    handler = called;
    handler_arg = arg;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler called, void *arg)
{
    (void)device, (void)index;
    handler_set(called, arg);
    return 0;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device, (void)index;
    aimed = core;
    return 0;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler called, void *arg)
{
    (void)device;
    handler_set(called, arg);
    return 0;
}

int bm_pci_line_aim(struct bm_pci_device *device, unsigned core)
{
    (void)device;
    aimed = core;
    return 0;
}

void kernel_free(void)
{
    while (block_count)
        free(blocks[--block_count]);
}

struct bm_blockdev *bm_blockdev_find(const char *name)
{
    (void)name;
    return NULL;
}
