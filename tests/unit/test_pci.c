// The PCI bus over an invented configuration space: bus walks, capabilities, base addresses, lies.
// SPDX-License-Identifier: MIT
// @sources drivers/bus/pci_parse.c
#include "../../drivers/bus/pci_parse.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned warnings;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    warnings += level <= BM_LOG_WARN;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

// --- The invented machine ---

enum { FUNCTIONS_MAX = 80 };

struct function {
    uint8_t bus, number; // device * 8 + function
    uint32_t decoded[6]; // bits of each base address register that can be written
    uint8_t space[256];
};

static struct function functions[FUNCTIONS_MAX];
static unsigned function_count, reads, undecoded_probes;

static struct function *function_at(uint8_t bus, uint8_t number)
{
    for (unsigned i = 0; i < function_count; i++)
        if (functions[i].bus == bus && functions[i].number == number)
            return &functions[i];
    return NULL;
}

static uint32_t fake_read(const struct bm_pci_host *host, uint8_t bus, uint8_t number, unsigned offset,
                          unsigned size)
{
    (void)host;
    uint32_t value = 0xffffffff;
    const struct function *function = function_at(bus, number);
    assert_true(size == 1 || size == 2 || size == 4);
    assert_int_equal(offset % size, 0);
    reads++;
    if (function && offset + size <= sizeof function->space)
        memcpy(&value, function->space + offset, size);
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

static void fake_write(const struct bm_pci_host *host, uint8_t bus, uint8_t number, unsigned offset,
                       unsigned size, uint32_t value)
{
    (void)host;
    struct function *function = function_at(bus, number);
    assert_non_null(function);
    if (offset >= BM_PCI_BAR0 && offset < BM_PCI_BAR0 + 24) {
        assert_int_equal(size, 4);
        uint32_t mask = function->decoded[(offset - BM_PCI_BAR0) / 4], old;
        memcpy(&old, function->space + offset, 4);
        if (value == 0xffffffff && !(function->space[BM_PCI_COMMAND] & 3))
            undecoded_probes++;
        value = (old & ~mask) | (value & mask);
    }
    assert_true(offset + size <= sizeof function->space);
    memcpy(function->space + offset, &value, size);
}

static const struct bm_pci_host host = {.read = fake_read, .write = fake_write, .last_bus = 255};

static void put(struct function *function, unsigned offset, unsigned size, uint32_t value)
{
    memcpy(function->space + offset, &value, size);
}

static struct function *add_function(uint8_t bus, unsigned device, unsigned number, uint32_t id,
                                     uint8_t header)
{
    assert_true(function_count < FUNCTIONS_MAX);
    struct function *function = &functions[function_count++];
    *function = (struct function){.bus = bus, .number = (uint8_t)(device * 8 + number)};
    put(function, BM_PCI_VENDOR, 4, id);
    put(function, BM_PCI_HEADER_TYPE, 1, header);
    put(function, BM_PCI_REVISION, 4, 0x02000001);
    return function;
}

static struct function *add_bridge(uint8_t bus, unsigned device, uint8_t secondary, uint8_t subordinate)
{
    struct function *bridge = add_function(bus, device, 0, 0x00011b36, 1);
    put(bridge, BM_PCI_SECONDARY_BUS, 1, secondary);
    put(bridge, BM_PCI_SUBORDINATE_BUS, 1, subordinate);
    return bridge;
}

// Adds a capability at `offset` in front of those that are there.
static void add_capability(struct function *function, unsigned offset, uint8_t id)
{
    put(function, BM_PCI_STATUS, 2, 1 << 4);
    put(function, offset, 1, id);
    put(function, offset + 1, 1, function->space[BM_PCI_CAPABILITIES]);
    put(function, BM_PCI_CAPABILITIES, 1, offset);
}

static int clear(void **state)
{
    (void)state;
    function_count = reads = warnings = undecoded_probes = 0;
    return 0;
}

static struct bm_pci_device device_of(const struct function *function)
{
    return (struct bm_pci_device){.host = &host,
                                  .bus = function->bus,
                                  .function = function->number,
                                  .header_type = function->space[BM_PCI_HEADER_TYPE] & 0x7f};
}

// --- The walk ---

static char found[4096];

static void note(const struct bm_pci_device *device, void *arg)
{
    assert_ptr_equal(arg, found);
    size_t length = strlen(found);
    assert_true(length + 32 < sizeof found);
    snprintf(found + length, sizeof found - length, "%s;", device->device.name + 4);
}

static unsigned scan(void)
{
    found[0] = 0;
    return bm_pci_scan(&host, false, note, found);
}

static void walk_finds_functions_behind_bridges(void **state)
{
    (void)state;
    add_function(0, 0, 0, 0x29c08086, 0);
    add_function(0, 3, 0, 0x10001af4, 0x80);
    add_function(0, 3, 5, 0x10001af4, 0);
    add_function(0, 4, 3, 0x10001af4, 0); // no function 0: nothing there
    add_function(0, 5, 0, 0x10001af4, 0);
    add_function(0, 5, 1, 0x10001af4, 0); // function 0 says that it is the only one
    add_bridge(0, 30, 1, 3);
    add_function(0, 30, 1, 0x10001af4, 0); // a bridge is not more than it says either
    add_bridge(1, 0, 2, 2);
    add_function(1, 31, 0, 0x100e8086, 0);
    add_function(2, 7, 0, 0x100e8086, 0);
    add_function(3, 7, 0, 0x100e8086, 0); // no bridge leads there
    assert_int_equal(scan(), 8);
    assert_string_equal(found, "00:00.0;00:03.0;00:03.5;00:05.0;00:1e.0;01:00.0;01:1f.0;02:07.0;");
    assert_int_equal(warnings, 0);
    assert_true(reads < 200); // three buses, not 256
}

static void walk_asks_a_link_for_one_device(void **state)
{
    (void)state;
    struct function *port = add_bridge(0, 1, 1, 1);
    add_capability(port, 0x54, BM_PCI_CAP_EXPRESS);
    put(port, 0x56, 2, 4 << 4 | 2); // root port
    add_function(1, 0, 0, 0x10411af4, 0);
    add_function(1, 9, 0, 0x10411af4, 0);
    assert_int_equal(scan(), 2);
    assert_string_equal(found, "00:01.0;01:00.0;");
}

static void walk_does_not_follow_bridges_that_lie(void **state)
{
    (void)state;
    add_bridge(0, 1, 0, 255); // to itself
    add_bridge(0, 2, 5, 4);   // ends before it begins
    add_bridge(0, 3, 2, 3);
    add_bridge(0, 4, 2, 3); // where another one leads
    add_bridge(2, 0, 1, 3); // back
    add_bridge(2, 1, 3, 9); // out of what its own bridge passes on
    add_bridge(2, 2, 2, 3); // to its own bus
    assert_int_equal(scan(), 7);
    assert_int_equal(warnings, 6);
}

static void walk_ends_in_the_deepest_tree(void **state)
{
    (void)state;
    for (unsigned bus = 0; bus < 64; bus++)
        add_bridge((uint8_t)bus, 0, (uint8_t)(bus + 1), 255);
    assert_int_equal(scan(), 64);
    assert_int_equal(warnings, 0);
}

static void walk_respects_the_hosts_buses(void **state)
{
    (void)state;
    struct bm_pci_host part = host;
    part.first_bus = 4;
    part.last_bus = 5;
    part.segment = 0x12;
    add_function(0, 0, 0, 0x29c08086, 0);
    add_function(4, 0, 0, 0x29c08086, 0);
    add_bridge(4, 1, 5, 5);
    add_bridge(4, 2, 6, 6); // another host's
    add_function(5, 0, 0, 0x10411af4, 0);
    add_function(6, 0, 0, 0x10411af4, 0);
    found[0] = 0;
    assert_int_equal(bm_pci_scan(&part, false, note, found), 4);
    assert_string_equal(found, "12:04:00.0;12:04:01.0;12:04:02.0;12:05:00.0;");
    assert_int_equal(warnings, 1);
}

static void walk_finds_more_root_buses_when_asked(void **state)
{
    (void)state;
    add_function(0, 0, 0, 0x14508086, 0);
    add_bridge(0, 1, 1, 4);
    add_function(1, 0, 0, 0x10411af4, 0);
    add_function(32, 0, 0, 0x14508086, 0);
    add_bridge(32, 3, 33, 33);
    add_function(33, 0, 0, 0x10411af4, 0);
    add_function(40, 1, 0, 0x10411af4, 0); // no device 0: no root
    assert_int_equal(scan(), 3);
    found[0] = 0;
    assert_int_equal(bm_pci_scan(&host, true, note, found), 6);
    assert_string_equal(found, "00:00.0;00:01.0;01:00.0;20:00.0;20:03.0;21:00.0;");
    assert_int_equal(warnings, 0);
    add_function(0, 2, 0, 0x000b1b36, 0); // an expander bridge says that there are more
    assert_int_equal(scan(), 7);
}

// --- Capabilities ---

static void capabilities_are_found_in_order(void **state)
{
    (void)state;
    struct function *function = add_function(0, 0, 0, 0x10411af4, 0);
    struct bm_pci_device device = device_of(function);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSIX, 0), 0); // there is no list
    add_capability(function, 0x40, BM_PCI_CAP_VENDOR);
    add_capability(function, 0x84, BM_PCI_CAP_MSIX);
    add_capability(function, 0x60, BM_PCI_CAP_VENDOR);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSIX, 0), 0x84);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_VENDOR, 0), 0x60);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_VENDOR, 0x60), 0x40);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_VENDOR, 0x40), 0);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSI, 0), 0);
    put(function, BM_PCI_STATUS, 2, 0); // the status register denies the list
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSIX, 0), 0);
}

