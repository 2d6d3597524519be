// AHCI controllers: SATA disks with queued commands, and discs; ports that are stuck are reset.
// SPDX-License-Identifier: MIT
//
// QEMU: -machine q35 has one: -drive if=none,id=d,file=disk.img,format=raw -device ide-hd,drive=d
//       another one: -device ahci,id=a -device ide-hd,drive=d,bus=a.0; a disc: -device ide-cd,drive=d
//
// Section numbers are those of Serial ATA AHCI, revision 1.3.1. Each port with a device is a disk with one
// queue. Not here: port multipliers, enclosures, devices that come while the machine runs, power management
// of links.
#include "ahci.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

static void ports_raise(struct ahci *self)
{
    for (unsigned i = 0; i < self->port_count; i++)
        atomic_store_explicit(&self->ports[i]->raised, true, memory_order_release);
}

static void message_interrupt(void *arg)
{
    ports_raise(arg);
}

// Others may share the line. It is masked until somebody has looked.
static void line_interrupt(void *arg)
{
    struct ahci *self = arg;
    if (!ahci_read(self, AHCI_IS))
        return;
    ahci_write(self, AHCI_GHC, AHCI_GHC_AHCI);
    atomic_store_explicit(&self->line_works, true, memory_order_relaxed);
    atomic_store_explicit(&self->line_raised, true, memory_order_release);
    ports_raise(self);
}

static void interrupts_start(struct ahci *self)
{
    if (bm_pci_interrupt_start(self->pci, 1) > 0 &&
        bm_pci_interrupt_set(self->pci, 0, message_interrupt, self) == 0)
        self->interrupts = AHCI_MESSAGE;
    else if (bm_pci_line_set(self->pci, line_interrupt, self) == 0)
        self->interrupts = AHCI_LINE;
    else
        bm_log_warn(self->pci->device.name, "has no interrupt: it is polled");
    ahci_write(self, AHCI_IS, UINT32_MAX);
    ahci_write(self, AHCI_GHC, AHCI_GHC_AHCI | (self->interrupts == AHCI_POLLED ? 0 : AHCI_GHC_IE));
}

static bool wait_for(struct ahci *self, unsigned offset, uint32_t mask, uint32_t value, uint64_t time)
{
    uint64_t end = bm_time_monotonic() + time;
    while ((ahci_read(self, offset) & mask) != value)
        if (bm_time_monotonic() > end)
            return false;
    return true;
}

// The firmware gives the controller away (section 10.6.3): within 25 ms, or two seconds if it is busy.
static void handoff(struct ahci *self)
{
    enum { CAN_HANDOFF = 1, FIRMWARE = 1 << 0, SYSTEM = 1 << 1, BUSY = 1 << 4 };
    if (!(ahci_read(self, AHCI_CAP2) & CAN_HANDOFF))
        return;
    ahci_write(self, AHCI_BOHC, ahci_read(self, AHCI_BOHC) | SYSTEM);
    if (wait_for(self, AHCI_BOHC, FIRMWARE, 0, 25 * AHCI_MILLISECOND))
        return;
    bool busy = ahci_read(self, AHCI_BOHC) & BUSY;
    if (!busy || !wait_for(self, AHCI_BOHC, FIRMWARE, 0, 2 * AHCI_SECOND))
        bm_log_warn(self->pci->device.name, "the firmware does not give it away: it is taken");
}

static struct ahci_port *port_create(struct ahci *self, unsigned number)
{
    struct ahci_port *port = bm_memory_permanent(sizeof *port, _Alignof(struct ahci_port));
    struct ahci_memory *memory = NULL;
    if (self->capabilities & AHCI_CAP_64BIT)
        memory = bm_memory_permanent(sizeof *memory, BM_PAGE_SIZE);
    else
        memory = bm_frame_allocate_below(bm_frame_order(sizeof *memory), 32);
    if (!port || !memory)
        return NULL;
    __builtin_memset(memory, 0, sizeof *memory);
    port->ahci = self;
    port->number = number;
    port->memory = memory;
    port->memory_address = bm_dma_address(memory);
    return port;
}

// Where lists and answers lie (section 3.3.1). The link is reset, whatever the firmware has done with it.
static void port_begin(struct ahci_port *port)
{
    uint64_t list = port->memory_address + offsetof(struct ahci_memory, headers);
    uint64_t received = port->memory_address + offsetof(struct ahci_memory, received);
    port_write(port, PORT_CLB, (uint32_t)list);
    port_write(port, PORT_CLB + 4, (uint32_t)(list >> 32));
    port_write(port, PORT_FB, (uint32_t)received);
    port_write(port, PORT_FB + 4, (uint32_t)(received >> 32));
    bm_ahci_recover(port, true);
}

// Spins the device up if the firmware has not, and waits for it: devices come up one after the other where
// the controller wants that (section 10.1.1). Returns whether there is one.
static bool port_spin_up(const struct ahci_port *port)
{
    const uint64_t time = 20 * AHCI_MILLISECOND; // until a device is noticed (section 10.1.2)
    uint32_t command = port_read(port, PORT_CMD), up = PORT_CMD_SPIN_UP | PORT_CMD_POWER_ON;
    if ((command & up) != up)
        port_write(port, PORT_CMD, command | up);
    uint64_t end = bm_time_monotonic() + time;
    while ((command & up) != up && bm_time_monotonic() < end &&
           !(port_read(port, PORT_SSTS) & PORT_SSTS_DETECTION))
        ;
    return port_read(port, PORT_SSTS) & PORT_SSTS_DETECTION;
}

