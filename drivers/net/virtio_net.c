// The virtio network device: receive into pool buffers, gathered sending, checksum and segmentation offload.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -netdev user,id=n -device virtio-net-pci,netdev=n
//
// Section numbers are those of the VIRTIO specification, version 1.2; the network device is section 5.1. A
// queue of <baremetal/netdev.h> is a pair of the device's. With VIRTIO_NET_F_MQ (QEMU: -netdev tap,queues=N …
// -device virtio-net-pci,mq=on,vectors=2N+2) a stack may have several, in images that link
// virtio_net_multiqueue.c: the device puts what comes into the pair by which the flow was sent last.
//
// Receiving: the device writes header and frame into the same buffer, the header just in front of where the
// frame is to start. A frame is handed to the stack in place; its buffer comes back to the pool when the
// stack is done, and the queue is filled up at the next poll. Sending: a header just in front of the frame,
// then the frame's pieces where they lie in memory. Buffers that the device has sent are taken back by
// polling; it interrupts for them only when the queue has become nearly full.
#include "virtio_net.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/random.h>
#include <baremetal/time.h>

// The configuration, read between two equal generations (section 5.1.4).
static void virtio_net_config_read(struct bm_virtio_device *device, void *arg)
{
    struct virtio_net_config *config = arg;
    for (unsigned i = 0; i < 6; i++)
        config->mac[i] = (unsigned char)bm_virtio_config_read(device, i, 1);
    config->status = (uint16_t)bm_virtio_config_read(device, 6, 2);
    config->pairs = (uint16_t)bm_virtio_config_read(device, 8, 2);
    config->mtu = (uint16_t)bm_virtio_config_read(device, 10, 2);
}

static unsigned clamp(uint64_t value, unsigned min, unsigned max)
{
    return value < min ? min : value > max ? max : (unsigned)value;
}

// Descriptors of a receive queue: one sixty-fourth of the memory waits for frames to come.
static unsigned virtio_net_receive_size(void)
{
    return clamp(bm_memory_statistics_get().total / BM_PACKET_SIZE / 64, 32, RECEIVE_MAX);
}

// Takes from what the device offers and says: features, address, MTU, capabilities. Returns the features to
// negotiate.
static uint64_t virtio_net_choose(struct virtio_net *self, uint64_t offered)
{
    struct bm_netdev *netdev = &self->netdev;
    struct virtio_net_config config;
    uint64_t wanted = offered & (F_CSUM | F_GUEST_CSUM | F_MAC | F_STATUS | F_MTU);
    if (self->device->legacy) // its header is that of new devices then
        wanted |= offered & F_MRG_RXBUF;
    if (offered & F_CSUM) // segmentation needs checksums (section 5.1.3.1)
        wanted |= offered & (F_HOST_TSO4 | F_HOST_TSO6);
    // Joined segments and jumbo frames come in several buffers. A frame that is too large for the queue would
    // never come, nor would any behind it.
    bool several = offered & F_MRG_RXBUF && virtio_net_receive_size() >= RECEIVE_TSO &&
                   self->device->transport->queue_size(self->device, 0) >= RECEIVE_TSO;
    if (offered & F_GUEST_CSUM && several)
        wanted |= offered & (F_MRG_RXBUF | F_GUEST_TSO4 | F_GUEST_TSO6);
    bm_virtio_config_stable(self->device, virtio_net_config_read, &config);
    if (wanted & F_MTU && config.mtu > MTU_MAX && several)
        wanted |= F_MRG_RXBUF;
    netdev->mtu = MTU_DEFAULT;
    if (wanted & F_MTU && config.mtu >= MTU_MIN && config.mtu <= (several ? MTU_JUMBO : MTU_MAX))
        netdev->mtu = config.mtu;
    else
        wanted &= ~F_MTU;
    if (wanted & F_MAC && !(config.mac[0] & 1)) {
        __builtin_memcpy(netdev->mac, config.mac, 6);
    } else {
        // No address, or one that is no station's: a random, locally administered one.
        wanted &= ~F_MAC;
        bm_random_fill(netdev->mac, 6);
        netdev->mac[0] = (netdev->mac[0] & 0xfc) | 2;
    }
    netdev->link_up = !(wanted & F_STATUS) || config.status & STATUS_LINK_UP;
    netdev->queue_max = 1;
    if (bm_virtio_net_pairs_use && offered & F_MQ && offered & F_CTRL_VQ && config.pairs > 1 &&
        config.pairs <= PAIRS_MAX) {
        wanted |= F_MQ | F_CTRL_VQ;
        netdev->queue_max = self->pairs_offered = config.pairs;
    }
    return wanted;
}

// Frames of many pieces need a queue with room for more than one of them.
static uint32_t virtio_net_capabilities(struct bm_virtio_device *device)
{
    uint64_t features = device->features;
    if (device->transport->queue_size(device, 1) < TRANSMIT_TSO)
        features &= ~(F_HOST_TSO4 | F_HOST_TSO6);
    return (features & F_CSUM ? BM_NETDEV_CHECKSUM_TX : 0) |
           (features & F_GUEST_CSUM ? BM_NETDEV_CHECKSUM_RX : 0) |
           (features & F_HOST_TSO4 ? BM_NETDEV_TSO4 : 0) | (features & F_HOST_TSO6 ? BM_NETDEV_TSO6 : 0) |
           (features & F_GUEST_TSO4 ? BM_NETDEV_JOIN4 : 0) | (features & F_GUEST_TSO6 ? BM_NETDEV_JOIN6 : 0);
}

