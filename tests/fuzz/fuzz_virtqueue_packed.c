// Fuzzer of packed virtqueues: a device that writes anything into the ring while chains are added and taken
// back.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtqueue_packed.c drivers/virtio/virtio.c tests/unit/memory_host/permanent.c
// @max_len 1024
#include "../../drivers/virtio/virtqueue_packed.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level;
    (void)subject;
    (void)format;
}

uint64_t bm_time_monotonic(void)
{
    static uint64_t now;
    return now += 1000000;
}

void *bm_frame_allocate(unsigned order)
{
    return aligned_alloc(BM_PAGE_SIZE, BM_PAGE_SIZE << order);
}

void bm_frame_free(void *block, unsigned order)
{
    (void)order;
    free(block);
}

static unsigned queue_slots; // any number
enum { CAPACITY = 64, CHAINS_MAX = 4096 };

static uint8_t status_get(struct bm_virtio_device *device)
{
    (void)device;
    return 0;
}

static void status_set(struct bm_virtio_device *device, uint8_t value)
{
    (void)device;
    (void)value;
}

static unsigned queue_size(struct bm_virtio_device *device, unsigned index)
{
    (void)device;
    (void)index;
    return queue_slots;
}

static int queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)device;
    (void)queue;
    (void)interrupt;
    return 0;
}

static void notify(struct bm_virtqueue *queue)
{
    (void)queue;
}

static const struct bm_virtio_transport transport = {
    .status_get = status_get,
    .status_set = status_set,
    .queue_size = queue_size,
    .queue_enable = queue_enable,
    .notify = notify,
};

// What the test knows of a chain, reached by its cookie.
struct chain {
    uint32_t capacity;
    bool out; // the device has it
};
static struct chain chains[CHAINS_MAX];
static unsigned chain_count, chains_out;

static void add(struct bm_virtqueue *queue, uint8_t shape)
{
    struct bm_dma_segment segments[6];
    unsigned readable = shape & 3, writable = shape >> 2 & 1;
    if (chain_count == CHAINS_MAX)
        return;
    for (unsigned i = 0; i < readable + writable; i++)
        segments[i] = (struct bm_dma_segment){0x1000 * i, CAPACITY};
    if (bm_virtqueue_packed_add(queue, segments, readable, writable, &chains[chain_count]))
        return;
    chains[chain_count++] = (struct chain){writable ? CAPACITY : 0, true};
    chains_out++;
}

static void give_back(struct chain *chain, uint32_t length)
{
    if (chain < chains || chain >= chains + chain_count || !chain->out || length > chain->capacity)
        abort();
    chain->out = false;
    chains_out--;
}

static void take(struct bm_virtqueue *queue)
{
    struct bm_virtqueue_done done[3];
    unsigned count = bm_virtqueue_packed_take(queue, done, 3);
    for (unsigned i = 0; i < count; i++)
        give_back(done[i].cookie, done[i].length);
    if (count > 3 || (count < 3 && bm_virtqueue_packed_ready(queue) && !queue->device->broken))
        abort(); // there was something, and neither was it taken nor refused
}

// The device's bytes go anywhere into the shared memory: the ring, both words of events.
static void scribble(struct bm_virtqueue *queue, uint8_t at, uint16_t value)
{
    uint16_t *shared = (uint16_t *)(void *)queue->descriptors;
    shared[at % (queue->size * sizeof(struct bm_virtqueue_slot) / 2 + 4)] = value;
}

// The device returns a chain where the driver looks, so that inputs come past the first one.
static void answer(struct bm_virtqueue *queue, uint8_t which, uint8_t length)
{
    uint16_t at = bm_virtqueue_packed_of(queue)->used_at;
    struct bm_virtqueue_slot *slot = &bm_virtqueue_slots(queue)[at & (BM_VIRTQUEUE_WRAP - 1)];
    uint32_t flags = at & BM_VIRTQUEUE_WRAP ? BM_VIRTQUEUE_AVAILABLE | BM_VIRTQUEUE_USED : 0;
    slot->length = length;
    slot->word = which % queue->size | flags << BM_VIRTQUEUE_FLAGS_SHIFT;
}

static void step(struct bm_virtqueue *queue, const uint8_t *bytes)
{
    switch (bytes[0] % 6) {
    case 0:
        add(queue, bytes[1]);
        break;
    case 1:
        bm_virtqueue_packed_kick(queue);
        break;
    case 2:
        take(queue);
        break;
    case 3:
        scribble(queue, bytes[1], (uint16_t)(bytes[2] | bytes[3] << 8));
        break;
    case 4:
        answer(queue, bytes[1], bytes[2]);
        break;
    default:
        bm_virtqueue_packed_arm(queue, bytes[1] % 4 + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bm_virtio_device device = {.transport = &transport};
    struct bm_virtqueue queue;
    if (size < 1)
        return 0;
    device.features = data[0] & 1 ? BM_VIRTIO_F_EVENT_IDX : 0;
    queue_slots = data[0] / 2 % 32 + 1;
    chain_count = chains_out = 0;
    if (bm_virtqueue_packed_create(&queue, &device, 0, queue_slots))
        abort();
    for (size_t at = 1; at + 4 <= size; at += 4)
        step(&queue, data + at);
    bm_virtio_fail(&device, "test");
    struct chain *chain;
    while ((chain = bm_virtqueue_packed_abandon(&queue)))
        give_back(chain, 0);
    if (chains_out || queue.free_count != queue_slots)
        abort();
    free(queue.descriptors);
    free(bm_virtqueue_packed_of(&queue));
    return 0;
}
