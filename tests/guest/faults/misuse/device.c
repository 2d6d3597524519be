// Rules of device.h, netdev.h, pci.h and virtio.h, broken by the driver of a device that is made up here.
// SPDX-License-Identifier: MIT
#include "misuse.h"

#include <baremetal/cpu.h>
#include <baremetal/device.h>
#include <baremetal/netdev.h>
#include <baremetal/pci.h>
#include <baremetal/virtio.h>
#include <stdio.h>

// @misuse device_twice bm_device_add: a device must not be added twice
MISUSE(device_twice)
{
    static struct bm_device device = {.bus = BM_BUS_PCI, .vendor = 1, .device = 1, .name = "misuse"};
    bm_device_add(&device);
    bm_device_add(&device);
}

static int send(struct bm_netqueue *net, const struct bm_netdev_frame *frame)
{
    (void)net, (void)frame;
    return 0;
}

static void flush(struct bm_netqueue *net)
{
    (void)net;
}

static const struct bm_netdev_ops operations = {.send = send, .flush = flush}, none;

// @misuse netdev_without_send bm_netdev_add: a network device must have send and flush
MISUSE(netdev_without_send)
{
    static struct bm_netdev device = {.driver = "misuse", .mtu = 1500, .ops = &none};
    bm_netdev_add(&device);
}

// @misuse netdev_of_small_packets bm_netdev_add: a network device's MTU must be at least 576
MISUSE(netdev_of_small_packets)
{
    static struct bm_netdev device = {.driver = "misuse", .mtu = 296, .ops = &operations};
    bm_netdev_add(&device);
}

// @misuse netdev_twice bm_netdev_add: a network device must not be added twice
MISUSE(netdev_twice)
{
    static struct bm_netdev device = {.driver = "misuse", .mtu = 1500, .ops = &operations};
    bm_netdev_add(&device);
    bm_netdev_add(&device);
}

static bool poll(void *arg)
{
    (void)arg;
    return false;
}

static int start(struct bm_netdev *device, unsigned count)
{
    static struct bm_netqueue queues[2];
    for (unsigned i = 0; i < count; i++) {
        queues[i].poller = (struct bm_poller){.name = "misuse", .poll = poll};
        queues[i].pool = bm_packet_pool_create(8, 8);
        bm_netqueue_add(device, &queues[i]);
    }
    return 0;
}

static const struct bm_netdev_ops whole = {.send = send, .flush = flush, .start = start};
static struct bm_netdev netdev = {.driver = "misuse", .mtu = 1500, .ops = &whole, .queue_max = 1};

static void input(struct bm_netqueue *queue, struct bm_packet *batch)
{
    (void)queue, (void)batch;
}

static void sent(struct bm_netqueue *queue, void *cookie)
{
    (void)queue, (void)cookie;
}

static void link_changed(struct bm_netqueue *queue)
{
    (void)queue;
}

static const struct bm_netdev_stack stack = {.input = input, .sent = sent, .link_changed = link_changed};

static struct bm_netqueue *netqueue(void)
{
    bm_netdev_start(&netdev, 1);
    bm_netqueue_take(netdev.queues, &stack, NULL);
    return netdev.queues;
}

// Two cores run, and main's is number 0: what is bound to the other one is not main's any more.
static struct bm_netqueue *netqueue_of_other_core(void)
{
    struct bm_netqueue *queue = netqueue();
    if (bm_core_count() != 2 || bm_netqueue_bind(queue, 1))
        puts("there is no other core");
    return queue;
}

// @misuse netdev_without_start bm_netdev_start: a network device must have start
MISUSE(netdev_without_start)
{
    static struct bm_netdev device = {.driver = "misuse", .mtu = 1500, .ops = &operations};
    bm_netdev_start(&device, 1);
}

// @misuse queue_without_poller bm_netqueue_add: a queue must have a poller and a pool
MISUSE(queue_without_poller)
{
    static struct bm_netqueue queue;
    bm_netqueue_add(&netdev, &queue);
}

