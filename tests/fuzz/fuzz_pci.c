// Fuzzer of the PCI bus: a configuration space of any bytes, writable where the bytes say so. It is read, and
// gets addresses as if the firmware had given none.
// SPDX-License-Identifier: MIT
// @sources drivers/bus/pci_parse.c drivers/bus/bare/bare_pci_assign.c
// @max_len 2048
#include "../../drivers/bus/bare/bare_pci.h"
#include "../../drivers/bus/pci_parse.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level;
    (void)subject;
    (void)format;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    (void)format;
    if (size)
        buffer[0] = 0;
    return 0;
}

// The input is a list of functions of 264 bytes: bus, number, wiring of the six base address registers,
// configuration space.
enum { HEAD = 8, SPACE = 256, RECORD = HEAD + SPACE };
static uint8_t *machine;
static size_t machine_count;
static unsigned accesses;

static uint8_t *function_at(uint8_t bus, uint8_t number)
{
    for (size_t i = 0; i < machine_count; i++)
        if (machine[i * RECORD] == bus && machine[i * RECORD + 1] == number)
            return machine + i * RECORD;
    return NULL;
}

static uint32_t fake_read(const struct bm_pci_host *host, uint8_t bus, uint8_t number, unsigned offset,
                          unsigned size)
{
    (void)host;
    uint32_t value = 0xffffffff;
    uint8_t *function = function_at(bus, number);
    if (offset % size || ++accesses > 2000000)
        abort();
    if (function && offset + size <= SPACE)
        memcpy(&value, function + HEAD + offset, size);
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

// Which bits of a register can be written: those from some bit upwards, or a pattern.
static uint32_t mask_of(uint8_t wiring)
{
    return wiring & 0x80 ? 0xffffffffu << (wiring & 31) : wiring * 0x01010101u;
}

static void fake_write(const struct bm_pci_host *host, uint8_t bus, uint8_t number, unsigned offset,
                       unsigned size, uint32_t value)
{
    (void)host;
    uint8_t *function = function_at(bus, number);
    if (!function || offset % size)
        abort(); // to a function that is not there
    if (offset + size > SPACE)
        return;
    if (offset >= BM_PCI_BAR0 && offset < BM_PCI_BAR0 + 4 * BM_PCI_BARS) {
        uint32_t mask = mask_of(function[2 + (offset - BM_PCI_BAR0) / 4]), old;
        memcpy(&old, function + HEAD + offset, 4);
        value = (old & ~mask) | (value & mask);
    }
    memcpy(function + HEAD + offset, &value, size);
}

static void check_bars(struct bm_pci_device *device)
{
    for (unsigned i = 0; i <= BM_PCI_BARS; i++) {
        struct bm_pci_bar bar;
        int error = bm_pci_bar_get(device, i, &bar);
        if (error && bar.size)
            abort();
        if (!error &&
            (bar.size & (bar.size - 1) || bar.base % bar.size || bar.base + bar.size - 1 < bar.base))
            abort();
    }
}

static void check_function(const struct bm_pci_device *found, void *arg)
{
    (void)arg;
    struct bm_pci_device device = *found;
    struct bm_pci_msix msix;
    if (bm_pci_msix_get(&device, &msix) == 0 &&
        (msix.bar >= BM_PCI_BARS || msix.count > BM_PCI_MSIX_MAX || msix.offset % 8))
        abort();
    unsigned at = 0;
    for (unsigned steps = 0; steps < 64 && (at = bm_pci_capability_find(&device, BM_PCI_CAP_VENDOR, at)) != 0;
         steps++)
        if (at < 0x40 || at > 0xfc || at % 4)
            abort();
    check_bars(&device);
}

static void assign(const struct bm_pci_host *host)
{
    struct bare_pci_windows windows = {
        .memory = 0xc0000000, .memory_end = 0xfec00000, .ports = 0xc000, .ports_end = 0x10000};
    bm_bare_pci_is_bare(host);
    if (bm_bare_pci_assign(host, &windows) > machine_count * BM_PCI_BARS || windows.memory < 0xc0000000 ||
        windows.memory > windows.memory_end || windows.ports < 0xc000 || windows.ports > windows.ports_end ||
        windows.memory_end != 0xfec00000 || windows.ports_end != 0x10000)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bm_pci_host host = {.read = fake_read, .write = fake_write, .last_bus = 255};
    machine_count = size / RECORD;
    machine = malloc(machine_count * RECORD + 1);
    if (!machine)
        abort();
    memcpy(machine, data, machine_count * RECORD);
    accesses = 0;
    bm_pci_scan(&host, size & 1, check_function, NULL);
    assign(&host);
    free(machine);
    return 0;
}
