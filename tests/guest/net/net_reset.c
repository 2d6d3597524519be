// Echoes what the host says, resets its own network device on demand, and takes it out of the machine.
// SPDX-License-Identifier: MIT
// @variants newlib-checked picolibc
// @link net virtio_net virtio_net_reset virtio_line virtio_rng
// @script net_reset.py

#include "../../../drivers/net/virtio_net.h"
#include "../../../drivers/virtio/virtqueue_packed.h"

#include <arpa/inet.h>
#include <baremetal/cpu.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

enum { PORT = 7011, SLOT = 5 };

static struct virtio_net_pair *pair(void)
{
    return (struct virtio_net_pair *)bm_netdev_first()->queues;
}

// A piece without a byte.
static void offend_packed(struct bm_virtqueue *queue)
{
    uint16_t at = bm_virtqueue_packed_of(queue)->available_at;
    struct bm_virtqueue_slot *slot = &bm_virtqueue_slots(queue)[at & (BM_VIRTQUEUE_WRAP - 1)];
    uint32_t flags = at & BM_VIRTQUEUE_WRAP ? BM_VIRTQUEUE_AVAILABLE : BM_VIRTQUEUE_USED;
    slot->length = 0;
    __atomic_store_n(&slot->word, flags << BM_VIRTQUEUE_FLAGS_SHIFT, __ATOMIC_RELEASE);
}

static void offend_split(struct bm_virtqueue *queue)
{
    queue->available->ring[queue->available->index % queue->size] = UINT16_MAX;
    queue->available->index++;
}

// Gives the device a chain that is none: QEMU answers with DEVICE_NEEDS_RESET. Nobody else sends meanwhile.
static void device_offend(void)
{
    struct virtio_net_pair *self = pair();
    struct bm_virtio_device *device = self->transmit.device;
    bm_spinlock_acquire(&self->lock);
    (self->transmit.packed ? offend_packed : offend_split)(&self->transmit);
    device->transport->notify(&self->transmit);
    while (!(device->transport->status_get(device) & BM_VIRTIO_NEEDS_RESET))
        __builtin_ia32_pause();
    bm_spinlock_release(&self->lock);
}

// As the machine's AML does it when a device is to leave (ACPI's _EJ0; QEMU's "ACPI PCI hotplug interface").
static void device_eject(void)
{
    enum { EJECT = 0xae08, BUS_SELECT = 0xae10 };
    bm_port_out32(BUS_SELECT, 0);
    bm_port_out32(EJECT, 1u << SLOT);
}

static bool is_off(void *arg)
{
    return ((struct bm_virtio_device *)arg)->broken && !bm_netdev_first()->link_up;
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    char buffer[512];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(listener, (const struct sockaddr *)&here, sizeof here) == 0);
    CHECK(listen(listener, 1) == 0);
    puts("ready");
    int stream = accept(listener, NULL, NULL);
    CHECK(stream >= 0);
    for (;;) {
        ssize_t length = recv(stream, buffer, sizeof buffer, 0);
        CHECK(length > 0);
        if (buffer[0] == 'g')
            break;
        if (buffer[0] == 'r')
            device_offend();
        CHECK(send(stream, buffer, (size_t)length, 0) == length);
    }
    device_eject();
    CHECK(send(stream, buffer, 1, 0) == 1); // what does not go out is what tells
    CHECK(bm_wait_until(is_off, pair()->receive.device, UINT64_MAX));
    puts("silent");
    fflush(stdout);
    _Exit(0);
}
