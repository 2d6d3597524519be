// Split virtqueues (VIRTIO 1.2 section 2.7), with interrupts only when they are wanted.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// The device can write to the used ring at any time and anything it likes, so each word of it is read once
// and then checked against `entries`, which the device cannot reach. The descriptor table is written, never
// read.
#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/virtio.h>
#include <stddef.h>

enum { AVAILABLE_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

#define bm_virtqueue_unlikely(condition) __builtin_expect(!!(condition), 0)

// The driver's wish, behind the available ring: an interrupt when the used index passes this value
// (section 2.7.10).
static inline uint16_t *bm_virtqueue_used_event(const struct bm_virtqueue *queue)
{
    return &queue->available->ring[queue->size];
}

// The device's wish, behind the used ring: a notification when the available index passes this value
// (section 2.7.10).
static inline uint16_t bm_virtqueue_available_event(const struct bm_virtqueue *queue)
{
    return __atomic_load_n((const uint16_t *)&queue->used->ring[queue->size], __ATOMIC_RELAXED);
}

// Bytes of the shared structures, which follow each other in one block (section 2.7: alignments 16, 2 and 4;
// the used ring of an old device starts on a page, section 2.7.2).
static __attribute__((cold)) size_t bm_virtqueue_used_offset(unsigned size, bool legacy)
{
    size_t align = legacy ? BM_PAGE_SIZE : 4;
    size_t end = size * sizeof(struct bm_virtqueue_descriptor) + sizeof(struct bm_virtqueue_available) +
                 (size + 1) * sizeof(uint16_t);
    return (end + align - 1) & ~(align - 1);
}

// Gives the queue its memory, all descriptors free.
static __attribute__((cold)) int bm_virtqueue_allocate(struct bm_virtqueue *queue, unsigned size)
{
    size_t used_offset = bm_virtqueue_used_offset(size, queue->device->legacy);
    size_t bytes = used_offset + sizeof(struct bm_virtqueue_used) +
                   size * sizeof(struct bm_virtqueue_used_element) + sizeof(uint16_t);
    unsigned order = bm_frame_order(bytes);
    unsigned char *shared = bm_frame_allocate(order);
    struct bm_virtqueue_entry *entries = shared ? bm_memory_permanent(size * sizeof *entries, 64) : NULL;
    if (!entries) {
        bm_frame_free(shared, order);
        return -BM_ENOMEM;
    }
    __builtin_memset(shared, 0, bytes);
    queue->size = (uint16_t)size;
    queue->descriptors = (struct bm_virtqueue_descriptor *)shared;
    queue->available =
        (struct bm_virtqueue_available *)(shared + size * sizeof(struct bm_virtqueue_descriptor));
    queue->used = (struct bm_virtqueue_used *)(shared + used_offset);
    queue->entries = entries;
    queue->free_count = (uint16_t)size;
    for (unsigned i = 0; i < size; i++)
        entries[i] = (struct bm_virtqueue_entry){.next = (uint16_t)(i + 1)};
    return 0;
}

// Of the checked build (section 2.1: DRIVER_OK).
static inline bool ready(struct bm_virtio_device *device)
{
    return !device->broken && device->transport->status_get(device) & 4;
}

__attribute__((cold)) int bm_virtqueue_create(struct bm_virtqueue *queue, struct bm_virtio_device *device,
                                              unsigned number, unsigned max)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(max >= 1 && max <= BM_VIRTQUEUE_SIZE_MAX,
              "a queue has from 1 to BM_VIRTQUEUE_SIZE_MAX descriptors");
    BM_ASSERT(!ready(device), "queues are made before bm_virtio_ready");
    unsigned offered = device->transport->queue_size(device, number);
    if (offered == 0)
        return -BM_ENOENT;
    // A queue's size is a power of two (section 2.7); the driver may choose a smaller one than offered, but
    // for old devices on PCI.
    if (device->sizes_fixed)
        max = BM_VIRTQUEUE_SIZE_MAX;
    unsigned size = 1;
    while (size * 2 <= offered && size * 2 <= max && size * 2 <= BM_VIRTQUEUE_SIZE_MAX)
        size *= 2;
    *queue = (struct bm_virtqueue){.device = device,
                                   .number = (uint16_t)number,
                                   .event_index = device->features & BM_VIRTIO_F_EVENT_IDX};
    int error = bm_virtqueue_allocate(queue, size);
    if (error)
        return error;
    bm_virtqueue_disarm(queue);
    unsigned interrupt = BM_VIRTIO_NO_INTERRUPT;
    if (device->interrupts > 1)
        interrupt = 1 + number % (device->interrupts - 1);
    else if (device->interrupts == 1)
        interrupt = 0;
    queue->interrupt = (uint16_t)interrupt;
    return device->transport->queue_enable(device, queue, interrupt);
}

__attribute__((cold)) int bm_virtqueue_core_set(struct bm_virtqueue *queue, unsigned core)
{
    struct bm_virtio_device *device = queue->device;
    return device->interrupts ? device->transport->interrupt_aim(device, queue->interrupt, core) : 0;
}

