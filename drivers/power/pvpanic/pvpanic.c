// QEMU's panic notifier: the hypervisor is told that the machine ends by a fault or a panic.
// SPDX-License-Identifier: MIT
//
// QEMU: -device pvpanic-pci, or -device pvpanic (a port; libvirt's <panic model='isa'/>)
//
// Facts are those of QEMU's docs/specs/pvpanic.txt: one register of a byte. Reading tells which events the
// device knows, writing one tells that it happened.
#include <baremetal/cpu.h>
#include <baremetal/error.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/pci.h>
#include <stddef.h>

enum { PORT = 0x505, PANICKED = 1 << 0, SHUTDOWN = 1 << 2, KNOWN = 7 };

static struct {
    uint16_t port; // 0: it has none
    uint8_t events;
    volatile uint8_t *registers; // of the PCI device; NULL: it is not there
} pvpanic;

void __real_bm_power_off(int status) __attribute__((noreturn));
void __wrap_bm_power_off(int status) __attribute__((noreturn));

static void tell(int status)
{
    uint8_t event = status == BM_POWER_FAULT ? PANICKED : SHUTDOWN;
    if (!(pvpanic.events & event))
        return;
    if (pvpanic.registers)
        *pvpanic.registers = event;
    else
        bm_port_out8(pvpanic.port, event);
}

// In place of bm_power_off (the target's link option --wrap), so that images without this driver have no byte
// of it. After a fault, too: it only writes to what was found at boot.
void __wrap_bm_power_off(int status)
{
    __asm__ volatile("cli");
    tell(status);
    __real_bm_power_off(status);
}

// Whether what was read are events of such a device: nothing answers with all ones, or zeros.
static bool events_take(uint8_t events)
{
    if (!(events & PANICKED) || events & ~KNOWN)
        return false;
    pvpanic.events = events;
    return true;
}

// The port belongs to nobody else on the machines that QEMU makes; others are not asked.
static int port_find(void)
{
    if (!bm_cpu_features_get()->hypervisor)
        return -BM_ENODEV;
    if (pvpanic.registers || !events_take(bm_port_in8(PORT)))
        return -BM_ENODEV;
    pvpanic.port = PORT;
    return 0;
}

static int pvpanic_attach(struct bm_device *device)
{
    if (device->bus == BM_BUS_ROOT)
        return port_find();
    struct bm_pci_device *pci = bm_pci_device_of(device);
    volatile uint8_t *registers = bm_pci_bar_map(pci, 0, 0, 1);
    if (!registers)
        return -BM_ENODEV;
    bm_pci_enable(pci);
    if (!events_take(*registers))
        return -BM_ENODEV;
    pvpanic.registers = registers;
    return 0;
}

static const struct bm_device_id pvpanic_ids[] = {
    {.bus = BM_BUS_ROOT},
    {.bus = BM_BUS_PCI, .vendor = 0x1b36, .device = 0x0011},
    BM_DEVICE_ID_END,
};

BM_DRIVER(pvpanic) = {.name = "pvpanic", .ids = pvpanic_ids, .attach = pvpanic_attach};
