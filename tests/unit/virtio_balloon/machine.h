// The memory, the kernel and the registers below the virtio balloon driver, invented: for its unit test and
// its fuzzer.
// SPDX-License-Identifier: MIT
//
// Each page has an owner. A driver that gives the host what is not free, gives it twice, takes a page back
// that it may not, or leaves its memory ends the test. The device's turn is device_work().
#pragma once

#include "../../../drivers/balloon/virtio_balloon.c"

#include "../../../libbaremetal/memory/frame.h"

#include <baremetal/log.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef MACHINE_FRAMES
#define MACHINE_FRAMES 8192
#endif
enum { FRAMES = MACHINE_FRAMES, BALLOON_QUEUES = 3 };

// --- The memory ---

static _Alignas(8 * BM_PAGE_SIZE) unsigned char frames[FRAMES * BM_PAGE_SIZE];
static bool used[FRAMES], lent[FRAMES];                   // by the kernel or in the balloon; to the host
static unsigned frames_free, frames_lent, errors, lowest; // `lowest`: no frame before it is free
static bool lied; // the device has answered what it was not asked: its pages are anybody's
static uint64_t now;
static struct bm_poller *poller;

void *__real_bm_frame_allocate_below(unsigned order, unsigned bits);
void *__wrap_bm_frame_allocate(unsigned order);
void *__wrap_bm_frame_allocate_below(unsigned order, unsigned bits);

static bool must_tell(void);

static bool is_free(unsigned first_frame, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (used[first_frame + i])
            return false;
    return true;
}

void *__real_bm_frame_allocate_below(unsigned order, unsigned bits)
{
    (void)bits;
    for (unsigned i = lowest >> order << order, count = 1u << order; i + count <= FRAMES; i += count) {
        if (!is_free(i, count))
            continue;
        lowest = order ? lowest : i + 1;
        memset(&used[i], true, count);
        frames_free -= count;
        return frames + i * BM_PAGE_SIZE;
    }
    lowest = order ? lowest : FRAMES;
    return NULL;
}

void *bm_frame_allocate(unsigned order)
{
    return __real_bm_frame_allocate_below(order, 64);
}

static void frame_free(void *frame)
{
    size_t i = (size_t)((unsigned char *)frame - frames) / BM_PAGE_SIZE;
    if (i >= FRAMES || !used[i] || (lent[i] && !lied && must_tell()))
        abort();
    used[i] = false;
    lowest = i < lowest ? (unsigned)i : lowest;
    frames_free++;
}

void bm_frame_free(void *block, unsigned order)
{
    for (unsigned i = 0; block && i < 1u << order; i++)
        frame_free((unsigned char *)block + i * BM_PAGE_SIZE);
}

void bm_frame_free_list(void **list)
{
    while (list) {
        void **next = *list;
        frame_free(list);
        list = next;
    }
}

struct bm_memory_statistics bm_memory_statistics_get(void)
{
    return (struct bm_memory_statistics){.total = sizeof frames, .free = frames_free * BM_PAGE_SIZE};
}

uint64_t bm_memory_physical(const void *address)
{
    size_t offset = (size_t)((const unsigned char *)address - frames);
    if (offset >= sizeof frames)
        abort();
    return offset;
}

void *bm_memory_direct(uint64_t physical)
{
    if (physical >= sizeof frames)
        abort();
    return frames + physical;
}

uint64_t bm_dma_address(const void *address)
{
    return bm_memory_physical(address);
}

// --- The rest of the kernel ---

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    errors += level == BM_LOG_ERROR;
}

uint64_t bm_time_monotonic(void)
{
    return now += 1000000;
}

void bm_poller_add(struct bm_poller *added)
{
    poller = added;
}

// --- The registers ---

static uint8_t status;
static uint64_t offered;
static uint32_t num_pages, actual;
static unsigned queue_max;
static bool stuck, gone; // does not come out of a reset; is there no more
static struct bm_virtqueue *queues[BALLOON_QUEUES];
static uint16_t seen[BALLOON_QUEUES]; // chains that the device has taken
static struct bm_virtio_device device;

static bool must_tell(void)
{
    return !device.broken && device.features & VIRTIO_BALLOON_F_MUST_TELL_HOST;
}

static uint8_t status_get(struct bm_virtio_device *d)
{
    (void)d;
    return gone ? BM_VIRTIO_GONE : status;
}

static void status_set(struct bm_virtio_device *d, uint8_t value)
{
    (void)d;
    if (value == 0)
        memset(seen, 0, sizeof seen);
    if (value || !stuck)
        status = value;
}

static uint64_t features_get(struct bm_virtio_device *d)
{
    (void)d;
    return offered;
}

