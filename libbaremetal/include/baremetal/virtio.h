// Virtio: what the driver of a virtio device uses, whatever the transport.
// SPDX-License-Identifier: MIT
//
// Devices of virtio 1.0 and later (VIRTIO_F_VERSION_1), and old ones; split virtqueues, and with
// baremetal::virtio_packed packed ones of devices that have them. Section numbers are
// those of the Virtual I/O Device (VIRTIO) specification, version 1.2. Unless a function says otherwise it is
// for the driver that has the device, on any core, not in handlers. Everything that the device writes is
// checked here: a device that breaks the rules is reset and `broken`, and no memory but the buffers that it
// was given is ever touched for it.
//
// A driver's attach calls, in this order: bm_virtio_begin, bm_virtio_negotiate, bm_virtio_interrupt_start,
// bm_virtqueue_create for each queue, bm_virtio_ready.
#pragma once

#include <baremetal/assert.h>
#include <baremetal/compiler.h>
#include <baremetal/device.h>
#include <baremetal/memory.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Device types (section 5).
enum bm_virtio_type {
    BM_VIRTIO_NET = 1,
    BM_VIRTIO_BLOCK = 2,
    BM_VIRTIO_CONSOLE = 3,
    BM_VIRTIO_RNG = 4,
    BM_VIRTIO_BALLOON = 5,
    BM_VIRTIO_SCSI = 8,
    BM_VIRTIO_9P = 9,
    BM_VIRTIO_GPU = 16,
    BM_VIRTIO_VSOCK = 19
};

// Feature bits that belong to no device type (section 6).
#define BM_VIRTIO_F_INDIRECT_DESC   (1ull << 28)
#define BM_VIRTIO_F_EVENT_IDX       (1ull << 29)
#define BM_VIRTIO_F_VERSION_1       (1ull << 32)
#define BM_VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define BM_VIRTIO_F_RING_PACKED     (1ull << 34)

// What drivers ask of a device's status (section 2.1): it wants a reset, or it answers no more, having been
// removed (all ones, section 2.2.2 of PCI).
enum { BM_VIRTIO_NEEDS_RESET = 64, BM_VIRTIO_GONE = 0xff };

enum {
    BM_VIRTQUEUE_SIZE_MAX = 1024, // descriptors of a queue that are used; a larger queue is made smaller
    BM_VIRTIO_POLL_INTERVAL = 1000 * 1000 // nanoseconds between looks at a device that cannot interrupt
};

struct bm_virtio_device;
struct bm_virtqueue;

// What a transport does for a device (section 4).
struct bm_virtio_transport {
    uint8_t (*status_get)(struct bm_virtio_device *device);
    void (*status_set)(struct bm_virtio_device *device, uint8_t status);
    uint64_t (*features_get)(struct bm_virtio_device *device);
    void (*features_set)(struct bm_virtio_device *device, uint64_t features);
    // Reads `size` (1, 2 or 4) bytes of the device's configuration; all ones beyond its end.
    uint32_t (*config_read)(struct bm_virtio_device *device, unsigned offset, unsigned size);
    uint32_t (*config_generation)(struct bm_virtio_device *device);
    // How many descriptors queue `index` can have; 0 when there is no such queue.
    unsigned (*queue_size)(struct bm_virtio_device *device, unsigned index);
    // Tells the device where the queue is, which interrupt it raises (BM_VIRTIO_NO_INTERRUPT: none), and
    // switches it on. Sets queue->doorbell.
    int (*queue_enable)(struct bm_virtio_device *device, struct bm_virtqueue *queue, unsigned interrupt);
    void (*notify)(struct bm_virtqueue *queue);
    // Prepares up to `max` interrupts and returns how many there are, or -BM_ENODEV.
    int (*interrupt_start)(struct bm_virtio_device *device, unsigned max);
    // Lets interrupt `index` set *flag (NULL: none) and wake core 0.
    int (*interrupt_set)(struct bm_virtio_device *device, unsigned index, bm_atomic_bool *flag);
    // Aims interrupt `index` at another core.
    int (*interrupt_aim)(struct bm_virtio_device *device, unsigned index, unsigned core);
    // Lets changes of the configuration raise interrupt `index`.
    int (*config_interrupt)(struct bm_virtio_device *device, unsigned index);
};

