// The kernel and the registers below the virtio socket driver, invented: for its unit test and its fuzzer.
// SPDX-License-Identifier: MIT
//
// Whoever leaves the driver's memory ends the test, as does a socket whose memory is freed twice or used
// later: rings and sockets are the host's heap. notify() belongs to who includes this.
#pragma once

#include "../../../drivers/vsock/virtio_vsock.h"

#include "../../../libbaremetal/file/credentials.h"

#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 128, QUEUES = 3 };

// --- The kernel ---

static _Alignas(8 * BM_PAGE_SIZE) unsigned char frames[FRAMES * BM_PAGE_SIZE];
static void *frames_free;
static unsigned frames_used, errors, live; // live: sockets and rings
static struct bm_poller *poller;
static uint64_t now;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    errors += level == BM_LOG_ERROR;
}

uint64_t bm_time_monotonic(void)
{
    return now += 1000;
}

uint64_t bm_time_wall(void)
{
    return 77;
}

// Large ones are rings, which the device does not see.
void *bm_frame_allocate(unsigned order)
{
    live += order > 0;
    if (order)
        return malloc((size_t)BM_PAGE_SIZE << order);
    void *block = frames_free;
    if (block)
        frames_free = *(void **)block;
    else if (frames_used < FRAMES)
        block = frames + BM_PAGE_SIZE * frames_used++;
    return block;
}

void bm_frame_free(void *block, unsigned order)
{
    live -= order > 0;
    if (order) {
        free(block);
        return;
    }
    *(void **)block = frames_free;
    frames_free = block;
}

uint64_t bm_dma_address(const void *address)
{
    size_t offset = (size_t)((const unsigned char *)address - frames);
    if (offset >= sizeof frames)
        abort();
    return offset;
}

void *bm_file_allocate(size_t size)
{
    live++;
    return calloc(1, size);
}

void bm_file_free(void *block, size_t size)
{
    (void)size;
    live--;
    free(block);
}

void bm_poller_add(struct bm_poller *added)
{
    poller = added;
}

void bm_waitqueue_wake_all(struct bm_waitqueue *queue)
{
    (void)queue;
}

void bm_file_changed(struct bm_file_watchers *list, int events)
{
    (void)list, (void)events;
}

void bm_file_gone(struct bm_file_watchers *list)
{
    (void)list;
}

void bm_file_mutex_acquire(struct bm_file_mutex *mutex)
{
    if (atomic_exchange(&mutex->held, 1))
        abort(); // nobody waits here
}

void bm_file_mutex_release(struct bm_file_mutex *mutex)
{
    atomic_store(&mutex->held, 0);
}

// A call that would wait gives up, once the device has been served.
int bm_wait_signal(struct bm_waitqueue *queue, bool (*condition)(void *arg), void *arg, uint64_t deadline)
{
    (void)queue, (void)deadline;
    if (!condition(arg))
        poller->poll(poller->arg);
    return condition(arg) ? 0 : -BM_EAGAIN;
}

// --- The registers ---

static uint8_t status;
static uint64_t offered, cid;
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

static uint32_t config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    (void)device;
    if (offset % 4 || offset > 4 || size != 4)
        abort();
    return (uint32_t)(offset ? cid >> 32 : cid);
}

static uint32_t generation_get(struct bm_virtio_device *device)
{
    (void)device;
    return 0;
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
                                                     .config_generation = generation_get,
                                                     .queue_size = size_get,
                                                     .queue_enable = queue_enable,
                                                     .notify = notify,
                                                     .interrupt_start = interrupt_start,
                                                     .interrupt_set = interrupt_set,
                                                     .config_interrupt = config_interrupt};

extern const struct bm_driver bm_driver_virtio_vsock;

// Before each attach. What the last test has left is given back.
static inline void machine_reset(void)
{
    while (bm_vsock.all) {
        struct vsock *next = bm_vsock.all->next;
        bm_vsock_free(bm_vsock.all);
        bm_vsock.all = next;
    }
    memset(&bm_vsock, 0, sizeof bm_vsock);
    memset(frames, 0xee, (size_t)frames_used * BM_PAGE_SIZE);
    memset(queues, 0, sizeof queues);
    memset(seen, 0, sizeof seen);
    frames_free = NULL;
    frames_used = errors = live = 0;
    status = 0;
    now = 0;
}

// --- The device's side of its queues ---

static inline bool has_buffer(unsigned number)
{
    return queues[number] && queues[number]->available->index != seen[number];
}

static inline uint16_t buffer_take(unsigned number)
{
    return queues[number]->available->ring[seen[number]++ % queues[number]->size];
}

static inline void give_back(unsigned number, uint32_t id, uint32_t length)
{
    struct bm_virtqueue_used *used = queues[number]->used;
    used->ring[used->index % queues[number]->size] = (struct bm_virtqueue_used_element){id, length};
    used->index++;
    *(uint16_t *)&used->ring[queues[number]->size] = seen[number]; // tell me of the next one (section 2.7.10)
}
