// The two ways to PCI configuration space on a PC: PCI Express memory window, and I/O ports.
// SPDX-License-Identifier: MIT
// @optimize size
#include "pci_parse.h"

#include <baremetal/boot.h>
#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

// Configuration mechanism 1 (PCI Local Bus 3.0 section 3.2.2.3.2): an address port and a data port, which
// belong together.
enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc, PORT_SPACE = 256 };

static struct bm_spinlock bm_pci_port_lock = BM_SPINLOCK_INIT;

static void bm_pci_port_select(uint8_t bus, uint8_t function, unsigned offset)
{
    bm_port_out32(PORT_ADDRESS,
                  0x80000000u | (uint32_t)bus << 16 | (uint32_t)function << 8 | (offset & 0xfc));
}

static uint32_t bm_pci_port_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function,
                                 unsigned offset, unsigned size)
{
    (void)host;
    if (offset + size > PORT_SPACE)
        return 0xffffffff;
    bm_spinlock_acquire(&bm_pci_port_lock);
    bm_pci_port_select(bus, function, offset);
    uint32_t value = bm_port_in32(PORT_DATA) >> (offset % 4 * 8);
    bm_spinlock_release(&bm_pci_port_lock);
    return size == 4 ? value : size == 2 ? (uint16_t)value : (uint8_t)value;
}

static void bm_pci_port_write(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                              unsigned size, uint32_t value)
{
    (void)host;
    if (offset + size > PORT_SPACE)
        return;
    uint16_t port = (uint16_t)(PORT_DATA + offset % 4);
    bm_spinlock_acquire(&bm_pci_port_lock);
    bm_pci_port_select(bus, function, offset);
    if (size == 4)
        bm_port_out32(port, value);
    else if (size == 2)
        bm_port_out16(port, (uint16_t)value);
    else
        bm_port_out8(port, (uint8_t)value);
    bm_spinlock_release(&bm_pci_port_lock);
}

bool bm_pci_host_ports(struct bm_pci_host *host)
{
    // The address port keeps what is written to it; where there is no PCI, nothing answers.
    bm_port_out32(PORT_ADDRESS, 0x80000000u);
    if (bm_port_in32(PORT_ADDRESS) != 0x80000000u)
        return false;
    *host = (struct bm_pci_host){.read = bm_pci_port_read, .write = bm_pci_port_write, .last_bus = 255};
    return true;
}

// Enhanced configuration access (PCI Express 5.0 section 7.2.2): 4 KiB for each function, 1 MiB for each bus,
// mapped when first used.
enum { ECAM_BUS_SIZE = 1 << 20, ECAM_FUNCTION_SIZE = 4096, ECAM_HOSTS_MAX = 4 };

struct bm_pci_ecam {
    const struct bm_pci_host *host;
    volatile uint8_t *bus[256];
};

// Only machines with several PCI segments use more than the first.
static struct bm_pci_ecam *bm_pci_ecams[ECAM_HOSTS_MAX];
static struct bm_spinlock bm_pci_ecam_lock = BM_SPINLOCK_INIT;

static volatile uint8_t *bm_pci_ecam_function(const struct bm_pci_host *host, uint8_t bus, uint8_t function)
{
    struct bm_pci_ecam *ecam = NULL;
    for (unsigned i = 0; i < ECAM_HOSTS_MAX && bm_pci_ecams[i]; i++)
        if (bm_pci_ecams[i]->host == host)
            ecam = bm_pci_ecams[i];
    if (!ecam || bus < host->first_bus || bus > host->last_bus)
        return NULL;
    if (!ecam->bus[bus]) {
        bm_spinlock_acquire(&bm_pci_ecam_lock);
        if (!ecam->bus[bus])
            ecam->bus[bus] = bm_memory_map_device(host->base + (uint64_t)bus * ECAM_BUS_SIZE, ECAM_BUS_SIZE,
                                                  BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
        bm_spinlock_release(&bm_pci_ecam_lock);
    }
    return ecam->bus[bus] ? ecam->bus[bus] + (size_t)function * ECAM_FUNCTION_SIZE : NULL;
}

static uint32_t bm_pci_ecam_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function,
                                 unsigned offset, unsigned size)
{
    volatile uint8_t *space = bm_pci_ecam_function(host, bus, function);
    if (!space || offset + size > ECAM_FUNCTION_SIZE)
        return 0xffffffff;
    return size == 4   ? *(volatile uint32_t *)(space + offset)
           : size == 2 ? *(volatile uint16_t *)(space + offset)
                       : space[offset];
}

static void bm_pci_ecam_write(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                              unsigned size, uint32_t value)
{
    volatile uint8_t *space = bm_pci_ecam_function(host, bus, function);
    if (!space || offset + size > ECAM_FUNCTION_SIZE)
        return;
    if (size == 4)
        *(volatile uint32_t *)(space + offset) = value;
    else if (size == 2)
        *(volatile uint16_t *)(space + offset) = (uint16_t)value;
    else
        space[offset] = (uint8_t)value;
}

bool bm_pci_host_ecam(struct bm_pci_host *host, uint64_t base, uint16_t segment, uint8_t first_bus,
                      uint8_t last_bus)
{
    unsigned i = 0;
    while (i < ECAM_HOSTS_MAX && bm_pci_ecams[i])
        i++;
    if (i == ECAM_HOSTS_MAX || first_bus > last_bus || base % ECAM_BUS_SIZE || base == 0 ||
        base >= 1ull << 52)
        return false;
    struct bm_pci_ecam *ecam = bm_frame_allocate(0);
    if (!ecam)
        return false;
    *ecam = (struct bm_pci_ecam){.host = host};
    *host = (struct bm_pci_host){.read = bm_pci_ecam_read,
                                 .write = bm_pci_ecam_write,
                                 .base = base,
                                 .segment = segment,
                                 .first_bus = first_bus,
                                 .last_bus = last_bus};
    bm_pci_ecams[i] = ecam;
    return true;
}