static void capability_lists_that_lie_end(void **state)
{
    (void)state;
    struct function *function = add_function(0, 0, 0, 0x10411af4, 0);
    struct bm_pci_device device = device_of(function);
    add_capability(function, 0x40, BM_PCI_CAP_VENDOR);
    add_capability(function, 0x50, BM_PCI_CAP_EXPRESS);
    put(function, 0x41, 1, 0x50); // a loop
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSIX, 0), 0);
    assert_true(reads < 64);
    put(function, 0x41, 1, 0x10); // into the header
    put(function, 0x10, 1, BM_PCI_CAP_MSIX);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSIX, 0), 0);
    put(function, 0x41, 1, 0x63); // the two lowest bits are reserved
    put(function, 0x60, 1, BM_PCI_CAP_MSIX);
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSIX, 0), 0x60);
    function->space[0x60] = function->space[0x61] = 0xff; // the device is gone
    assert_int_equal(bm_pci_capability_find(&device, BM_PCI_CAP_MSIX, 0), 0);
}

static void msix_capability(void **state)
{
    (void)state;
    struct bm_pci_msix msix;
    struct function *function = add_function(0, 0, 0, 0x10411af4, 0);
    struct bm_pci_device device = device_of(function);
    assert_int_equal(bm_pci_msix_get(&device, &msix), -BM_ENOENT);
    add_capability(function, 0x98, BM_PCI_CAP_MSIX);
    put(function, 0x9a, 2, 0xc000 | 0x7ff);
    put(function, 0x9c, 4, 0x2000 | 4);
    assert_int_equal(bm_pci_msix_get(&device, &msix), 0);
    assert_int_equal(msix.capability, 0x98);
    assert_int_equal(msix.count, 2048);
    assert_int_equal(msix.bar, 4);
    assert_int_equal(msix.offset, 0x2000);
    put(function, 0x9c, 4, 0x2000 | 6); // there is no register 6
    assert_int_equal(bm_pci_msix_get(&device, &msix), -BM_EINVAL);
    add_capability(function, 0xf8, BM_PCI_CAP_MSIX); // does not fit
    assert_int_equal(bm_pci_msix_get(&device, &msix), -BM_ENOENT);
}