// Section 10.1.2: every port stands still, or the whole controller is reset.
static const char *ports_find(struct ahci *self)
{
    uint32_t implemented = ahci_read(self, AHCI_PI);
    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++) {
        struct ahci_port probe = {.ahci = self, .number = i};
        if (!(implemented & 1u << i))
            continue;
        if (!bm_ahci_stop(&probe)) {
            ahci_write(self, AHCI_GHC, AHCI_GHC_AHCI | AHCI_GHC_RESET);
            if (!wait_for(self, AHCI_GHC, AHCI_GHC_RESET, 0, AHCI_SECOND))
                return "does not come back from its reset";
            ahci_write(self, AHCI_GHC, AHCI_GHC_AHCI);
        }
        if (!port_spin_up(&probe))
            continue;
        self->ports[self->port_count] = port_create(self, i);
        if (!self->ports[self->port_count])
            return "cannot be used: out of memory";
        port_begin(self->ports[self->port_count++]);
    }
    return NULL;
}

// Until each port works, or has failed.
static void ports_advance(struct ahci *self)
{
    for (bool waits = true; waits;) {
        waits = false;
        for (unsigned i = 0; i < self->port_count; i++) {
            bm_ahci_advance(self->ports[i]);
            waits |= atomic_load(&self->ports[i]->stage) < PORT_LIVE;
        }
    }
}

static void port_add(struct ahci_port *port)
{
    uint32_t signature = port_read(port, PORT_SIG);
    const char *name = port->ahci->pci->device.name, *wrong = NULL;
    port->packet = signature == PORT_SIG_PACKET;
    if (signature != PORT_SIG_PACKET && signature != PORT_SIG_DISK)
        wrong = "is neither a disk nor a drive of discs";
    else
        wrong = bm_ahci_identify(port);
    if (wrong) {
        bm_log(port->packet ? BM_LOG_INFO : BM_LOG_WARN, name, "port %u: what is there %s", port->number,
               wrong);
        bm_ahci_stop(port);
        atomic_store(&port->stage, PORT_DEAD);
        return;
    }
    if (!port->packet)
        bm_ahci_recover(port, false); // leaves nothing of the questions behind
    ports_advance(port->ahci);
    for (unsigned i = 0; port->packet && (i == 0 || bm_blockdev_find(port->blockdev.name)); i++)
        bm_format(port->blockdev.name, BM_BLOCK_NAME_MAX, "sr%u", i);
    bm_ahci_queue_prepare(port);
    if (bm_blockdev_add(&port->blockdev, port->packet ? NULL : "sd")) {
        bm_ahci_fail(port, "says of itself what cannot be");
        return;
    }
    bm_log_info(name, "port %u is %s: %llu sectors of %u bytes, %u requests at once", port->number,
                port->blockdev.name, (unsigned long long)port->blockdev.sectors, port->blockdev.sector_size,
                port->queue.depth);
}

// Registers up to those of the last port that there is.
static const char *registers_map(struct ahci *self)
{
    enum { BAR = 5 };
    self->registers = bm_pci_bar_map(self->pci, BAR, 0, AHCI_PORTS);
    if (!self->registers)
        return "has no usable registers";
    uint32_t implemented = ahci_read(self, AHCI_PI);
    if (ahci_read(self, AHCI_CAP) == UINT32_MAX)
        return "does not answer";
    if (!implemented)
        return "has no ports";
    unsigned ports = 32 - (unsigned)__builtin_clz(implemented);
    self->registers = bm_pci_bar_map(self->pci, BAR, 0, AHCI_PORTS + (size_t)ports * AHCI_PORT_SIZE);
    return self->registers ? NULL : "has no usable registers of its ports";
}

static int ahci_attach(struct bm_device *device)
{
    struct ahci *self = bm_memory_permanent(sizeof *self, _Alignof(struct ahci));
    if (!self)
        return -BM_ENOMEM;
    self->pci = bm_pci_device_of(device);
    device->state = self;
    bm_pci_enable(self->pci);
    const char *wrong = registers_map(self);
    if (!wrong) {
        handoff(self);
        ahci_write(self, AHCI_GHC, AHCI_GHC_AHCI);
        self->capabilities = ahci_read(self, AHCI_CAP);
        wrong = ports_find(self);
    }
    if (wrong) {
        bm_log_error(device->name, "%s: it is left alone", wrong);
        bm_pci_disable(self->pci);
        return -BM_EIO;
    }
    interrupts_start(self);
    ports_advance(self);
    for (unsigned i = 0; i < self->port_count; i++)
        if (atomic_load(&self->ports[i]->stage) == PORT_LIVE)
            port_add(self->ports[i]);
    return 0;
}

static const struct bm_device_id ahci_ids[] = {
    {.bus = BM_BUS_PCI,
     .vendor = BM_ID_ANY,
     .device = BM_ID_ANY,
     .class_code = 0x010601, // mass storage, serial ATA, AHCI
     .class_mask = 0xffffff},
    BM_DEVICE_ID_END,
};

BM_DRIVER(ahci) = {.name = "ahci", .ids = ahci_ids, .attach = ahci_attach};