// @misuse queue_twice bm_netqueue_add: a queue must not be added twice
MISUSE(queue_twice)
{
    bm_netqueue_add(&netdev, netqueue());
}

// @misuse stack_without_functions bm_netqueue_take: a stack must have input, sent and link_changed
MISUSE(stack_without_functions)
{
    static const struct bm_netdev_stack deaf = {.sent = sent};
    bm_netdev_start(&netdev, 1);
    bm_netqueue_take(netdev.queues, &deaf, NULL);
}

static struct bm_netqueue *handlers_queue;

// @misuse handler_binds bm_netqueue_bind: it must not be called in an interrupt handler
MISUSE(handler_binds)
{
    bm_netqueue_bind(handlers_queue, 0);
}

MISUSE(bind_in_handler)
{
    handlers_queue = netqueue();
    misuse_in_handler(handler_binds);
}

static const struct bm_netdev_segment segment = {.data = "frame", .length = 5};

// @misuse send_of_other_core bm_netdev_ops.send: a queue that is bound to a core must be touched by that core
// alone
MISUSE(send_of_other_core)
{
    const struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = &netdev};
    struct bm_netqueue *queue = netqueue_of_other_core();
    queue->ops->send(queue, &frame);
}

// @misuse flush_of_other_core bm_netdev_ops.flush: a queue that is bound to a core must be touched by that
// core alone
MISUSE(flush_of_other_core)
{
    struct bm_netqueue *queue = netqueue_of_other_core();
    queue->ops->flush(queue);
}

// @misuse send_by_nobody bm_netdev_ops.send: a queue must be taken by a stack before anything is sent by it
MISUSE(send_by_nobody)
{
    const struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1, .cookie = &netdev};
    bm_netdev_start(&netdev, 1);
    netdev.queues->ops->send(netdev.queues, &frame);
}

// @misuse send_nothing bm_netdev_ops.send: a frame has from 1 to BM_NETDEV_SEGMENTS_MAX segments
MISUSE(send_nothing)
{
    const struct bm_netdev_frame frame = {.cookie = &netdev};
    struct bm_netqueue *queue = netqueue();
    queue->ops->send(queue, &frame);
}

// @misuse send_without_cookie bm_netdev_ops.send: the cookie of a frame must not be NULL
MISUSE(send_without_cookie)
{
    const struct bm_netdev_frame frame = {.segments = &segment, .segment_count = 1};
    struct bm_netqueue *queue = netqueue();
    queue->ops->send(queue, &frame);
}

// @misuse packet_twice bm_packet_free: the packet is free already
MISUSE(packet_twice)
{
    struct bm_packet *packet = bm_packet_allocate(bm_packet_pool_create(8, 8), 1);
    bm_packet_free(packet);
    bm_packet_free(packet);
}

// @misuse packet_of_nobody bm_packet_free: only packets of a pool may be given back
MISUSE(packet_of_nobody)
{
    static _Alignas(BM_PACKET_SIZE) char memory[BM_PACKET_SIZE];
    struct bm_packet *packet = (struct bm_packet *)memory;
    packet->pool = bm_packet_pool_create(8, 8);
    bm_packet_free(packet);
}

// @misuse_within packet_written bm_check_packet_given: a packet was written to after it had been given back
MISUSE(packet_written)
{
    struct bm_packet_pool *pool = bm_packet_pool_create(8, 8);
    struct bm_packet *packet = bm_packet_allocate(pool, 1);
    packet->data = (unsigned char *)packet + BM_PACKET_DATA_OFFSET;
    bm_packet_free(packet);
    packet->data[20] = 1;
    bm_packet_allocate(pool, 1);
}

static struct bm_packet *handlers_packet;

// @misuse handler_frees_packet bm_packet_free: it must not be called in an interrupt handler
MISUSE(handler_frees_packet)
{
    bm_packet_free(handlers_packet);
}