// --- Base address registers ---

static void set_bar(struct function *function, unsigned index, uint32_t value, uint32_t decoded)
{
    put(function, BM_PCI_BAR0 + 4 * index, 4, value);
    function->decoded[index] = decoded;
}

static void bars_of_all_kinds(void **state)
{
    (void)state;
    struct bm_pci_bar bar;
    struct function *function = add_function(0, 0, 0, 0x10411af4, 0);
    put(function, BM_PCI_COMMAND, 2, 0x0507);
    set_bar(function, 0, 0xc041, 0xffffffe0);     // 32 bytes of I/O
    set_bar(function, 1, 0xfebd1000, 0xfffff000); // 4 KiB
    set_bar(function, 2, 0xfe00000c, 0xffffc000); // 16 KiB, 64-bit, prefetchable
    set_bar(function, 3, 0x00000080, 0xffffffff); // … its upper half
    set_bar(function, 5, 0x0000f001, 0x0000ff00); // 256 bytes of I/O, upper half not wired
    struct bm_pci_device device = device_of(function);
    assert_int_equal(bm_pci_bar_get(&device, 0, &bar), 0);
    assert_true(bar.io && !bar.wide && !bar.prefetchable && bar.base == 0xc040 && bar.size == 32);
    assert_int_equal(bm_pci_bar_get(&device, 1, &bar), 0);
    assert_true(!bar.io && !bar.wide && !bar.prefetchable && bar.base == 0xfebd1000 && bar.size == 4096);
    assert_int_equal(bm_pci_bar_get(&device, 2, &bar), 0);
    assert_true(!bar.io && bar.wide && bar.prefetchable && bar.base == 0x80fe000000 && bar.size == 16384);
    assert_int_equal(bm_pci_bar_get(&device, 3, &bar), -BM_ENOENT);
    assert_int_equal(bm_pci_bar_get(&device, 4, &bar), -BM_ENOENT);
    assert_int_equal(bm_pci_bar_get(&device, 5, &bar), 0);
    assert_true(bar.io && bar.base == 0xf000 && bar.size == 256);
    assert_int_equal(bm_pci_bar_get(&device, 6, &bar), -BM_ENOENT);
    // Everything is as it was, and no probe was made while the device decoded addresses.
    assert_int_equal(bm_pci_read16(&device, BM_PCI_COMMAND), 0x0507);
    assert_int_equal(bm_pci_read32(&device, BM_PCI_BAR0 + 8), 0xfe00000c);
    assert_int_equal(bm_pci_read32(&device, BM_PCI_BAR0 + 12), 0x80);
    assert_int_equal(undecoded_probes, 6);
    unsigned before = reads; // read again: from memory
    assert_int_equal(bm_pci_bar_get(&device, 2, &bar), 0);
    assert_int_equal(reads, before);
}

