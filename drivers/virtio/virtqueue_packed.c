// Packed virtqueues (VIRTIO 1.2 section 2.8), with interrupts only when they are wanted.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// The device can write anything to the ring at any time: the one word of a slot that it returns is read once
// and checked against `entries`, which it cannot reach; how many slots the chain has is said there, too.
#include "virtqueue_packed.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <stddef.h>

enum { EVENTS_ENABLE = 0, EVENTS_DISABLE = 1, EVENTS_AT = 2 }; // flags of event suppression (section 2.8.14)
enum { SLOT = BM_VIRTQUEUE_WRAP - 1 };                         // of a place

// The place that lies so many slots behind, at most a round.
static inline uint16_t place_behind(const struct bm_virtqueue *queue, uint16_t place, unsigned slots)
{
    unsigned slot = (place & SLOT) + slots, wrap = place & BM_VIRTQUEUE_WRAP;
    if (slot >= queue->size) {
        slot -= queue->size;
        wrap ^= BM_VIRTQUEUE_WRAP;
    }
    return (uint16_t)(slot | wrap);
}

// The words of event suppression: a place, and flags above it.
static inline uint32_t *driver_events(const struct bm_virtqueue *queue)
{
    return (uint32_t *)(void *)queue->available;
}

static inline const uint32_t *device_events(const struct bm_virtqueue *queue)
{
    return (const uint32_t *)(const void *)queue->used;
}

static size_t shared_size(unsigned size)
{
    return size * sizeof(struct bm_virtqueue_slot) + 2 * sizeof(uint32_t);
}

// The queue as it is at first: the rounds' bits are 1 (section 2.8.1).
static __attribute__((cold)) void clear(struct bm_virtqueue *queue)
{
    __builtin_memset(queue->descriptors, 0, shared_size(queue->size));
    *bm_virtqueue_packed_of(queue) =
        (struct bm_virtqueue_packed){.available_at = BM_VIRTQUEUE_WRAP, .used_at = BM_VIRTQUEUE_WRAP};
    queue->available_index = queue->notified_index = queue->used_index = 0;
    queue->free_first = 0;
    queue->free_count = queue->size;
    for (unsigned i = 0; i < queue->size; i++)
        queue->entries[i] = (struct bm_virtqueue_entry){.next = (uint16_t)(i + 1)};
    bm_virtqueue_packed_disarm(queue);
}

// Gives the queue its memory: the ring, behind it the driver's and the device's word.
static __attribute__((cold)) int allocate(struct bm_virtqueue *queue, unsigned size)
{
    unsigned order = bm_frame_order(shared_size(size));
    size_t own = sizeof(struct bm_virtqueue_packed) + size * sizeof *queue->entries;
    unsigned char *shared = bm_frame_allocate(order);
    struct bm_virtqueue_packed *packed = shared ? bm_memory_permanent(own, 64) : NULL;
    if (!packed) {
        bm_frame_free(shared, order);
        return -BM_ENOMEM;
    }
    unsigned char *events = shared + size * sizeof(struct bm_virtqueue_slot);
    queue->size = (uint16_t)size;
    queue->descriptors = (struct bm_virtqueue_descriptor *)(void *)shared;
    queue->available = (struct bm_virtqueue_available *)(void *)events;
    queue->used = (struct bm_virtqueue_used *)(void *)(events + sizeof(uint32_t));
    queue->entries = (struct bm_virtqueue_entry *)(void *)(packed + 1);
    clear(queue);
    return 0;
}

__attribute__((cold)) int bm_virtqueue_packed_create(struct bm_virtqueue *queue,
                                                     struct bm_virtio_device *device, unsigned number,
                                                     unsigned max)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(max >= 1 && max <= BM_VIRTQUEUE_SIZE_MAX,
              "a queue has from 1 to BM_VIRTQUEUE_SIZE_MAX descriptors");
    unsigned offered = device->transport->queue_size(device, number);
    if (offered == 0)
        return -BM_ENOENT;
    *queue = (struct bm_virtqueue){.device = device,
                                   .number = (uint16_t)number,
                                   .packed = true,
                                   .event_index = device->features & BM_VIRTIO_F_EVENT_IDX};
    int error = allocate(queue, offered < max ? offered : max);
    if (error)
        return error;
    unsigned interrupt = BM_VIRTIO_NO_INTERRUPT; // as for split ones
    if (device->interrupts)
        interrupt = device->interrupts > 1 ? 1 + number % (device->interrupts - 1) : 0;
    queue->interrupt = (uint16_t)interrupt;
    return device->transport->queue_enable(device, queue, interrupt);
}

int bm_virtqueue_packed_restart(struct bm_virtqueue *queue)
{
    BM_ASSERT_NO_HANDLER();
    clear(queue);
    return queue->device->transport->queue_enable(queue->device, queue, queue->interrupt);
}

int bm_virtqueue_packed_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments,
                            unsigned readable, unsigned writable, void *cookie)
{
    struct bm_virtqueue_chain chain;
    BM_ASSERT(cookie, "the cookie of a chain must not be NULL");
    bm_virtqueue_packed_chain_start(queue, &chain);
    for (unsigned i = 0; i < readable + writable; i++)
        if (!bm_virtqueue_packed_chain_put(queue, &chain, segments[i].address, segments[i].length,
                                           i < readable ? 0 : BM_VIRTQUEUE_WRITE))
            return -BM_EAGAIN;
    if (chain.count == 0)
        return -BM_EAGAIN;
    bm_virtqueue_packed_chain_add(queue, &chain, cookie);
    return 0;
}

