// Intel's controllers with advanced descriptors: reset, address, rings, start. What igb and ixgbe share.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Sections without a name are those of Intel's 82576EB datasheet (revision 2.87).
#include "advanced.h"

#include <baremetal/error.h>

enum {
    CTRL = 0x0000,                // device control (section 8.2.1), of all families
    CTRL_MASTER_DISABLE = 1 << 2, // no more DMA
    CTRL_RESET = 1 << 26,         //
    STATUS = 0x0008,              // (section 8.2.2)
    STATUS_MASTER = 1 << 19,      // DMA is under way or may begin
    MASTER_MAX = 100 * 1000 * 1000,
    RESET_MAX = 100 * 1000 * 1000,
    RING_MAX = 10 * 1000 * 1000 // ns
};

bool bm_advanced_wait(const struct advanced *self, unsigned offset, uint32_t mask, uint32_t value,
                      uint64_t nanoseconds)
{
    uint64_t end = bm_time_monotonic() + nanoseconds;
    while ((advanced_read(self, offset) & mask) != value) {
        if (bm_time_monotonic() > end)
            return false;
        bm_time_delay(1000);
    }
    return true;
}

// DMA has ended before the reset (section 5.2.3.3). A reset ends with its bit, and all registers read as all
// ones where there is no device any more. It is not read for a millisecond (section 4.2.1.6.1).
bool bm_advanced_reset(struct advanced *self)
{
    advanced_write(self, CTRL, advanced_read(self, CTRL) | CTRL_MASTER_DISABLE);
    bm_advanced_wait(self, STATUS, STATUS_MASTER, 0, MASTER_MAX); // some never say so
    uint32_t control = advanced_read(self, CTRL) & ~(uint32_t)CTRL_MASTER_DISABLE;
    advanced_write(self, CTRL, control | CTRL_RESET);
    bm_time_delay(1000 * 1000);
    return bm_advanced_wait(self, CTRL, CTRL_RESET, 0, RESET_MAX);
}

void bm_advanced_fail(struct advanced *self, const char *why)
{
    bm_spinlock_acquire(&self->lock);
    self->broken = true;
    self->send.stopped = true;
    bm_spinlock_release(&self->lock);
    self->family->stop(self);
    advanced_write(self, CTRL, CTRL_RESET);
    bm_pci_disable(self->pci); // no more DMA, whatever it thinks of that
    bm_log_error(self->pci->device.name, "%s: it is switched off", why);
}

static void ring_program(struct advanced *self, unsigned base, const void *descriptors, unsigned count,
                         uint32_t thresholds)
{
    uint64_t address = bm_dma_address(descriptors);
    advanced_write(self, base + RING_CONTROL, 0);
    advanced_write(self, base + RING_LOW, (uint32_t)address);
    advanced_write(self, base + RING_HIGH, (uint32_t)(address >> 32));
    advanced_write(self, base + RING_LENGTH, count * (unsigned)sizeof(struct advanced_descriptor));
    advanced_write(self, base + RING_HEAD, 0);
    advanced_write(self, base + RING_TAIL, 0);
    advanced_write(self, base + RING_CONTROL, thresholds | RING_ENABLE);
}

// A ring that does not run must not be told of descriptors (section 4.5.9).
static bool ring_runs(const struct advanced *self, unsigned base)
{
    return bm_advanced_wait(self, base + RING_CONTROL, RING_ENABLE, RING_ENABLE, RING_MAX) &&
           advanced_read(self, base + RING_HEAD) != UINT32_MAX;
}

// Sections 4.5.9 and 4.5.10.
bool bm_advanced_program(struct advanced *self)
{
    const struct advanced_family *family = self->family;
    bool jumbo = self->netdev.mtu > MTU_DEFAULT;
    family->program(self);
    bm_advanced_send_reset(self);
    ring_program(self, family->send, self->send.descriptors, SEND_COUNT, RING_THRESHOLDS_SEND);
    family->send_start(self);
    bm_advanced_receive_reset(self);
    advanced_write(self, family->split, SPLIT_ADVANCED | (jumbo ? 1 : 2));
    ring_program(self, family->receive, self->receive.descriptors, self->receive.count, family->thresholds);
    if (!ring_runs(self, family->send) || !ring_runs(self, family->receive)) {
        bm_advanced_fail(self, "has a ring that does not begin to run");
        return false;
    }
    bm_advanced_fill(self);
    family->receive_start(self);
    return true;
}