static void bars_that_lie(void **state)
{
    (void)state;
    struct bm_pci_bar bar;
    struct function *function = add_function(0, 0, 0, 0x10411af4, 0);
    set_bar(function, 0, 0x00000000, 0xf0fff000); // holes in the mask
    set_bar(function, 1, 0xfebd1000, 0xffffc000); // base not aligned to the size
    set_bar(function, 2, 0x00000004, 0xffffc000); // 64-bit without an upper half
    set_bar(function, 5, 0xfe000004, 0xffffc000); // the upper half would be outside
    struct bm_pci_device device = device_of(function);
    assert_int_equal(bm_pci_bar_get(&device, 0, &bar), -BM_EINVAL);
    assert_int_equal(bm_pci_bar_get(&device, 1, &bar), -BM_EINVAL);
    assert_int_equal(bm_pci_bar_get(&device, 2, &bar), -BM_EINVAL);
    assert_int_equal(bm_pci_bar_get(&device, 5, &bar), -BM_EINVAL);
    assert_int_equal(bar.size, 0);
}

static void bars_of_bridges(void **state)
{
    (void)state;
    struct bm_pci_bar bar;
    struct function *bridge = add_bridge(0, 0, 1, 1);
    set_bar(bridge, 0, 0xfe000004, 0xfffff000);
    set_bar(bridge, 1, 0, 0xffffffff);
    struct bm_pci_device device = device_of(bridge);
    assert_int_equal(bm_pci_bar_get(&device, 0, &bar), 0);
    assert_int_equal(bm_pci_bar_get(&device, 2, &bar), -BM_ENOENT); // bus numbers are there
    assert_int_equal(bm_pci_read8(&device, BM_PCI_SECONDARY_BUS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(walk_finds_functions_behind_bridges, clear),
        cmocka_unit_test_setup(walk_asks_a_link_for_one_device, clear),
        cmocka_unit_test_setup(walk_does_not_follow_bridges_that_lie, clear),
        cmocka_unit_test_setup(walk_ends_in_the_deepest_tree, clear),
        cmocka_unit_test_setup(walk_respects_the_hosts_buses, clear),
        cmocka_unit_test_setup(walk_finds_more_root_buses_when_asked, clear),
        cmocka_unit_test_setup(capabilities_are_found_in_order, clear),
        cmocka_unit_test_setup(capability_lists_that_lie_end, clear),
        cmocka_unit_test_setup(msix_capability, clear),
        cmocka_unit_test_setup(bars_of_all_kinds, clear),
        cmocka_unit_test_setup(bars_that_lie, clear),
        cmocka_unit_test_setup(bars_of_bridges, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