MISUSE(packet_in_handler)
{
    handlers_packet = bm_packet_allocate(bm_packet_pool_create(8, 8), 1);
    misuse_in_handler(handler_frees_packet);
}

static uint32_t configuration_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function,
                                   unsigned offset, unsigned size)
{
    (void)host, (void)bus, (void)function, (void)offset, (void)size;
    return 0;
}

static void configuration_write(const struct bm_pci_host *host, uint8_t bus, uint8_t function,
                                unsigned offset, unsigned size, uint32_t value)
{
    (void)host, (void)bus, (void)function, (void)offset, (void)size, (void)value;
}

static const struct bm_pci_host host = {.read = configuration_read, .write = configuration_write};
static struct bm_pci_device pci = {.device = {.name = "misuse"}, .host = &host};

// @misuse interrupts_before_enable bm_pci_interrupt_start: bm_pci_enable comes before it
MISUSE(interrupts_before_enable)
{
    bm_pci_interrupt_start(&pci, 1);
}

// @misuse interrupt_before_start bm_pci_interrupt_set: bm_pci_interrupt_start comes before it
MISUSE(interrupt_before_start)
{
    bm_pci_interrupt_set(&pci, 0, NULL, NULL);
}

// @misuse odd_offset bm_pci_read32: an offset must be a multiple of the size
MISUSE(odd_offset)
{
    bm_pci_read32(&pci, BM_PCI_COMMAND + 1);
}

// A virtio device that agrees to everything.
static uint8_t status;

static uint8_t status_get(struct bm_virtio_device *device)
{
    (void)device;
    return status;
}

static void status_set(struct bm_virtio_device *device, uint8_t value)
{
    (void)device;
    status = value;
}

static uint64_t features_get(struct bm_virtio_device *device)
{
    (void)device;
    return BM_VIRTIO_F_VERSION_1;
}

static void features_set(struct bm_virtio_device *device, uint64_t features)
{
    (void)device, (void)features;
}

static unsigned queue_size(struct bm_virtio_device *device, unsigned index)
{
    (void)device, (void)index;
    return 8;
}

static int queue_enable(struct bm_virtio_device *device, struct bm_virtqueue *queue, unsigned interrupt)
{
    (void)device, (void)queue, (void)interrupt;
    return 0;
}

static const struct bm_virtio_transport transport = {.status_get = status_get,
                                                     .status_set = status_set,
                                                     .features_get = features_get,
                                                     .features_set = features_set,
                                                     .queue_size = queue_size,
                                                     .queue_enable = queue_enable};
static struct bm_virtio_device device = {.device = {.name = "misuse"}, .transport = &transport};
static struct bm_virtqueue queue;

static void negotiate(void)
{
    uint64_t features;
    bm_virtio_begin(&device, &features);
    bm_virtio_negotiate(&device, features);
}

static void queue_make(void)
{
    negotiate();
    bm_virtqueue_create(&queue, &device, 0, 8);
}

// @misuse negotiate_first bm_virtio_negotiate: bm_virtio_begin comes before it, once
MISUSE(negotiate_first)
{
    bm_virtio_negotiate(&device, 0);
}

// @misuse ready_first bm_virtio_ready: bm_virtio_negotiate comes before it
MISUSE(ready_first)
{
    uint64_t features;
    bm_virtio_begin(&device, &features);
    bm_virtio_ready(&device);
}

// @misuse queue_late bm_virtqueue_create: queues are made before bm_virtio_ready
MISUSE(queue_late)
{
    negotiate();
    bm_virtio_ready(&device);
    bm_virtqueue_create(&queue, &device, 0, 8);
}

// @misuse field_of_three bm_virtio_config_read: a field of the configuration has 1, 2 or 4 bytes
MISUSE(field_of_three)
{
    bm_virtio_config_read(&device, 0, 3);
}

