// Interrupt lines of PCI devices (PCI 3.0 section 2.2.6), for those without messages.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Which input of an interrupt controller a line reaches is the machine's affair. What stands in the
// configuration space is the firmware's answer for machines that use the ISA interrupts (section 6.2.4), and
// so does this: QEMU's chipsets raise those inputs of the I/O APIC, too. Where it is not so, no interrupt
// ever comes, and the driver goes on polling.
#include "pci_parse.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/log.h>

#include <stdatomic.h>

enum { LINES_MAX = 4, USERS_MAX = 8, INTERRUPT_LINE = 0x3c, INTERRUPT_PIN = 0x3d, ISA_INTERRUPTS = 16 };

// An interrupt with all the devices that share it. Grows only.
struct line {
    unsigned irq;
    int vector;
    atomic_uint count;
    struct {
        bm_interrupt_handler handler;
        void *arg;
        const struct bm_pci_device *device;
    } users[USERS_MAX];
};

static struct line lines[LINES_MAX];
static unsigned line_count;

static void line_interrupt(void *arg)
{
    struct line *line = arg;
    unsigned count = atomic_load_explicit(&line->count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        line->users[i].handler(line->users[i].arg);
}

// A device that nobody drives could hold the line raised for ever: such are taken off all lines. Those with a
// driver are off theirs since bm_pci_enable.
static void lines_clear(void)
{
    for (const struct bm_device *device = bm_device_first(); device; device = device->next) {
        if (device->bus != BM_BUS_PCI || device->driver)
            continue;
        const struct bm_pci_device *pci = (const struct bm_pci_device *)device;
        bm_pci_write16(pci, BM_PCI_COMMAND, bm_pci_read16(pci, BM_PCI_COMMAND) | BM_PCI_COMMAND_NO_INTX);
    }
}

// The line of that number, with a free place.
static struct line *line_of(unsigned irq)
{
    for (unsigned i = 0; i < line_count; i++)
        if (lines[i].irq == irq)
            return lines[i].count < USERS_MAX ? &lines[i] : NULL;
    if (line_count == LINES_MAX)
        return NULL;
    struct line *line = &lines[line_count];
    lines_clear();
    line->irq = irq;
    line->vector = bm_interrupt_allocate(line_interrupt, line);
    if (line->vector < 0)
        return NULL;
    if (bm_interrupt_route_isa(irq, line->vector)) {
        bm_interrupt_free(line->vector);
        return NULL;
    }
    line_count++;
    return line;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler handler, void *arg)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(handler, "a line stays raised until a handler acknowledges");
    unsigned irq = bm_pci_read8(device, INTERRUPT_LINE);
    if (!bm_pci_read8(device, INTERRUPT_PIN) || irq == 0 || irq >= ISA_INTERRUPTS)
        return -BM_ENODEV;
    struct line *line = line_of(irq);
    if (!line)
        return -BM_ENOSPC;
    unsigned count = line->count;
    line->users[count].handler = handler;
    line->users[count].arg = arg;
    line->users[count].device = device;
    atomic_store_explicit(&line->count, count + 1, memory_order_release);
    uint16_t command = bm_pci_read16(device, BM_PCI_COMMAND);
    bm_pci_write16(device, BM_PCI_COMMAND, command & (uint16_t)~BM_PCI_COMMAND_NO_INTX);
    return 0;
}

int bm_pci_line_aim(struct bm_pci_device *device, unsigned core)
{
    for (unsigned i = 0; i < line_count; i++)
        for (unsigned user = 0; user < lines[i].count; user++)
            if (lines[i].users[user].device == device)
                return lines[i].count == 1 ? bm_interrupt_route_aim(lines[i].vector, core) : -BM_EBUSY;
    return -BM_EINVAL;
}