static void features_set(struct bm_virtio_device *d, uint64_t features)
{
    (void)d;
    if (features & ~offered)
        abort();
}

static uint32_t config_read(struct bm_virtio_device *d, unsigned offset, unsigned size)
{
    (void)d;
    if (offset != 0 || size != 4)
        abort();
    return gone ? UINT32_MAX : num_pages;
}

void bm_virtio_config_write(struct bm_virtio_device *d, unsigned offset, unsigned size, uint32_t value)
{
    (void)d;
    if (offset != 4 || size != 4)
        abort();
    actual = value;
}

static unsigned size_get(struct bm_virtio_device *d, unsigned index)
{
    (void)d;
    return index < BALLOON_QUEUES ? queue_max : 0;
}

static int queue_enable(struct bm_virtio_device *d, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)d;
    (void)interrupt;
    queues[queue->number] = queue;
    return 0;
}

static bool prompt; // it answers at once
static void device_work(void);

static void notify(struct bm_virtqueue *queue)
{
    if (prompt && queue->device)
        device_work();
}

static int interrupt_start(struct bm_virtio_device *d, unsigned max)
{
    (void)d;
    return (int)max;
}

static int interrupt_set(struct bm_virtio_device *d, unsigned index, atomic_bool *flag)
{
    (void)d;
    (void)index;
    (void)flag;
    return 0;
}

static int config_interrupt(struct bm_virtio_device *d, unsigned index)
{
    (void)d;
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

// --- The device ---

static uint64_t told[8]; // the statistics that it has heard, by their tags

static void give_back(unsigned number, uint32_t id, uint32_t length)
{
    struct bm_virtqueue *queue = queues[number];
    queue->used->ring[queue->used->index % queue->size] = (struct bm_virtqueue_used_element){id, length};
    queue->used->index++;
}

static void pages_take(const uint32_t *pages, uint32_t count, bool inflate)
{
    for (uint32_t i = 0; i < count && !lied; i++) {
        uint32_t page = pages[i];
        if (page >= FRAMES || lent[page] == inflate || (inflate && !used[page]))
            abort();
        lent[page] = inflate;
        frames_lent += inflate ? 1 : -1u;
        if (inflate) // what the host does with it; the rest of a page nobody looks at
            memset(frames + page * BM_PAGE_SIZE, 0xdb, 64);
    }
}

static void statistics_hear(const unsigned char *data, uint32_t size)
{
    for (; size >= 10; data += 10, size -= 10) {
        uint16_t tag;
        memcpy(&tag, data, 2);
        memcpy(&told[tag % 8], data + 2, 8);
    }
}

// Takes the next message of a queue; returns whether there was one. The statistics' is kept.
static bool device_take(unsigned number)
{
    struct bm_virtqueue *queue = queues[number];
    enum { DRIVER_OK = 4 };
    if (!queue || gone || !(status & DRIVER_OK) || seen[number] == queue->available->index)
        return false;
    uint16_t id = queue->available->ring[seen[number]++ % queue->size];
    const struct bm_virtqueue_descriptor *descriptor = &queue->descriptors[id];
    *(uint16_t *)&queue->used->ring[queue->size] = seen[number]; // tell me of the next one (section 2.7.10)
    if (descriptor->flags || descriptor->address + descriptor->length > sizeof frames)
        abort();
    if (number == STATISTICS) {
        statistics_hear(frames + descriptor->address, descriptor->length);
        return true;
    }
    if (descriptor->length % 4)
        abort();
    pages_take((const uint32_t *)(const void *)(frames + descriptor->address), descriptor->length / 4,
               number == INFLATE);
    give_back(number, id, 0);
    return true;
}

static void device_work(void)
{
    for (unsigned i = 0; i < BALLOON_QUEUES; i++)
        while (device_take(i))
            ;
}

// Before each attach.
static inline void machine_reset(void)
{
    memset(used, 0, sizeof used);
    memset(lent, 0, sizeof lent);
    memset(queues, 0, sizeof queues);
    memset(seen, 0, sizeof seen);
    memset(told, 0, sizeof told);
    frames_free = FRAMES;
    frames_lent = lowest = errors = actual = num_pages = 0;
    status = 0;
    stuck = gone = prompt = lied = false;
    queue_max = 16;
    offered = BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX | VIRTIO_BALLOON_F_STATS_VQ;
    device = (struct bm_virtio_device){.transport = &transport};
    first = NULL;
    poller = NULL;
    atomic_store(&bm_virtio_balloon_giver, NULL);
    bm_balloon_reserve_set(FRAMES / 4 * BM_PAGE_SIZE);
}