#define BM_VIRTIO_NO_INTERRUPT 0xffffu // of a queue: it raises none

// A virtio device, whatever it hangs on.
struct bm_virtio_device {
    struct bm_device device; // first: bus BM_BUS_VIRTIO, device number = enum bm_virtio_type
    const struct bm_virtio_transport *transport; // how it is reached
    bool legacy;       // the interface of before virtio 1.0: 32 feature bits (VERSION_1 is added to them), no
                       // FEATURES_OK, used rings on a page of their own
    bool sizes_fixed;  // queues have the sizes that the device says: the same on PCI
    uint64_t features; // negotiated
    bm_atomic_bool config_changed; // set by the interrupt, cleared by the driver
    bool broken;                   // was reset for breaking the rules: nothing works any more
    bool silent;         // … and the reset has succeeded, or it is gone: it no longer writes to memory
    unsigned interrupts; // 0: the device has to be polled every BM_VIRTIO_POLL_INTERVAL
    bool line;           // it has none but a line, which counts as one from its first interrupt on
};

// The virtio device that a device of the bus BM_BUS_VIRTIO is part of.
static inline struct bm_virtio_device *bm_virtio_device_of(struct bm_device *device)
{
    return (struct bm_virtio_device *)device;
}

// Steps 1 to 4a of section 3.1.1: resets the device, says that there is a driver, returns in *features what
// the device offers. Returns 0, or -BM_EIO when the device does not come out of reset or does not offer
// VERSION_1.
int bm_virtio_begin(struct bm_virtio_device *device, uint64_t *features);

// Steps 4b to 6: takes those of `wanted` that are offered, and those that every device needs. Returns 0, or
// -BM_EIO when the device refuses them. Afterwards device->features holds the result.
int bm_virtio_negotiate(struct bm_virtio_device *device, uint64_t wanted);

// Step 7, interrupts: one for changes of the configuration and one for each of `queues` queues, or fewer that
// are shared. A device that has none is logged and has to be polled (device->interrupts is 0).
void bm_virtio_interrupt_start(struct bm_virtio_device *device, unsigned queues);

// Aims the interrupt of changes of the configuration at another core than 0. Returns 0 (also for a device
// that is polled) or -BM_EINVAL.
int bm_virtio_config_core_set(struct bm_virtio_device *device, unsigned core);

// Step 8: the device is live.
void bm_virtio_ready(struct bm_virtio_device *device);

// Steps 1 to 7 again with what was agreed on, for a device that is stuck or says that it needs a reset
// (section 2.1.2); bm_virtqueue_restart for each queue and bm_virtio_ready follow. Nobody is in its queues
// meanwhile. Returns 0 or -BM_EIO: the device is to be given up then.
int bm_virtio_restart(struct bm_virtio_device *device);

// Gives a device up: logs `why`, resets it (it then no longer writes to memory), and marks it as broken.
void bm_virtio_fail(struct bm_virtio_device *device, const char *why);

// Reads `size` (1, 2 or 4) bytes of the configuration; a field wider than 4 bytes or a set of fields has to
// be read between two equal generations: bm_virtio_config_stable calls read(device, arg) until it was
// (section 2.5.2).
uint32_t bm_virtio_config_read(struct bm_virtio_device *device, unsigned offset, unsigned size);
void bm_virtio_config_stable(struct bm_virtio_device *device, void (*read)(struct bm_virtio_device *, void *),
                             void *arg);

