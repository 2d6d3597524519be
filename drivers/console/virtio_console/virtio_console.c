// The virtio console device: a console, and named ports.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -device virtio-serial-pci -chardev socket,id=c,path=p.sock,server=on,wait=off
// -device virtconsole,chardev=c (microvm: virtio-serial-device)
//
// Section numbers are those of the VIRTIO specification, version 1.3; the console device is section 5.3. Port
// n has the queues 2n + 2 and 2n + 3, but for port 0, which has 0 and 1: those of the control messages are
// between. A device without VIRTIO_CONSOLE_F_MULTIPORT is one console, port 0.
#include "virtio_console.h"

#include "../../../libbaremetal/console/names.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <baremetal/time.h>

#define F_MULTIPORT (1ull << 1)

enum { PORT_COUNT = 4 }; // offset in the configuration (section 5.3.4)

struct virtio_console *bm_virtio_console_first;

static bool virtio_console_poll(void *arg)
{
    struct virtio_console *self = arg;
    if (self->device->broken)
        return !atomic_exchange(&self->broken_told, true);
    bool worked = self->several && bm_virtio_console_control_poll(self);
    for (unsigned i = 0; i < self->port_count; i++)
        if (atomic_load(&self->ports[i].added))
            worked |= bm_virtio_console_port_poll(&self->ports[i]);
    return worked;
}

static bool virtio_console_arm(void *arg)
{
    struct virtio_console *self = arg;
    if (self->device->broken)
        return !atomic_load(&self->broken_told);
    bool work = self->several && bm_virtqueue_arm(&self->control_receive, 1);
    for (unsigned i = 0; i < self->port_count; i++)
        if (atomic_load(&self->ports[i].added))
            work |= bm_virtio_console_port_arm(&self->ports[i]);
    return work;
}

static uint64_t virtio_console_deadline(void *arg)
{
    const struct virtio_console *self = arg;
    return self->device->interrupts || self->device->broken ? UINT64_MAX
                                                            : bm_time_monotonic() + BM_VIRTIO_POLL_INTERVAL;
}

// The ports that the device has, as far as they are used.
static int ports_create(struct virtio_console *self)
{
    uint32_t offered = self->several ? bm_virtio_config_read(self->device, PORT_COUNT, 4) : 1;
    unsigned count = offered < VIRTIO_CONSOLE_PORTS_MAX ? offered : VIRTIO_CONSOLE_PORTS_MAX;
    self->ports = bm_memory_permanent(count * sizeof *self->ports, _Alignof(struct bm_virtio_port));
    int error = count == 0 ? -BM_EIO : self->ports ? 0 : -BM_ENOMEM;
    for (unsigned i = 0; i < count && !error; i++) {
        self->ports[i].owner = self;
        self->ports[i].number = i;
        error = bm_virtio_console_port_create(&self->ports[i]);
    }
    self->port_count = count;
    if (!error && self->several)
        error = bm_virtio_console_control_start(self);
    return error;
}

static int virtio_console_start(struct virtio_console *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, F_MULTIPORT);
    if (error)
        return error;
    self->several = self->device->features & F_MULTIPORT;
    bm_virtio_interrupt_start(self->device, 1); // shared by all queues
    error = ports_create(self);
    if (error) {
        bm_virtio_fail(self->device,
                       error == -BM_ENOMEM ? "cannot be used: out of memory" : "has no usable queues");
        return error;
    }
    bm_virtio_ready(self->device);
    for (unsigned i = 0; i < self->port_count; i++)
        bm_virtio_console_port_fill(&self->ports[i]);
    if (self->several) {
        bm_virtio_console_control_ready(self);
    } else {
        atomic_store(&self->ports[0].added, true);
        bm_virtio_console_port_list(&self->ports[0]);
    }
    return 0;
}

static bool has_console(void *arg)
{
    const struct virtio_console *self = arg;
    for (unsigned i = 0; i < self->port_count; i++)
        if (self->ports[i].is_listed)
            return true;
    return self->device->broken;
}

static int virtio_console_attach(struct bm_device *device)
{
    const uint64_t wait_max = 1000000000; // ns
    char text[64];                        // as in bm_console_wanted
    struct virtio_console *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_console));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    self->poller = (struct bm_poller){.name = "virtio_console",
                                      .poll = virtio_console_poll,
                                      .arm = virtio_console_arm,
                                      .deadline = virtio_console_deadline,
                                      .arg = self};
    device->state = self;
    int error = virtio_console_start(self);
    if (error)
        return error;
    self->next = bm_virtio_console_first;
    bm_virtio_console_first = self;
    bm_poller_add(&self->poller);
    // Which of its ports is a console the device tells by and by. Who asks for one wants to see all of the
    // text.
    if (bm_option_get("console", text, sizeof text) >= 0 && bm_console_wanted("virtio") &&
        !bm_wait_until(has_console, self, bm_time_monotonic() + wait_max))
        bm_log_warn(device->name, "has no port that is a console");
    return 0;
}

static const struct bm_device_id virtio_console_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_CONSOLE},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_console) = {
    .name = "virtio_console", .ids = virtio_console_ids, .attach = virtio_console_attach};
