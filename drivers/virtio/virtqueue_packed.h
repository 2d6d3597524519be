// Packed virtqueues (VIRTIO 1.2 section 2.8), beside split ones: what a driver's queue file is compiled with
// a second time, for images that link baremetal::virtio_packed.
// SPDX-License-Identifier: MIT
//
// The inline functions of <baremetal/virtio.h> have the same names here and know both kinds of queue; the
// others are led to virtqueue_rings.c by the linker. So images with split queues alone hold nothing of this.
//
// A queue has one ring of descriptors. The driver makes those available that follow each other, and the
// device marks them as used, each side with a bit that changes at every round. A chain's slots follow each
// other; its number, the buffer id, is free to choose: the place in `entries`, which the device cannot reach.
#pragma once

#include <baremetal/virtio.h>

struct bm_virtqueue_slot {
    uint64_t address;
    uint32_t length;
    uint32_t word; // buffer id, and flags above it (BM_VIRTQUEUE_NEXT and so on, and the two bits below)
};
_Static_assert(sizeof(struct bm_virtqueue_slot) == sizeof(struct bm_virtqueue_descriptor),
               "descriptors of both kinds have the same size");

enum { BM_VIRTQUEUE_AVAILABLE = 1 << 7, BM_VIRTQUEUE_USED = 1 << 15, BM_VIRTQUEUE_FLAGS_SHIFT = 16 };
enum { BM_VIRTQUEUE_WRAP = 1 << 15 }; // of a place in the ring: the round's bit, above the slot

// What a packed queue has besides, in front of its `entries`. `descriptors` is its ring, `available` and
// `used` are the driver's and the device's event suppression (section 2.8.14), one word each.
struct bm_virtqueue_packed {
    uint16_t available_at, used_at; // places: the next one for a chain, the next one that the device returns
    uint16_t added;                 // slots that were taken since the device was told last
    uint16_t hidden_at;             // the slot of the first chain that it has not been shown …
    uint32_t hidden;                // … and its word; 0: there is none
} __attribute__((aligned(16)));

static inline struct bm_virtqueue_packed *bm_virtqueue_packed_of(const struct bm_virtqueue *queue)
{
    return (struct bm_virtqueue_packed *)(void *)queue->entries - 1;
}

static inline struct bm_virtqueue_slot *bm_virtqueue_slots(const struct bm_virtqueue *queue)
{
    return (struct bm_virtqueue_slot *)(void *)queue->descriptors;
}

// As bm_virtqueue_chain_start.
static inline void bm_virtqueue_packed_chain_start(const struct bm_virtqueue *queue,
                                                   struct bm_virtqueue_chain *chain)
{
    uint16_t slot = bm_virtqueue_packed_of(queue)->available_at & (BM_VIRTQUEUE_WRAP - 1);
    *chain = (struct bm_virtqueue_chain){.first = slot, .next = slot};
}

// As bm_virtqueue_chain_put. The slot's word stays as the device has left it, which means that it is not
// available. Of the chain, `last` counts the pieces that the device reads.
static inline bool bm_virtqueue_packed_chain_put(struct bm_virtqueue *queue, struct bm_virtqueue_chain *chain,
                                                 uint64_t address, uint32_t length, uint16_t flags)
{
    BM_ASSERT_HERE(chain->count <= queue->free_count, "a queue has one chain at a time on its way in");
    BM_ASSERT_HERE(!(chain->last_flags & ~(unsigned)flags),
                   "what the device reads must come before what it writes");
    BM_ASSERT_HERE(length, "a piece of a chain has at least a byte");
    if (__builtin_expect(chain->count == queue->free_count, 0))
        return false;
    struct bm_virtqueue_slot *slot = &bm_virtqueue_slots(queue)[chain->next];
    slot->address = address;
    slot->length = length;
    chain->last += !flags;
    chain->last_flags = flags;
    chain->next = chain->next + 1 == queue->size ? 0 : (uint16_t)(chain->next + 1);
    chain->count++;
    chain->capacity += flags ? length : 0;
    return true;
}