// Whether the device wants to be told of the `added` slots up to the driver's place (section 2.8.22.3.1). A
// place of another round lies a ring's length before its slot.
static inline bool is_told(const struct bm_virtqueue *queue, uint16_t added)
{
    uint32_t events = __atomic_load_n(device_events(queue), __ATOMIC_RELAXED);
    unsigned flags = events >> BM_VIRTQUEUE_FLAGS_SHIFT & 3;
    if (flags != EVENTS_AT || !queue->event_index)
        return flags != EVENTS_DISABLE;
    uint16_t now = bm_virtqueue_packed_of(queue)->available_at, event = events & SLOT;
    if ((now ^ events) & BM_VIRTQUEUE_WRAP)
        event -= queue->size;
    return (uint16_t)((now & SLOT) - event - 1) < added;
}

void bm_virtqueue_packed_kick(struct bm_virtqueue *queue)
{
    struct bm_virtqueue_packed *packed = bm_virtqueue_packed_of(queue);
    uint16_t added = packed->added;
    if (!added)
        return;
    // Section 2.8.21.1: all else of the chains is visible before the first word; 2.8.22.3: that before the
    // device's wish is read.
    __atomic_store_n(&bm_virtqueue_slots(queue)[packed->hidden_at].word, packed->hidden, __ATOMIC_RELEASE);
    packed->hidden = 0;
    packed->added = 0;
    queue->notified_index = queue->available_index;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (is_told(queue, added))
        queue->device->transport->notify(queue);
}

static inline void release(struct bm_virtqueue *queue, uint16_t id)
{
    struct bm_virtqueue_entry *entry = &queue->entries[id];
    BM_ASSERT_HERE(entry->count && queue->free_count + entry->count <= queue->size,
                   "a chain that comes back is no longer than the queue");
    queue->free_count += entry->count;
    entry->count = 0;
    entry->next = queue->free_first;
    queue->free_first = id;
}

// Reads the next slot, which the device has returned. Returns what is wrong with it, or NULL.
static inline const char *take_one(struct bm_virtqueue *queue, struct bm_virtqueue_done *done)
{
    struct bm_virtqueue_packed *packed = bm_virtqueue_packed_of(queue);
    const struct bm_virtqueue_slot *slot = &bm_virtqueue_slots(queue)[packed->used_at & SLOT];
    uint32_t written = __atomic_load_n(&slot->length, __ATOMIC_RELAXED);
    uint16_t id = (uint16_t)__atomic_load_n(&slot->word, __ATOMIC_RELAXED);
    if (BM_UNLIKELY(id >= queue->size || queue->entries[id].count == 0))
        return "returned a buffer that it does not have";
    const struct bm_virtqueue_entry *entry = &queue->entries[id];
    if (entry->capacity == 0) // a length is only promised for buffers that the device writes
        written = 0;
    if (BM_UNLIKELY(written > entry->capacity))
        return "claims to have written more than a buffer holds";
    *done = (struct bm_virtqueue_done){entry->cookie, written};
    uint16_t next = place_behind(queue, packed->used_at, entry->count);
    __atomic_store_n(&packed->used_at, next, __ATOMIC_RELAXED);
    queue->used_index++;
    release(queue, id);
    return NULL;
}

unsigned bm_virtqueue_packed_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max)
{
    unsigned count = 0;
    while (count < max && !queue->device->broken && bm_virtqueue_packed_ready(queue)) {
        const char *wrong = take_one(queue, &done[count]);
        if (BM_UNLIKELY(wrong != NULL)) {
            bm_virtio_fail(queue->device, wrong);
            break;
        }
        count++;
    }
    return count;
}

bool bm_virtqueue_packed_arm(struct bm_virtqueue *queue, unsigned chains)
{
    BM_ASSERT(chains, "an interrupt is for one chain at least");
    uint32_t events = (uint32_t)EVENTS_ENABLE << BM_VIRTQUEUE_FLAGS_SHIFT;
    if (queue->event_index) {
        // Which slots the next chains have only the device knows: their share of those that are under way, at
        // the latest when all are done.
        unsigned under_way = (uint16_t)(queue->available_index - queue->used_index), ahead = 0;
        unsigned slots = (unsigned)queue->size - queue->free_count;
        if (chains > 1 && under_way)
            ahead = chains <= under_way ? slots * (chains - 1) / under_way : slots - 1;
        events = (uint32_t)EVENTS_AT << BM_VIRTQUEUE_FLAGS_SHIFT |
                 place_behind(queue, bm_virtqueue_packed_of(queue)->used_at, ahead);
    }
    __atomic_store_n(driver_events(queue), events, __ATOMIC_RELAXED);
    // The wish is visible before the slot is read, or both sides could miss each other (section 2.8.22).
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return bm_virtqueue_packed_ready(queue);
}

void bm_virtqueue_packed_disarm(struct bm_virtqueue *queue)
{
    __atomic_store_n(driver_events(queue), (uint32_t)EVENTS_DISABLE << BM_VIRTQUEUE_FLAGS_SHIFT,
                     __ATOMIC_RELAXED);
}

__attribute__((cold)) void *bm_virtqueue_packed_abandon(struct bm_virtqueue *queue)
{
    for (unsigned i = 0; queue->device->silent && queue->free_count < queue->size && i < queue->size; i++) {
        if (queue->entries[i].count == 0)
            continue;
        release(queue, (uint16_t)i);
        return queue->entries[i].cookie;
    }
    return NULL;
}
