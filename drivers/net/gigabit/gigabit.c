// Intel's gigabit controllers: reset, address, start. What the drivers e1000 and e1000e share.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Sections without a name are those of Intel's manual of the 8254x (317453).
#include "gigabit.h"

#include <baremetal/error.h>
#include <baremetal/time.h>

enum { MILLISECOND = 1000 * 1000, RESET_MAX = 100 * MILLISECOND, EEPROM_MAX = 20 * MILLISECOND };

// Waits until the register's bits under `mask` are `value`.
static bool wait_for(const struct gigabit *self, unsigned offset, uint32_t mask, uint32_t value,
                     uint64_t nanoseconds)
{
    uint64_t end = bm_time_monotonic() + nanoseconds;
    while ((gigabit_read(self, offset) & mask) != value) {
        if (bm_time_monotonic() > end)
            return false;
        bm_time_delay(1000);
    }
    return true;
}

void bm_gigabit_fail(struct gigabit *self, const char *why)
{
    bm_spinlock_acquire(&self->lock);
    self->broken = true;
    self->send.stopped = true;
    bm_spinlock_release(&self->lock);
    gigabit_write(self, IMC, UINT32_MAX);
    gigabit_write(self, RCTL, 0);
    gigabit_write(self, TCTL, 0);
    gigabit_write(self, CTRL, CTRL_RESET);
    bm_pci_disable(self->pci); // no more DMA, whatever it thinks of that
    bm_log_error(self->pci->device.name, "%s: it is switched off", why);
}

// Section 14.3, and on PCI Express: DMA has ended before the reset (82574 section 5.2). A reset ends with its
// bit, and all registers read as all ones where there is no device any more.
bool bm_gigabit_reset(struct gigabit *self)
{
    gigabit_write(self, IMC, UINT32_MAX);
    gigabit_write(self, RCTL, 0);
    gigabit_write(self, TCTL, TCTL_PAD);
    if (self->chip->express) {
        gigabit_write(self, CTRL, gigabit_read(self, CTRL) | CTRL_MASTER_DISABLE);
        wait_for(self, STATUS, STATUS_MASTER, 0, MILLISECOND); // some never say so
    }
    uint32_t control = gigabit_read(self, CTRL) & ~(uint32_t)CTRL_MASTER_DISABLE;
    gigabit_write(self, CTRL, control | CTRL_RESET);
    bm_time_delay(10 * 1000);
    if (!wait_for(self, CTRL, CTRL_RESET, 0, RESET_MAX))
        return false;
    gigabit_write(self, IMC, UINT32_MAX);
    gigabit_read(self, ICR);
    return true;
}

static void ring_program(struct gigabit *self, unsigned base, const void *descriptors, unsigned count)
{
    uint64_t address = bm_dma_address(descriptors);
    gigabit_write(self, base, (uint32_t)address);
    gigabit_write(self, base + 4, (uint32_t)(address >> 32));
    gigabit_write(self, base + 8, count * (unsigned)sizeof(struct gigabit_descriptor));
    gigabit_write(self, base + 0x10, 0);
    gigabit_write(self, base + 0x18, 0);
}