// Writes `size` (1, 2 or 4) bytes of the configuration, at a multiple of `size`: a field that the section of
// the device lets drivers write. Beyond its end nothing is written.
void bm_virtio_config_write(struct bm_virtio_device *device, unsigned offset, unsigned size, uint32_t value);

// --- Virtqueues ---

// The structures that driver and device share (section 2.7).
struct bm_virtqueue_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};
struct bm_virtqueue_available {
    uint16_t flags, index;
    uint16_t ring[]; // then used_event
};
struct bm_virtqueue_used_element {
    uint32_t id, length;
};
struct bm_virtqueue_used {
    uint16_t flags, index;
    struct bm_virtqueue_used_element ring[]; // then avail_event
};

// What the driver remembers of a descriptor, out of the device's reach.
struct bm_virtqueue_entry {
    void *cookie;      // of a chain's first descriptor
    uint32_t capacity; // bytes that the device may write to that chain
    uint16_t count;    // descriptors of that chain; 0: the device does not have a chain that starts here
    uint16_t next;     // in the chain or in the list of free descriptors
};

// A queue. One core at a time may be in it: its owner has a lock for that. Only the functions below touch the
// members.
struct bm_virtqueue {
    struct bm_virtio_device *device;
    struct bm_virtqueue_descriptor *descriptors;
    struct bm_virtqueue_available *available;
    struct bm_virtqueue_used *used;
    struct bm_virtqueue_entry *entries;
    volatile void *doorbell; // the transport's
    uint16_t number, size;
    uint16_t interrupt; // of the device's, or BM_VIRTIO_NO_INTERRUPT
    uint16_t free_first, free_count;
    uint16_t available_index; // chains added so far
    uint16_t notified_index;  // … when the device was last told
    uint16_t used_index;      // chains taken back so far
    bool event_index;         // VIRTIO_F_EVENT_IDX
    bool packed;              // VIRTIO_F_RING_PACKED: drivers/virtio/virtqueue_packed.h
};

// Step 7, queues: makes queue `number` with at most `max` descriptors (a power of two, at most
// BM_VIRTQUEUE_SIZE_MAX; as many as the device says where sizes are fixed) and switches it on. Returns 0,
// -BM_ENOENT when the device has no such queue, -BM_ENOMEM, or -BM_EIO.
int bm_virtqueue_create(struct bm_virtqueue *queue, struct bm_virtio_device *device, unsigned number,
                        unsigned max);

// The queue as it was made, after bm_virtio_restart: what was in it is forgotten. Returns 0 or -BM_EIO.
int bm_virtqueue_restart(struct bm_virtqueue *queue);

// Aims the queue's interrupt at another core than 0, and again; queues that share one move together. Returns
// 0 (also for a device that is polled) or -BM_EINVAL when the core does not run or is not reached.
int bm_virtqueue_core_set(struct bm_virtqueue *queue, unsigned core);

// A chain of descriptors on its way into a queue: bm_virtqueue_chain_start, then _put for each piece, first
// those that the device reads, then those that it writes, then _add. A chain that is not added was never
// there. Inline: this is the path of every packet. Only these functions touch the members.
struct bm_virtqueue_chain {
    uint16_t first, next, last;
    uint16_t count, last_flags;
    uint32_t capacity;
};
enum { BM_VIRTQUEUE_NEXT = 1, BM_VIRTQUEUE_WRITE = 2 };

// Begins an empty chain.
static inline void bm_virtqueue_chain_start(const struct bm_virtqueue *queue,
                                            struct bm_virtqueue_chain *chain)
{
    *chain = (struct bm_virtqueue_chain){.first = queue->free_first, .next = queue->free_first};
}

