// The kernel and the registers below the virtio console driver, invented: for its unit test and its fuzzer.
// SPDX-License-Identifier: MIT
//
// Whoever leaves the driver's memory, or types more than there is room for, ends the test. The queues belong
// to who includes this: so does notify().
#pragma once

#include "../../../drivers/console/virtio_console/virtio_console.h"

#include "../../../libbaremetal/console/console.h"
#include "../../../libbaremetal/console/names.h"

#include <baremetal/log.h>
#include <baremetal/option.h>
#include <baremetal/time.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 512, QUEUES = 2 + 2 * VIRTIO_CONSOLE_PORTS_MAX };

// --- The kernel ---

static _Alignas(8 * BM_PAGE_SIZE) unsigned char frames[FRAMES * BM_PAGE_SIZE];
static unsigned frames_used, errors, consoles;
static struct bm_console *console;
static struct bm_poller *poller;
static char typed[4096];
static size_t typed_count, room;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    errors += level == BM_LOG_ERROR;
}

uint64_t bm_time_monotonic(void)
{
    static uint64_t now;
    return now += 1000000;
}

void *bm_frame_allocate(unsigned order)
{
    void *block = frames + frames_used * BM_PAGE_SIZE;
    if (frames_used + (1u << order) > FRAMES)
        return NULL;
    frames_used += 1u << order;
    return block;
}

void bm_frame_free(void *block, unsigned order)
{
    (void)block;
    (void)order;
}

uint64_t bm_dma_address(const void *address)
{
    size_t offset = (size_t)((const unsigned char *)address - frames);
    if (offset >= sizeof frames)
        abort();
    return offset;
}

void bm_poller_add(struct bm_poller *added)
{
    poller = added;
}

bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    (void)deadline;
    poller->poll(poller->arg);
    return condition(arg);
}

int bm_option_get(const char *key, char *value, size_t size)
{
    (void)key;
    (void)value;
    (void)size;
    return -1;
}

bool bm_console_wanted(const char *name)
{
    return strcmp(name, "virtio") == 0;
}

void bm_console_add_wanted(struct bm_console *added)
{
    console = added;
    consoles++;
}

void bm_console_input(char byte)
{
    if (!room--)
        abort();
    if (typed_count < sizeof typed)
        typed[typed_count++] = byte;
}

size_t bm_console_input_room(void)
{
    return room;
}

// --- The registers ---

static uint8_t status;
static uint64_t offered;
static uint32_t port_count;
static unsigned queue_max;
static struct bm_virtqueue *queues[QUEUES];
static uint16_t seen[QUEUES]; // chains that the device has taken

static void notify(struct bm_virtqueue *queue);

static uint8_t status_get(struct bm_virtio_device *device)
{
    (void)device;
    return status;
}

static void status_set(struct bm_virtio_device *device, uint8_t value)
{
    (void)device;
    status = value;
}

static uint64_t features_get(struct bm_virtio_device *device)
{
    (void)device;
    return offered;
}

static void features_set(struct bm_virtio_device *device, uint64_t features)
{
    (void)device;
    if (features & ~offered)
        abort();
}

// Of the configuration the driver reads how many ports there are.
static uint32_t config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    (void)device;
    if (offset != 4 || size != 4)
        abort();
    return port_count;
}

static unsigned size_get(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    return index < QUEUES ? queue_max : 0;
}

static int queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)device;
    (void)interrupt;
    queues[queue->number] = queue;
    return 0;
}

static int interrupt_start(struct bm_virtio_device *device, unsigned max)
{
    (void)device;
    return (int)max;
}

static int interrupt_set(struct bm_virtio_device *device, unsigned index, atomic_bool *flag)
{
    (void)device;
    (void)index;
    (void)flag;
    return 0;
}

static int config_interrupt(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    (void)index;
    return 0;
}

static const struct bm_virtio_transport transport = {.status_get = status_get,
                                                     .status_set = status_set,
                                                     .features_get = features_get,
                                                     .features_set = features_set,
                                                     .config_read = config_read,
                                                     .queue_size = size_get,
                                                     .queue_enable = queue_enable,
                                                     .notify = notify,
                                                     .interrupt_start = interrupt_start,
                                                     .interrupt_set = interrupt_set,
                                                     .config_interrupt = config_interrupt};

extern const struct bm_driver bm_driver_virtio_console;

// Before each attach.
static inline void machine_reset(void)
{
    memset(frames, 0xee, frames_used * BM_PAGE_SIZE); // of the one before
    memset(queues, 0, sizeof queues);
    memset(seen, 0, sizeof seen);
    frames_used = errors = consoles = 0;
    typed_count = room = 0;
    status = 0;
    console = NULL;
    bm_virtio_console_first = NULL;
}