// As bm_virtqueue_chain_add. The first word of what the device has not been shown is kept back: it looks no
// further than there (section 2.8.21).
static inline void bm_virtqueue_packed_chain_add(struct bm_virtqueue *queue,
                                                 const struct bm_virtqueue_chain *chain, void *cookie)
{
    struct bm_virtqueue_packed *packed = bm_virtqueue_packed_of(queue);
    BM_ASSERT_HERE(cookie, "the cookie of a chain must not be NULL");
    BM_ASSERT_HERE(chain->count, "a chain must have one piece at least");
    BM_ASSERT_HERE(chain->count <= queue->free_count &&
                       chain->first == (packed->available_at & (BM_VIRTQUEUE_WRAP - 1)),
                   "a chain must be added once, and before the next one starts");
    uint16_t id = queue->free_first, slot = chain->first, wrap = packed->available_at & BM_VIRTQUEUE_WRAP;
    struct bm_virtqueue_entry *entry = &queue->entries[id];
    queue->free_first = entry->next;
    queue->free_count -= chain->count;
    entry->cookie = cookie;
    entry->capacity = chain->capacity;
    entry->count = chain->count;
    for (unsigned i = 0; i < chain->count; i++) {
        uint32_t flags = (i < chain->last ? 0 : BM_VIRTQUEUE_WRITE) |
                         (i + 1 < chain->count ? BM_VIRTQUEUE_NEXT : 0) |
                         (wrap ? BM_VIRTQUEUE_AVAILABLE : BM_VIRTQUEUE_USED);
        uint32_t word = id | flags << BM_VIRTQUEUE_FLAGS_SHIFT;
        if (packed->hidden) {
            __atomic_store_n(&bm_virtqueue_slots(queue)[slot].word, word, __ATOMIC_RELAXED);
        } else {
            packed->hidden_at = slot;
            packed->hidden = word;
        }
        if (++slot == queue->size) {
            slot = 0;
            wrap ^= BM_VIRTQUEUE_WRAP;
        }
    }
    packed->available_at = slot | wrap;
    packed->added += chain->count;
    queue->available_index++;
}

// As bm_virtqueue_ready: both bits of the next slot are those of the device's round.
static inline bool bm_virtqueue_packed_ready(const struct bm_virtqueue *queue)
{
    uint16_t at = __atomic_load_n(&bm_virtqueue_packed_of(queue)->used_at, __ATOMIC_RELAXED);
    const struct bm_virtqueue_slot *slot = &bm_virtqueue_slots(queue)[at & (BM_VIRTQUEUE_WRAP - 1)];
    uint32_t flags = __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE) >> BM_VIRTQUEUE_FLAGS_SHIFT;
    uint32_t both = BM_VIRTQUEUE_AVAILABLE | BM_VIRTQUEUE_USED;
    return (flags & both) == (at & BM_VIRTQUEUE_WRAP ? both : 0);
}

// virtqueue_packed.c: the functions of <baremetal/virtio.h> for packed queues. The size of one is any number
// from 1 on, not only a power of two. bm_virtqueue_packed_arm may return true, too, when fewer chains than
// asked for are done.
int bm_virtqueue_packed_create(struct bm_virtqueue *queue, struct bm_virtio_device *device, unsigned number,
                               unsigned max);
int bm_virtqueue_packed_restart(struct bm_virtqueue *queue);
int bm_virtqueue_packed_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments,
                            unsigned readable, unsigned writable, void *cookie);
void bm_virtqueue_packed_kick(struct bm_virtqueue *queue);
unsigned bm_virtqueue_packed_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max);
bool bm_virtqueue_packed_arm(struct bm_virtqueue *queue, unsigned chains);
void bm_virtqueue_packed_disarm(struct bm_virtqueue *queue);
void *bm_virtqueue_packed_abandon(struct bm_virtqueue *queue);