int bm_virtqueue_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments, unsigned readable,
                     unsigned writable, void *cookie)
{
    struct bm_virtqueue_chain chain;
    BM_ASSERT(cookie, "the cookie of a chain must not be NULL");
    bm_virtqueue_chain_start(queue, &chain);
    for (unsigned i = 0; i < readable + writable; i++)
        if (!bm_virtqueue_chain_put(queue, &chain, segments[i].address, segments[i].length,
                                    i < readable ? 0 : BM_VIRTQUEUE_WRITE))
            return -BM_EAGAIN;
    if (chain.count == 0)
        return -BM_EAGAIN;
    bm_virtqueue_chain_add(queue, &chain, cookie);
    return 0;
}

void bm_virtqueue_kick(struct bm_virtqueue *queue)
{
    uint16_t now = queue->available_index, before = queue->notified_index;
    if (now == before)
        return;
    // Section 2.7.13.3: the ring's entries are visible before the index; 2.7.13.4: the index before the
    // device's wish is read.
    __atomic_store_n(&queue->available->index, now, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    queue->notified_index = now;
    bool wanted;
    if (queue->event_index)
        wanted = (uint16_t)(now - bm_virtqueue_available_event(queue) - 1) < (uint16_t)(now - before);
    else
        wanted = !(__atomic_load_n(&queue->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY);
    if (wanted)
        queue->device->transport->notify(queue);
}

// Puts the chain that starts at `first` back into the free list.
static inline void bm_virtqueue_release(struct bm_virtqueue *queue, uint16_t first)
{
    struct bm_virtqueue_entry *entries = queue->entries;
    uint16_t last = first, count = entries[first].count;
    BM_ASSERT_HERE(count && queue->free_count + count <= queue->size,
                   "a chain that comes back is no longer than the queue");
    for (unsigned i = 1; i < count; i++)
        last = entries[last].next;
    entries[last].next = queue->free_first;
    entries[first].count = 0;
    queue->free_first = first;
    queue->free_count += count;
}

// Reads an element of the used ring. Returns what is wrong with it, or NULL.
static inline const char *bm_virtqueue_take_one(struct bm_virtqueue *queue, struct bm_virtqueue_done *done)
{
    const struct bm_virtqueue_used_element *element =
        &queue->used->ring[queue->used_index & (queue->size - 1)];
    uint32_t id = __atomic_load_n(&element->id, __ATOMIC_RELAXED);
    uint32_t written = __atomic_load_n(&element->length, __ATOMIC_RELAXED);
    if (bm_virtqueue_unlikely(id >= queue->size || queue->entries[id].count == 0))
        return "returned a buffer that it does not have";
    const struct bm_virtqueue_entry *entry = &queue->entries[id];
    // A length is only promised for buffers that the device writes; some devices put one there for the others
    // too.
    if (entry->capacity == 0)
        written = 0;
    if (bm_virtqueue_unlikely(written > entry->capacity))
        return "claims to have written more than a buffer holds";
    *done = (struct bm_virtqueue_done){entry->cookie, written};
    queue->used_index++;
    bm_virtqueue_release(queue, (uint16_t)id);
    return NULL;
}

unsigned bm_virtqueue_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max)
{
    if (bm_virtqueue_unlikely(queue->device->broken))
        return 0;
    // What the device claims beyond the chains that it has is found out by their ids.
    unsigned count = 0,
             ready = (uint16_t)(__atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE) - queue->used_index);
    if (ready > max)
        ready = max;
    while (count < ready) {
        const char *wrong = bm_virtqueue_take_one(queue, &done[count]);
        if (bm_virtqueue_unlikely(wrong != NULL)) {
            bm_virtio_fail(queue->device, wrong);
            break;
        }
        count++;
    }
    return count;
}

bool bm_virtqueue_arm(struct bm_virtqueue *queue, unsigned chains)
{
    BM_ASSERT(chains, "an interrupt is for one chain at least");
    uint16_t event = (uint16_t)(queue->used_index + chains - 1);
    if (queue->event_index)
        __atomic_store_n(bm_virtqueue_used_event(queue), event, __ATOMIC_RELAXED);
    else
        __atomic_store_n(&queue->available->flags, 0, __ATOMIC_RELAXED);
    // The wish is visible before the index is read, or both sides could miss each other (section 2.7.10).
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint16_t done = (uint16_t)(__atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE) - queue->used_index);
    return done >= chains;
}

void bm_virtqueue_disarm(struct bm_virtqueue *queue)
{
    // With an event index the wish is fulfilled once; an index that has just been passed is 65,535 buffers
    // away.
    if (queue->event_index)
        __atomic_store_n(bm_virtqueue_used_event(queue), (uint16_t)(queue->used_index - 1), __ATOMIC_RELAXED);
    else
        __atomic_store_n(&queue->available->flags, AVAILABLE_NO_INTERRUPT, __ATOMIC_RELAXED);
}

__attribute__((cold)) void *bm_virtqueue_abandon(struct bm_virtqueue *queue)
{
    for (unsigned i = 0; queue->device->silent && queue->free_count < queue->size && i < queue->size; i++) {
        if (queue->entries[i].count == 0)
            continue;
        bm_virtqueue_release(queue, (uint16_t)i);
        return queue->entries[i].cookie;
    }
    return NULL;
}