// Sections 14.5 and 14.4: what goes out, then what comes in.
void bm_gigabit_program(struct gigabit *self)
{
    const unsigned char *mac = self->netdev.mac;
    bool express = self->chip->express, jumbo = self->netdev.mtu > MTU_DEFAULT;
    gigabit_write(self, CTRL, CTRL_FULL_DUPLEX | CTRL_AUTO_SPEED | CTRL_LINK_UP);
    for (unsigned flow = FCAL; flow <= FCT; flow += 4)
        gigabit_write(self, flow, 0);
    gigabit_write(self, FCTTV, 0);
    for (unsigned i = 1; i < 15; i++)
        gigabit_write(self, RAH + 8 * i, 0);
    gigabit_write(self, RAL, mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
    gigabit_write(self, RAH, mac[4] | (uint32_t)mac[5] << 8 | RAH_VALID);

    bm_gigabit_send_reset(self);
    ring_program(self, TDBAL, self->send.descriptors, SEND_COUNT);
    gigabit_write(self, TIDV, 0);
    gigabit_write(self, TXDCTL, TXDCTL_DESCRIPTORS | (express ? TXDCTL_82574 : 0));
    if (express)
        gigabit_write(self, TARC, gigabit_read(self, TARC) | TARC_82574);
    gigabit_write(self, TIPG, TIPG_COPPER);
    gigabit_write(self, TCTL, TCTL_ENABLE | TCTL_PAD | TCTL_COLLISIONS | TCTL_DISTANCE);

    bm_gigabit_receive_reset(self);
    ring_program(self, RDBAL, self->receive.descriptors, self->receive.count);
    gigabit_write(self, RXCSUM, RXCSUM_IP | RXCSUM_TCP_UDP);
    if (express) {
        gigabit_write(self, MRQC, 0);
        gigabit_write(self, RFCTL, RFCTL_EXTENDED | RFCTL_PLAIN);
    }
    gigabit_write(self, RCTL,
                  RCTL_ENABLE | RCTL_BROADCAST | RCTL_ALL_GROUPS | RCTL_STRIP_CRC |
                      (jumbo ? RCTL_LONG | RCTL_BUFFERS_1024 : RCTL_BUFFERS_2048));
    bm_gigabit_fill(self);
}

// The EEPROM's first three words (section 5.6.1, read as section 13.4.4 says).
static bool mac_from_eeprom(struct gigabit *self, unsigned char *mac)
{
    const struct gigabit_chip *chip = self->chip;
    for (unsigned word = 0; word < 3; word++) {
        gigabit_write(self, EERD, 1 | word << chip->eerd_shift);
        if (!wait_for(self, EERD, chip->eerd_done, chip->eerd_done, EEPROM_MAX))
            return false;
        uint32_t value = gigabit_read(self, EERD) >> 16;
        mac[2 * word] = (unsigned char)value;
        mac[2 * word + 1] = (unsigned char)(value >> 8);
    }
    return mac_is_station(mac);
}

// The address that the firmware or the hypervisor left in the registers before the reset, else that of the
// EEPROM, else a random, locally administered one.
static void mac_choose(struct gigabit *self, uint32_t low, uint32_t high)
{
    unsigned char *mac = self->netdev.mac;
    mac_from_words(mac, low, high);
    if ((high & RAH_VALID && high != UINT32_MAX && mac_is_station(mac)) || mac_from_eeprom(self, mac))
        return;
    mac_make(mac);
}

static int memory_prepare(struct gigabit *self)
{
    unsigned count = receive_count_choose(self->netdev.mtu > MTU_DEFAULT ? RECEIVE_MAX_JUMBO : RECEIVE_MAX);
    struct gigabit_receive *receive = &self->receive;
    struct gigabit_send *send = &self->send;
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
    self->queue.pool = pool_make(count);
    return self->queue.pool ? 0 : -BM_ENOMEM;
}

static int gigabit_start(struct bm_netdev *netdev, unsigned count)
{
    struct gigabit *self = (struct gigabit *)netdev;
    (void)count; // one queue
    if (self->broken)
        return -BM_EIO;
    if (!self->queue.pool)
        bm_netdev_mtu_ask(netdev, self->chip->mtu_max);
    int error = self->queue.pool ? 0 : memory_prepare(self);
    if (error)
        return error;
    bm_gigabit_poll_prepare(self);
    bm_gigabit_interrupts_prepare(self);
    bm_netqueue_add(netdev, &self->queue);
    bm_gigabit_program(self);
    bm_gigabit_interrupts_enable(self);
    return 0;
}

static const struct bm_netdev_ops gigabit_ops = {
    .send = bm_gigabit_send, .flush = bm_gigabit_flush, .start = gigabit_start, .aim = bm_gigabit_aim};

// A link of PCI Express that goes to sleep stalls the 82574 (specification update, erratum of ASPM L1).
static void aspm_disable(struct gigabit *self)
{
    enum { LINK_CONTROL = 0x10, LINK_CONTROL_ASPM = 3 };
    unsigned express = bm_pci_capability_find(self->pci, BM_PCI_CAP_EXPRESS, 0);
    if (!express)
        return;
    uint16_t control = bm_pci_read16(self->pci, express + LINK_CONTROL);
    bm_pci_write16(self->pci, express + LINK_CONTROL, control & (uint16_t)~LINK_CONTROL_ASPM);
}

static int gigabit_prepare(struct gigabit *self)
{
    bm_pci_enable(self->pci);
    self->registers = bm_pci_bar_map(self->pci, 0, 0, GIGABIT_SIZE);
    if (!self->registers)
        return -BM_EIO; // the log says why
    uint32_t status = gigabit_read(self, STATUS);
    uint32_t low = gigabit_read(self, RAL), high = gigabit_read(self, RAH);
    const char *wrong = NULL;
    if (status == UINT32_MAX)
        wrong = "does not answer";
    else if (self->chip->no_pcix && status & STATUS_PCIX)
        wrong = "stands in a PCI-X slot, which its errata forbid";
    else if (!bm_gigabit_reset(self))
        wrong = "does not come back from its reset";
    if (wrong) {
        bm_gigabit_fail(self, wrong);
        return -BM_EIO;
    }
    if (self->chip->express)
        aspm_disable(self);
    mac_choose(self, low, high);
    gigabit_write(self, CTRL, CTRL_FULL_DUPLEX | CTRL_AUTO_SPEED | CTRL_LINK_UP);
    self->netdev.link_up = gigabit_read(self, STATUS) & STATUS_LINK;
    return 0;
}

int bm_gigabit_attach(struct bm_device *device, const struct gigabit_chip *chip)
{
    struct gigabit *self = bm_memory_permanent(sizeof *self, _Alignof(struct gigabit));
    if (!self)
        return -BM_ENOMEM;
    self->pci = bm_pci_device_of(device);
    self->chip = chip;
    self->netdev.driver = chip->name;
    self->netdev.ops = &gigabit_ops;
    self->netdev.mtu = MTU_DEFAULT;
    self->netdev.queue_max = 1;
    // QEMU's 8254x count the IPv6 header into the length of what they cut up: such frames nobody takes.
    self->netdev.capabilities =
        BM_NETDEV_CHECKSUM_TX | BM_NETDEV_CHECKSUM_RX | BM_NETDEV_TSO4 | (chip->express ? BM_NETDEV_TSO6 : 0);
    device->state = self;
    int error = gigabit_prepare(self);
    if (!error)
        error = bm_netdev_add(&self->netdev);
    if (error)
        return error;
    nic_log(device->name, &self->netdev);
    return 0;
}