// The field buffer_count is part of an old device's header only with MRG_RXBUF (section 5.1.6.1).
static unsigned virtio_net_header_length(const struct virtio_net *self)
{
    bool is_short = self->device->legacy && !(self->device->features & F_MRG_RXBUF);
    return is_short ? (unsigned)HEADER_SHORT : (unsigned)sizeof(struct virtio_net_header);
}

// A pair's two queues (section 5.1.2: receiveq n is 2n - 2, transmitq n is 2n - 1), the pool and the poller.
static int virtio_net_pair_start(struct virtio_net *self, unsigned number, unsigned count)
{
    struct virtio_net_pair *pair = bm_memory_permanent(sizeof *pair, PAIR_ALIGNMENT);
    if (!pair)
        return -BM_ENOMEM;
    int error = bm_virtqueue_create(&pair->receive, self->device, 2 * number, virtio_net_receive_size());
    if (!error)
        error = bm_virtqueue_create(&pair->transmit, self->device, 2 * number + 1, QUEUE_SIZE);
    if (error)
        return error;
    // An eighth of the memory may hold frames that the stack has not given back.
    uint64_t max = bm_memory_statistics_get().total / BM_PACKET_SIZE / 8 / count;
    unsigned min = pair->receive.size;
    pair->queue.pool = bm_packet_pool_create(min, clamp(max, 2 * min, POOL_MAX));
    if (!pair->queue.pool)
        return -BM_ENOMEM;
    pair->header_length = virtio_net_header_length(self);
    bm_virtio_net_pair_poll(pair);
    bm_netqueue_add(&self->netdev, &pair->queue);
    return 0;
}

// The rest of section 5.1.5 (device initialisation) and of section 3.1.1: the stack has said how many queues
// it wants.
int bm_virtio_net_start_only(struct bm_netdev *netdev, unsigned count)
{
    struct virtio_net *self = (struct virtio_net *)netdev;
    int error = 0;
    if (self->device->broken)
        return -BM_EIO;
    bm_virtio_interrupt_start(self->device, 2 * count);
    for (unsigned i = 0; i < count && !error; i++)
        error = virtio_net_pair_start(self, i, count);
    if (!error && count > 1)
        error = bm_virtio_net_pairs_prepare(self);
    if (!error) {
        bm_virtio_ready(self->device);
        for (struct bm_netqueue *queue = netdev->queues; queue; queue = queue->next)
            bm_virtio_net_pair_fill((struct virtio_net_pair *)queue);
        if (count > 1)
            error = bm_virtio_net_pairs_use(self, count);
    }
    if (error)
        bm_virtio_fail(self->device, "has no usable queues, or memory is short");
    return error;
}

__attribute__((weak, alias("bm_virtio_net_start_only"))) int bm_virtio_net_start(struct bm_netdev *netdev,
                                                                                 unsigned count);

void bm_virtio_net_link_read(struct virtio_net *self)
{
    struct virtio_net_config config;
    struct bm_netdev *netdev = &self->netdev;
    bm_virtio_config_stable(self->device, virtio_net_config_read, &config);
    bool link_up =
        !self->device->broken && (!(self->device->features & F_STATUS) || config.status & STATUS_LINK_UP);
    bm_netdev_link_set(netdev, link_up);
}

// In images without virtio_net_reset.c.
__attribute__((weak)) void bm_virtio_net_config_changed(struct virtio_net_pair *pair)
{
    if (pair->queue.number == 0)
        bm_virtio_net_link_read((struct virtio_net *)pair->queue.device);
}

// Rough steps of section 5.1.5 (device initialisation) inside those of section 3.1.1, up to the queues.
static int virtio_net_prepare(struct virtio_net *self)
{
    uint64_t offered;
    int error = bm_virtio_begin(self->device, &offered);
    if (!error)
        error = bm_virtio_negotiate(self->device, virtio_net_choose(self, offered));
    if (error)
        return error;
    if (virtio_net_header_length(self) == HEADER_SHORT && !bm_virtio_net_short_fill) {
        bm_virtio_fail(self->device, "needs baremetal::virtio_legacy");
        return -BM_EIO;
    }
    self->netdev.capabilities = virtio_net_capabilities(self->device);
    return 0;
}

static int virtio_net_attach(struct bm_device *device)
{
    struct virtio_net *self = bm_memory_permanent(sizeof *self, _Alignof(struct virtio_net));
    if (!self)
        return -BM_ENOMEM;
    self->device = bm_virtio_device_of(device);
    self->netdev.driver = "virtio_net";
    self->netdev.ops = &bm_virtio_net_ops;
    device->state = self;
    int error = virtio_net_prepare(self);
    if (!error)
        error = bm_netdev_add(&self->netdev);
    if (error)
        return error; // its memory stays: the device may have been told of it
    const unsigned char *mac = self->netdev.mac;
    bm_log_info(device->name, "%02x:%02x:%02x:%02x:%02x:%02x, MTU %u, features %llx", mac[0], mac[1], mac[2],
                mac[3], mac[4], mac[5], self->netdev.mtu, (unsigned long long)self->device->features);
    return 0;
}

static const struct bm_device_id virtio_net_ids[] = {
    {.bus = BM_BUS_VIRTIO, .vendor = BM_ID_ANY, .device = BM_VIRTIO_NET},
    BM_DEVICE_ID_END,
};

BM_DRIVER(virtio_net) = {.name = "virtio_net", .ids = virtio_net_ids, .attach = virtio_net_attach};