// @misuse field_beside_its_place bm_virtio_config_write: a field of the configuration lies at a multiple of
// its size
MISUSE(field_beside_its_place)
{
    bm_virtio_config_write(&device, 2, 4, 0);
}

// @misuse chain_without_cookie bm_virtqueue_chain_add: the cookie of a chain must not be NULL
MISUSE(chain_without_cookie)
{
    struct bm_virtqueue_chain chain;
    queue_make();
    bm_virtqueue_chain_start(&queue, &chain);
    bm_virtqueue_chain_put(&queue, &chain, 4096, 64, 0);
    bm_virtqueue_chain_add(&queue, &chain, NULL);
}

// @misuse chain_of_nothing bm_virtqueue_chain_add: a chain must have one piece at least
MISUSE(chain_of_nothing)
{
    struct bm_virtqueue_chain chain;
    queue_make();
    bm_virtqueue_chain_start(&queue, &chain);
    bm_virtqueue_chain_add(&queue, &chain, &chain);
}

// @misuse chain_turned_round bm_virtqueue_chain_put: what the device reads must come before what it writes
MISUSE(chain_turned_round)
{
    struct bm_virtqueue_chain chain;
    queue_make();
    bm_virtqueue_chain_start(&queue, &chain);
    bm_virtqueue_chain_put(&queue, &chain, 4096, 64, BM_VIRTQUEUE_WRITE);
    bm_virtqueue_chain_put(&queue, &chain, 8192, 64, 0);
}

// @misuse chain_twice bm_virtqueue_chain_add: a chain must be added once, and before the next one starts
MISUSE(chain_twice)
{
    struct bm_virtqueue_chain chain;
    queue_make();
    bm_virtqueue_chain_start(&queue, &chain);
    bm_virtqueue_chain_put(&queue, &chain, 4096, 64, 0);
    bm_virtqueue_chain_add(&queue, &chain, &chain);
    bm_virtqueue_chain_add(&queue, &chain, &chain);
}

// @misuse interrupt_for_nothing bm_virtqueue_arm: an interrupt is for one chain at least
MISUSE(interrupt_for_nothing)
{
    queue_make();
    bm_virtqueue_arm(&queue, 0);
}

const struct misuse misuse_device[] = {MISUSE_CASE(device_twice),
                                       MISUSE_CASE(netdev_without_send),
                                       MISUSE_CASE(netdev_of_small_packets),
                                       MISUSE_CASE(netdev_twice),
                                       MISUSE_CASE(netdev_without_start),
                                       MISUSE_CASE(queue_without_poller),
                                       MISUSE_CASE(queue_twice),
                                       MISUSE_CASE(stack_without_functions),
                                       {"handler_binds", bind_in_handler},
                                       MISUSE_CASE(send_of_other_core),
                                       MISUSE_CASE(flush_of_other_core),
                                       MISUSE_CASE(send_by_nobody),
                                       MISUSE_CASE(send_nothing),
                                       MISUSE_CASE(send_without_cookie),
                                       MISUSE_CASE(packet_twice),
                                       MISUSE_CASE(packet_of_nobody),
                                       MISUSE_CASE(packet_written),
                                       {"handler_frees_packet", packet_in_handler},
                                       MISUSE_CASE(interrupts_before_enable),
                                       MISUSE_CASE(interrupt_before_start),
                                       MISUSE_CASE(odd_offset),
                                       MISUSE_CASE(negotiate_first),
                                       MISUSE_CASE(ready_first),
                                       MISUSE_CASE(queue_late),
                                       MISUSE_CASE(field_of_three),
                                       MISUSE_CASE(field_beside_its_place),
                                       MISUSE_CASE(chain_without_cookie),
                                       MISUSE_CASE(chain_of_nothing),
                                       MISUSE_CASE(chain_turned_round),
                                       MISUSE_CASE(chain_twice),
                                       MISUSE_CASE(interrupt_for_nothing),
                                       MISUSE_END};
