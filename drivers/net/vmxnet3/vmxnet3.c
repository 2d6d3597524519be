// VMware's paravirtual network device vmxnet3: reset, shared memory, start.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -netdev user,id=n -device vmxnet3,netdev=n
#include "vmxnet3.h"

#include <baremetal/error.h>

uint32_t bm_vmxnet3_command(struct vmxnet3 *self, uint32_t command)
{
    vmxnet3_write(self, COMMAND, command);
    return vmxnet3_read(self, COMMAND);
}

// The device stops when it has answered.
void bm_vmxnet3_reset(struct vmxnet3 *self)
{
    bm_vmxnet3_command(self, (uint32_t)COMMAND_QUIESCE);
    bm_vmxnet3_command(self, (uint32_t)COMMAND_RESET);
}

void bm_vmxnet3_fail(struct vmxnet3 *self, const char *why)
{
    bm_spinlock_acquire(&self->lock);
    self->broken = true;
    self->send.stopped = true;
    bm_spinlock_release(&self->lock);
    bm_vmxnet3_reset(self);
    bm_pci_disable(self->pci); // no more DMA, whatever it thinks of that
    bm_log_error(self->pci->device.name, "%s: it is switched off", why);
}

void bm_vmxnet3_completions_reset(struct vmxnet3_completions *completions)
{
    __builtin_memset(completions->entries, 0, completions->count * sizeof *completions->entries);
    completions->next = 0;
    completions->generation = COMPLETION_GENERATION;
}

static void queues_program(struct vmxnet3 *self)
{
    const struct vmxnet3_receive *receive = &self->receive;
    __builtin_memset(self->queues, 0, sizeof *self->queues);
    self->missed = 0;
    self->queues->send = (struct vmxnet3_send_queue){
        .ring = bm_dma_address(self->send.ring),
        .ring_size = SEND_COUNT,
        .completions = bm_dma_address(self->send.completions.entries),
        .completions_size = SEND_COUNT,
        .interrupt = (uint8_t)self->send_interrupt,
    };
    self->queues->receive = (struct vmxnet3_receive_queue){
        .rings = {bm_dma_address(receive->heads.ring), bm_dma_address(receive->bodies.ring)},
        .ring_sizes = {receive->heads.count, receive->bodies.count},
        .completions = bm_dma_address(receive->completions.entries),
        .completions_size = receive->completions.count,
    };
}

static void shared_program(struct vmxnet3 *self)
{
    struct vmxnet3_shared *shared = self->shared;
    __builtin_memset(shared, 0, sizeof *shared);
    shared->magic = (uint32_t)SHARED_MAGIC;
    shared->driver_version = 1;
    shared->guest = GUEST_LINUX_64;
    shared->revision = shared->upt_revision = 1;
    shared->features = FEATURE_CHECKSUM;
    shared->queues = bm_dma_address(self->queues);
    shared->queues_length = sizeof *self->queues;
    shared->mtu = vmxnet3_mtu_taken(self);
    shared->buffers_max = (uint16_t)((shared->mtu + ETHERNET) / FRAME_ROOM + 1);
    shared->send_queues = shared->receive_queues = 1;
    shared->automask = 1; // an interrupt comes once, until it is asked for again
    shared->interrupts = (uint8_t)(self->send_interrupt + 1);
    __builtin_memset(shared->moderation, MODERATION_ADAPTIVE, sizeof shared->moderation);
    shared->receive_mode = MODE_STATION | MODE_BROADCAST | MODE_ALL_GROUPS; // the stack chooses among groups
    __builtin_memset(shared->vlans, 0xff, sizeof shared->vlans);            // … and VLANs
}

bool bm_vmxnet3_program(struct vmxnet3 *self)
{
    bm_vmxnet3_send_reset(self);
    bm_vmxnet3_receive_reset(self);
    queues_program(self);
    shared_program(self);
    bm_vmxnet3_fill(self);
    uint64_t address = bm_dma_address(self->shared);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    vmxnet3_write(self, SHARED_LOW, (uint32_t)address);
    vmxnet3_write(self, SHARED_HIGH, (uint32_t)(address >> 32));
    if (bm_vmxnet3_command(self, (uint32_t)COMMAND_ACTIVATE))
        return false;
    vmxnet3_write(self, COMMAND, (uint32_t)COMMAND_RECEIVE_MODE);
    bm_vmxnet3_doors_ring(self);
    atomic_store(&self->masked, true);
    return true;
}

static int send_prepare(struct vmxnet3_send *send)
{
    for (unsigned i = 0; i < BOUNCES; i++)
        if (!send->bounces[i] && !(send->bounces[i] = bm_frame_allocate(BOUNCE_ORDER)))
            return -BM_ENOMEM;
    send->ring = bm_memory_permanent(SEND_COUNT * sizeof *send->ring, RING_ALIGNMENT);
    send->frames = bm_memory_permanent(SEND_COUNT * sizeof *send->frames, sizeof(void *));
    send->abandoned = bm_memory_permanent(SEND_COUNT * sizeof *send->abandoned, sizeof(void *));
    send->headers = bm_memory_permanent(SEND_COUNT * HEADER_SIZE, BM_PAGE_SIZE);
    send->completions.count = SEND_COUNT;
    send->completions.entries =
        bm_memory_permanent(SEND_COUNT * sizeof *send->completions.entries, RING_ALIGNMENT);
    bool there = send->ring && send->frames && send->abandoned && send->headers && send->completions.entries;
    return there ? 0 : -BM_ENOMEM;
}