static int memory_prepare(struct advanced *self)
{
    unsigned count = receive_count_choose(RECEIVE_MAX);
    struct advanced_receive *receive = &self->receive;
    struct advanced_send *send = &self->send;
    receive->count = count;
    receive->descriptors = bm_memory_permanent(count * sizeof *receive->descriptors, RING_ALIGNMENT);
    receive->packets = bm_memory_permanent(count * sizeof *receive->packets, sizeof(void *));
    send->descriptors = bm_memory_permanent(SEND_COUNT * sizeof *send->descriptors, RING_ALIGNMENT);
    send->frames = bm_memory_permanent(SEND_COUNT * sizeof *send->frames, sizeof(void *));
    send->abandoned = bm_memory_permanent(SEND_COUNT * sizeof *send->abandoned, sizeof(void *));
    send->headers = bm_memory_permanent(SEND_COUNT * HEADER_SIZE, BM_PAGE_SIZE);
    if (!receive->descriptors || !receive->packets || !send->descriptors || !send->frames ||
        !send->abandoned || !send->headers)
        return -BM_ENOMEM;
    for (unsigned i = 0; i < BOUNCES; i++)
        if (!send->bounces[i] && !(send->bounces[i] = bm_frame_allocate(BOUNCE_ORDER)))
            return -BM_ENOMEM;
    self->queue.pool = pool_make(count);
    return self->queue.pool ? 0 : -BM_ENOMEM;
}

static int advanced_start(struct bm_netdev *netdev, unsigned count)
{
    struct advanced *self = (struct advanced *)netdev;
    (void)count; // one queue
    if (self->broken)
        return -BM_EIO;
    if (!self->queue.pool)
        bm_netdev_mtu_ask(netdev, self->family->mtu_max);
    int error = self->queue.pool ? 0 : memory_prepare(self);
    if (error)
        return error;
    bm_advanced_poll_prepare(self);
    bm_advanced_interrupts_prepare(self);
    bm_netqueue_add(netdev, &self->queue);
    if (!bm_advanced_program(self))
        return -BM_EIO;
    bm_advanced_interrupts_enable(self);
    return 0;
}

static const struct bm_netdev_ops advanced_ops = {
    .send = bm_advanced_send, .flush = bm_advanced_flush, .start = advanced_start, .aim = bm_advanced_aim};

// The address that the firmware or the hypervisor left in the registers before the reset, else the one that
// the reset has loaded from the EEPROM, else a random, locally administered one.
static int advanced_prepare(struct advanced *self)
{
    const struct advanced_family *family = self->family;
    bm_pci_enable(self->pci);
    self->registers = bm_pci_bar_map(self->pci, 0, 0, REGISTERS_SIZE);
    if (!self->registers)
        return -BM_EIO; // the log says why
    const char *wrong = NULL;
    bool gone = advanced_read(self, family->status) == UINT32_MAX;
    bool known = !gone && family->address_read(self, self->netdev.mac);
    if (gone)
        wrong = "does not answer";
    else if (!family->reset(self))
        wrong = "does not come back from its reset";
    if (wrong) {
        bm_advanced_fail(self, wrong);
        return -BM_EIO;
    }
    if (!known && !family->address_read(self, self->netdev.mac))
        mac_make(self->netdev.mac);
    self->netdev.link_up = family->link_read(self);
    return 0;
}

int bm_advanced_attach(struct bm_device *device, const struct advanced_family *family)
{
    struct advanced *self = bm_memory_permanent(sizeof *self, _Alignof(struct advanced));
    if (!self)
        return -BM_ENOMEM;
    self->pci = bm_pci_device_of(device);
    self->family = family;
    self->netdev.driver = family->name;
    self->netdev.ops = &advanced_ops;
    self->netdev.mtu = MTU_DEFAULT;
    self->netdev.queue_max = 1;
    self->netdev.capabilities =
        BM_NETDEV_CHECKSUM_TX | BM_NETDEV_CHECKSUM_RX | BM_NETDEV_TSO4 | BM_NETDEV_TSO6;
    device->state = self;
    int error = advanced_prepare(self);
    if (!error)
        error = bm_netdev_add(&self->netdev);
    if (error)
        return error;
    nic_log(device->name, &self->netdev);
    return 0;
}
