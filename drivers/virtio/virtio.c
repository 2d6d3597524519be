// Virtio devices: reset, features, configuration and failure, over any transport.
// SPDX-License-Identifier: MIT
//
// Section numbers are those of the VIRTIO specification, version 1.2.
#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <baremetal/virtio.h>

// Device status bits (section 2.1).
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, FAILED = 128 };

// Resets the device and waits until it says so (section 2.4.2). Returns its status: 0 when it did, GONE when
// there is no device any more, which is as silent.
static uint8_t bm_virtio_reset(struct bm_virtio_device *device)
{
    enum { RESET_TIME_MAX = 100 * 1000 * 1000 }; // ns
    uint64_t end = bm_time_monotonic() + RESET_TIME_MAX;
    uint8_t status;
    device->transport->status_set(device, 0);
    do {
        status = device->transport->status_get(device);
    } while (status != 0 && status != BM_VIRTIO_GONE && bm_time_monotonic() < end);
    return status;
}

static void bm_virtio_status_add(struct bm_virtio_device *device, uint8_t bits)
{
    device->transport->status_set(device, device->transport->status_get(device) | bits);
}

int bm_virtio_begin(struct bm_virtio_device *device, uint64_t *features)
{
    BM_ASSERT_NO_HANDLER();
    // 1. Reset the device.
    if (bm_virtio_reset(device)) {
        bm_virtio_fail(device, "does not come out of reset");
        return -BM_EIO;
    }
    // 2. The guest has noticed the device. 3. It has a driver.
    device->transport->status_set(device, ACKNOWLEDGE);
    device->transport->status_set(device, ACKNOWLEDGE | DRIVER);
    // 4. Read the feature bits.
    *features = device->transport->features_get(device);
    if (!(*features & BM_VIRTIO_F_VERSION_1)) {
        bm_virtio_fail(device, "is a legacy device (before virtio 1.0), which is not supported");
        return -BM_EIO;
    }
    return 0;
}

int bm_virtio_negotiate(struct bm_virtio_device *device, uint64_t wanted)
{
    BM_ASSERT((device->transport->status_get(device) & (DRIVER | FEATURES_OK)) == DRIVER,
              "bm_virtio_begin comes before it, once");
    // 4. Write those that are understood. Addresses are physical here, which is what ACCESS_PLATFORM without
    // an IOMMU means too.
    wanted |= BM_VIRTIO_F_VERSION_1 | BM_VIRTIO_F_EVENT_IDX | BM_VIRTIO_F_ACCESS_PLATFORM;
    device->features = wanted & device->transport->features_get(device);
    device->transport->features_set(device, device->features);
    // 5. FEATURES_OK. 6. Read it back: the device may refuse.
    if (device->legacy) // there is no such step (section 3.1.2)
        return 0;
    bm_virtio_status_add(device, FEATURES_OK);
    if (device->transport->status_get(device) & FEATURES_OK)
        return 0;
    bm_virtio_fail(device, "refuses the features that the driver chose");
    return -BM_EIO;
}

// Of the checked build: old devices do not say.
static inline bool negotiated(struct bm_virtio_device *device)
{
    return device->legacy || device->broken || device->transport->status_get(device) & FEATURES_OK;
}

void bm_virtio_interrupt_start(struct bm_virtio_device *device, unsigned queues)
{
    const struct bm_virtio_transport *transport = device->transport;
    BM_ASSERT(negotiated(device), "bm_virtio_negotiate comes before it");
    BM_ASSERT(!(transport->status_get(device) & DRIVER_OK), "it comes before bm_virtio_ready");
    int count = transport->interrupt_start(device, 1 + queues);
    // Interrupt 0 tells of changes of the configuration, the others (or the same one) of queues.
    for (int i = 0; i < count; i++)
        if (transport->interrupt_set(device, (unsigned)i, i == 0 ? &device->config_changed : NULL))
            count = -BM_ENOSPC;
    if (count > 0 && transport->config_interrupt(device, 0))
        count = -BM_EIO;
    device->interrupts = count > 0 ? (unsigned)count : 0;
    if (device->interrupts == 0 && !device->line)
        bm_log_warn(device->device.name, "has no interrupts of its own: it is polled, which is slow");
}

int bm_virtio_config_core_set(struct bm_virtio_device *device, unsigned core)
{
    return device->interrupts ? device->transport->interrupt_aim(device, 0, core) : 0;
}

void bm_virtio_ready(struct bm_virtio_device *device)
{
    BM_ASSERT(negotiated(device), "bm_virtio_negotiate comes before it");
    BM_ASSERT(!(device->transport->status_get(device) & DRIVER_OK), "a device becomes ready once");
    bm_virtio_status_add(device, DRIVER_OK);
}

void bm_virtio_fail(struct bm_virtio_device *device, const char *why)
{
    if (__atomic_exchange_n(&device->broken, true, __ATOMIC_RELAXED)) // by another queue's core, perhaps
        return;
    bm_log_error(device->device.name, "device %s; it was switched off", why);
    // After the reset the device writes no more; FAILED tells those outside why it lies idle (section 3.1.1).
    uint8_t status = bm_virtio_reset(device);
    device->silent = status == 0 || status == BM_VIRTIO_GONE;
    device->transport->status_set(device, FAILED);
}

uint32_t bm_virtio_config_read(struct bm_virtio_device *device, unsigned offset, unsigned size)
{
    BM_ASSERT(size == 1 || size == 2 || size == 4, "a field of the configuration has 1, 2 or 4 bytes");
    return device->transport->config_read(device, offset, size);
}

void bm_virtio_config_stable(struct bm_virtio_device *device, void (*read)(struct bm_virtio_device *, void *),
                             void *arg)
{
    enum { TRIES = 16 }; // a device that changes for ever is not waited for
    uint32_t generation;
    int tries = TRIES;
    do {
        generation = device->transport->config_generation(device);
        read(device, arg);
    } while (device->transport->config_generation(device) != generation && --tries);
}