// Adds a piece of memory by its bm_dma_address (flags: 0, or BM_VIRTQUEUE_WRITE when the device writes it).
// Returns false when no descriptor is free.
static inline bool bm_virtqueue_chain_put(struct bm_virtqueue *queue, struct bm_virtqueue_chain *chain,
                                          uint64_t address, uint32_t length, uint16_t flags)
{
    BM_ASSERT_HERE(chain->count <= queue->free_count && chain->first == queue->free_first,
                   "a queue has one chain at a time on its way in");
    BM_ASSERT_HERE(!(chain->last_flags & ~(unsigned)flags),
                   "what the device reads must come before what it writes");
    BM_ASSERT_HERE(length, "a piece of a chain has at least a byte");
    if (__builtin_expect(chain->count == queue->free_count, 0))
        return false;
    uint16_t next = queue->entries[chain->next].next;
    queue->descriptors[chain->next] =
        (struct bm_virtqueue_descriptor){address, length, (uint16_t)(flags | BM_VIRTQUEUE_NEXT), next};
    chain->last = chain->next;
    chain->last_flags = flags;
    chain->next = next;
    chain->count++;
    chain->capacity += flags ? length : 0;
    return true;
}

// Lets the device claim to have written so many bytes more than the chain holds for it: some count what they
// have read, too. Nobody uses the length of such a chain.
static inline void bm_virtqueue_chain_allow(struct bm_virtqueue_chain *chain, uint32_t bytes)
{
    chain->capacity += bytes;
}

// Gives the chain, of one piece at least, to the queue; its cookie (not NULL) comes back through
// bm_virtqueue_take. Not visible to the device before bm_virtqueue_kick.
static inline void bm_virtqueue_chain_add(struct bm_virtqueue *queue, const struct bm_virtqueue_chain *chain,
                                          void *cookie)
{
    BM_ASSERT_HERE(cookie, "the cookie of a chain must not be NULL");
    BM_ASSERT_HERE(chain->count, "a chain must have one piece at least");
    BM_ASSERT_HERE(chain->count <= queue->free_count && chain->first == queue->free_first,
                   "a chain must be added once, and before the next one starts");
    queue->descriptors[chain->last].flags = chain->last_flags;
    queue->free_first = chain->next;
    queue->free_count -= chain->count;
    struct bm_virtqueue_entry *entry = &queue->entries[chain->first];
    entry->cookie = cookie;
    entry->capacity = chain->capacity;
    entry->count = chain->count;
    queue->available->ring[queue->available_index++ & (queue->size - 1)] = chain->first;
}

// Adds a chain: `readable` segments that the device reads, then `writable` ones that it writes; at least one
// in all. Returns 0; -BM_EAGAIN when too few descriptors are free.
int bm_virtqueue_add(struct bm_virtqueue *queue, const struct bm_dma_segment *segments, unsigned readable,
                     unsigned writable, void *cookie);

// Shows all chains added so far to the device, and rings its doorbell if it asked for that.
void bm_virtqueue_kick(struct bm_virtqueue *queue);

// A chain that the device is done with.
struct bm_virtqueue_done {
    void *cookie;    // that the chain was added with
    uint32_t length; // bytes that the device wrote, never more than the chain can hold
};

// Takes up to `max` chains that the device is done with, in its order. Returns how many: fewer when there
// are no more, or when the device broke the rules (device->broken is then set).
unsigned bm_virtqueue_take(struct bm_virtqueue *queue, struct bm_virtqueue_done *done, unsigned max);

// Whether bm_virtqueue_take has something to look at. Any context.
static inline bool bm_virtqueue_ready(const struct bm_virtqueue *queue)
{
    return __atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE) != queue->used_index;
}

// Asks for an interrupt once the device is done with `chains` more chains (1: the next one). It comes once;
// until then there is none. Returns whether they are done already (then no interrupt may come).
bool bm_virtqueue_arm(struct bm_virtqueue *queue, unsigned chains);

// Asks for no interrupts.
void bm_virtqueue_disarm(struct bm_virtqueue *queue);

// After bm_virtio_fail: takes back a chain that the device still had; NULL when there are none left, or when
// the device could not be silenced and may still write to them.
void *bm_virtqueue_abandon(struct bm_virtqueue *queue);

#ifdef __cplusplus
}
#endif
