// The virtio entropy device: feeds the kernel's random pool.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -device virtio-rng-pci
//
// Section numbers are those of the VIRTIO specification, version 1.2; the entropy device is section 5.4: one
// queue, into whose buffers the device writes random bytes. One buffer is asked for at boot. A machine whose
// CPU has no random numbers waits for it a moment, so that the program's first keys are good; otherwise boot
// goes on and the bytes are mixed in when they come.
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/random.h>
#include <baremetal/time.h>
#include <baremetal/virtio.h>
#include <baremetal/wait.h>

enum {
    BUFFER_SIZE = 64,                  // bytes asked for: 512 bits, twice what the pool needs
    BOOT_WAIT_MAX = 100 * 1000 * 1000, // ns
    RESEED_INTERVAL_SECONDS = 300      // then the pool is freshened
};

struct virtio_rng {
    struct bm_virtio_device *device;
    struct bm_virtqueue queue;
    struct bm_poller poller;
    uint64_t next;      // when the next bytes are to be asked for
    bool under_way;     // the device has the buffer
    bool due;           // it is time to ask again
    atomic_bool seeded; // bytes have come
    unsigned char buffer[BUFFER_SIZE];
};

static void virtio_rng_ask(struct virtio_rng *self)
{
    struct bm_dma_segment segment = {bm_dma_address(self->buffer), BUFFER_SIZE};
    self->due = false;
    self->under_way = bm_virtqueue_add(&self->queue, &segment, 0, 1, self) == 0;
    bm_virtqueue_kick(&self->queue);
}

static bool virtio_rng_poll(void *arg)
{
    struct virtio_rng *self = arg;
    struct bm_virtqueue_done done;
    if (self->device->broken)
        return false;
    if (self->due)
        virtio_rng_ask(self);
    if (!self->under_way || !bm_virtqueue_take(&self->queue, &done, 1))
        return false;
    bm_random_add("virtio_rng", self->buffer, done.length, 8 * done.length);
    __builtin_memset(self->buffer, 0, sizeof self->buffer);
    self->under_way = false;
    // A device that answers without bytes is asked again soon, but not in a loop.
    self->next = bm_time_monotonic() + (done.length ? RESEED_INTERVAL_SECONDS : 1) * 1000000000ull;
    if (done.length)
        atomic_store(&self->seeded, true);
    return true;
}

static bool virtio_rng_arm(void *arg)
{
    struct virtio_rng *self = arg;
    if (self->device->broken)
        return false;
    if (self->under_way)
        return bm_virtqueue_arm(&self->queue, 1);
    // Looking at the clock is for cores that have nothing better to do.
    self->due = bm_time_monotonic() >= self->next;
    return self->due;
}

static uint64_t virtio_rng_deadline(void *arg)
{
    struct virtio_rng *self = arg;
    if (self->device->broken)
        return UINT64_MAX;
    if (!self->under_way)
        return self->next;
    return self->device->interrupts ? UINT64_MAX : bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL;
}

// Ends the wait at boot.
static bool virtio_rng_seeded(void *arg)
{
    struct virtio_rng *self = arg;
    return atomic_load(&self->seeded) || self->device->broken;
}

static int virtio_rng_start(struct virtio_rng *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, 0);
    if (error)
        return error;
    bm_virtio_interrupt_start(self->device, 1);
    error = bm_virtqueue_create(&self->queue, self->device, 0, 1);
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queue");
        return error;
    }
    bm_virtio_ready(self->device);
    virtio_rng_ask(self);
    return 0;
}

static int virtio_rng_attach(struct bm_device *device)
{
    struct virtio_rng *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_rng));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    self->poller = (struct bm_poller){.name = "virtio_rng",
                                      .poll = virtio_rng_poll,
                                      .arm = virtio_rng_arm,
                                      .deadline = virtio_rng_deadline,
                                      .arg = self};
    device->state = self;
    int error = virtio_rng_start(self);
    if (error)
        return error;
    bm_poller_add(&self->poller);
    if (!bm_random_ready() && !bm_wait_until(virtio_rng_seeded, self, bm_time_monotonic() + BOOT_WAIT_MAX))
        bm_log_warn(device->name, "no random bytes within %u ms", BOOT_WAIT_MAX / 1000000);
    return 0;
}

static const struct bm_device_id virtio_rng_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_RNG},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_rng) = {.name = "virtio_rng", .ids = virtio_rng_ids, .attach = virtio_rng_attach};