static bool buffers_prepare(struct vmxnet3_buffers *buffers, unsigned count)
{
    buffers->count = count;
    buffers->ring = bm_memory_permanent(count * sizeof *buffers->ring, RING_ALIGNMENT);
    buffers->packets = bm_memory_permanent(count * sizeof *buffers->packets, sizeof(void *));
    return buffers->ring && buffers->packets;
}

static int memory_prepare(struct vmxnet3 *self)
{
    unsigned count = receive_count_choose(RECEIVE_MAX);
    unsigned bodies = self->netdev.mtu > MTU_DEFAULT ? count : BODIES_MIN;
    struct vmxnet3_receive *receive = &self->receive;
    struct vmxnet3_completions *completions = &receive->completions;
    completions->count = count + bodies;
    completions->entries =
        bm_memory_permanent(completions->count * sizeof *completions->entries, RING_ALIGNMENT);
    self->shared = bm_memory_permanent(sizeof *self->shared, RING_ALIGNMENT);
    self->queues = bm_memory_permanent(sizeof *self->queues, RING_ALIGNMENT);
    if (!buffers_prepare(&receive->heads, count) || !buffers_prepare(&receive->bodies, bodies) ||
        !completions->entries || !self->shared || !self->queues)
        return -BM_ENOMEM;
    int error = send_prepare(&self->send);
    if (error)
        return error;
    self->queue.pool = pool_make(completions->count);
    return self->queue.pool ? 0 : -BM_ENOMEM;
}

static int vmxnet3_start(struct bm_netdev *netdev, unsigned count)
{
    struct vmxnet3 *self = (struct vmxnet3 *)netdev;
    (void)count; // one queue
    if (self->broken)
        return -BM_EIO;
    if (!self->queue.pool)
        bm_netdev_mtu_ask(netdev, MTU_MAX);
    int error = self->queue.pool ? 0 : memory_prepare(self);
    if (error)
        return error;
    bm_vmxnet3_poll_prepare(self);
    bm_vmxnet3_interrupts_prepare(self);
    if (!bm_vmxnet3_program(self)) {
        bm_vmxnet3_fail(self, "refuses to start");
        bm_vmxnet3_receive_abandon(self);
        return -BM_EIO;
    }
    bm_netqueue_add(netdev, &self->queue);
    return 0;
}

static const struct bm_netdev_ops vmxnet3_ops = {
    .send = bm_vmxnet3_send, .flush = bm_vmxnet3_flush, .start = vmxnet3_start, .aim = bm_vmxnet3_aim};

// The device's address, or a random, locally administered one.
static void mac_choose(struct vmxnet3 *self)
{
    unsigned char *mac = self->netdev.mac;
    mac_from_words(mac, vmxnet3_read(self, MAC_LOW), vmxnet3_read(self, MAC_HIGH));
    if (!mac_is_station(mac))
        mac_make(mac);
}

static int vmxnet3_prepare(struct vmxnet3 *self)
{
    bm_pci_enable(self->pci);
    self->doors = bm_pci_bar_map(self->pci, 0, 0, DOORS_SIZE);
    self->registers = self->doors ? bm_pci_bar_map(self->pci, 1, 0, REGISTERS_SIZE) : NULL;
    if (!self->registers) {
        bm_pci_disable(self->pci);
        return -BM_EIO; // the log says why
    }
    uint32_t revisions = vmxnet3_read(self, REVISION), upt = vmxnet3_read(self, UPT_REVISION);
    if (revisions == UINT32_MAX || !(revisions & 1) || !(upt & 1)) {
        bm_vmxnet3_fail(self, "has no revision that is known");
        return -BM_EIO;
    }
    bm_vmxnet3_reset(self);
    vmxnet3_write(self, REVISION, 1);
    vmxnet3_write(self, UPT_REVISION, 1);
    mac_choose(self);
    self->netdev.link_up = bm_vmxnet3_command(self, (uint32_t)COMMAND_LINK) & 1;
    return 0;
}

static int vmxnet3_attach(struct bm_device *device)
{
    struct vmxnet3 *self = bm_memory_permanent(sizeof *self, _Alignof(struct vmxnet3));
    if (!self)
        return -BM_ENOMEM;
    self->pci = bm_pci_device_of(device);
    self->netdev.driver = "vmxnet3";
    self->netdev.ops = &vmxnet3_ops;
    self->netdev.mtu = MTU_DEFAULT;
    self->netdev.queue_max = 1;
    // QEMU hands IPv6 segments on with a pseudo header without a length, which nobody takes.
    self->netdev.capabilities = BM_NETDEV_CHECKSUM_TX | BM_NETDEV_CHECKSUM_RX | BM_NETDEV_TSO4;
    device->state = self;
    int error = vmxnet3_prepare(self);
    if (!error)
        error = bm_netdev_add(&self->netdev);
    if (error)
        return error;
    nic_log(device->name, &self->netdev);
    return 0;
}

static const struct bm_device_id vmxnet3_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x15ad, .device = 0x07b0},
    BM_DEVICE_ID_END,
};

BM_DRIVER(vmxnet3) = {.name = "vmxnet3", .ids = vmxnet3_ids, .attach = vmxnet3_attach};
