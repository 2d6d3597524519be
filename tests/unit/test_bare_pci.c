// Addresses for PCI devices without any: trees of functions and bridges, of which the test knows who decodes
// what.
// SPDX-License-Identifier: MIT
// @sources drivers/bus/bare/bare_pci_assign.c drivers/bus/pci_parse.c
#include "../../drivers/bus/bare/bare_pci.h"

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
    (void)subject, (void)format;
    warnings += level == BM_LOG_WARN;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    (void)format;
    if (size)
        buffer[0] = 0;
    return 0;
}

// --- The invented machine: a tree, whose bus numbers are those that the bridges were given ---

enum { FUNCTIONS_MAX = 600, MIB = 1 << 20 };

static struct function {
    int parent;          // bridge in front of it; -1: none
    uint8_t number;      // device * 8 + function
    uint32_t decoded[6]; // bits of each base address register that can be written
    uint8_t space[256];
} functions[FUNCTIONS_MAX];
static int function_count;
static unsigned accesses;

static unsigned field(const struct function *function, unsigned offset, unsigned size)
{
    unsigned value = 0;
    memcpy(&value, function->space + offset, size);
    return value;
}

// Whether the function answers at that bus number: all bridges in front of it let it through, and the last
// one takes it for its own.
static bool is_at(const struct function *function, uint8_t bus)
{
    if (function->parent < 0)
        return bus == 0;
    const struct function *bridge = &functions[function->parent];
    if (!bus || field(bridge, BM_PCI_SECONDARY_BUS, 1) != bus)
        return false;
    for (;; bridge = &functions[bridge->parent]) {
        if (bus < field(bridge, BM_PCI_SECONDARY_BUS, 1) || bus > field(bridge, BM_PCI_SUBORDINATE_BUS, 1))
            return false;
        if (bridge->parent < 0)
            return true;
    }
}

static struct function *function_at(uint8_t bus, uint8_t number)
{
    struct function *found = NULL;
    for (int i = 0; i < function_count; i++)
        if (functions[i].number == number && is_at(&functions[i], bus)) {
            assert_null(found); // two at one place
            found = &functions[i];
        }
    return found;
}

static uint32_t fake_read(const struct bm_pci_host *host, uint8_t bus, uint8_t number, unsigned offset,
                          unsigned size)
{
    (void)host;
    uint32_t value = 0xffffffff;
    const struct function *function = function_at(bus, number);
    assert_true(offset % size == 0 && ++accesses < 2000000);
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
    unsigned bars = function->space[BM_PCI_HEADER_TYPE] & 1 ? 2 : 6;
    if (offset >= BM_PCI_BAR0 && offset < BM_PCI_BAR0 + 4 * bars) {
        assert_int_equal(size, 4);
        assert_int_equal(field(function, BM_PCI_COMMAND, 2) & 3, 0); // it decodes nothing meanwhile
        uint32_t mask = function->decoded[(offset - BM_PCI_BAR0) / 4], old = field(function, offset, 4);
        value = (old & ~mask) | (value & mask);
    }
    memcpy(function->space + offset, &value, size);
}

static const struct bm_pci_host host = {.read = fake_read, .write = fake_write, .last_bus = 255};

static int add(int parent, unsigned device, unsigned number, bool bridge)
{
    assert_true(function_count < FUNCTIONS_MAX);
    struct function *function = &functions[function_count];
    memset(function, 0, sizeof *function);
    function->parent = parent;
    function->number = (uint8_t)(device * 8 + number);
    memcpy(function->space, (const uint8_t[]){0x86, 0x80, 1, 2}, 4);
    function->space[BM_PCI_HEADER_TYPE] = (uint8_t)((bridge ? 1 : 0) | 0x80);
    function->space[BM_PCI_COMMAND] = 3;
    if (bridge) { // numbers of old, which all have
        function->space[BM_PCI_SECONDARY_BUS] = 1;
        function->space[BM_PCI_SUBORDINATE_BUS] = 2;
    }
    return function_count++;
}

static void add_bar(int at, unsigned index, uint64_t size, uint32_t flags)
{
    struct function *function = &functions[at];
    uint64_t decoded = -size;
    memcpy(function->space + BM_PCI_BAR0 + 4 * index, &flags, 4);
    function->decoded[index] = (uint32_t)decoded & (flags & 1 ? ~3u : ~15u);
    if ((flags & 7) == 4)
        function->decoded[index + 1] = (uint32_t)(decoded >> 32);
}

static int clear(void **state)
{
    (void)state;
    function_count = 0;
    warnings = accesses = 0;
    return 0;
}

// --- What has to hold afterwards ---

struct range {
    uint64_t base, end;
    bool io;
    int function;
};

static bool lets_through(const struct function *bridge, const struct range *range)
{
    uint64_t base, end;
    if (range->io) {
        base = (uint64_t)(field(bridge, 0x1c, 1) & 0xf0) << 8;
        end = ((uint64_t)(field(bridge, 0x1d, 1) & 0xf0) << 8) + 0x1000;
    } else {
        base = (uint64_t)(field(bridge, 0x20, 2) & 0xfff0) << 16;
        end = ((uint64_t)(field(bridge, 0x22, 2) & 0xfff0) << 16) + MIB;
    }
    return base < end && range->base < end && base < range->end;
}

static bool is_behind(int function, int bridge)
{
    while (function >= 0 && function != bridge)
        function = functions[function].parent;
    return function == bridge;
}

// Registers that got an address lie in the windows, apart from each other, and every bridge passes on what is
// behind it, and nothing else. Returns how many.
static unsigned check(const struct bare_pci_windows *given)
{
    static struct range ranges[FUNCTIONS_MAX * 6];
    unsigned count = 0;
    for (int i = 0; i < function_count; i++) {
        const struct function *function = &functions[i];
        for (unsigned k = 0; k < 6; k++) {
            uint32_t value = field(function, BM_PCI_BAR0 + 4 * k, 4);
            bool io = value & 1, wide = (value & 7) == 4;
            uint64_t base = value & (io ? ~3u : ~15u), mask = function->decoded[k];
            if ((k >= 2 && function->space[BM_PCI_HEADER_TYPE] & 1) || !mask)
                continue;
            mask |= wide ? (uint64_t)function->decoded[k + 1] << 32 : 0xffffffff00000000;
            if (wide)
                assert_int_equal(field(function, BM_PCI_BAR0 + 4 * ++k, 4), 0); // below 4 GiB
            if (!base)
                continue;
            uint64_t size = mask & -mask;
            assert_int_equal(base % size, 0);
            assert_true(base >= (io ? given->ports : given->memory));
            assert_true(base + size <= (io ? given->ports_end : given->memory_end));
            ranges[count++] = (struct range){base, base + size, io, i};
        }
    }
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < i; k++)
            assert_true(ranges[i].io != ranges[k].io || ranges[i].base >= ranges[k].end ||
                        ranges[k].base >= ranges[i].end);
        for (int bridge = 0; bridge < function_count; bridge++)
            if (functions[bridge].space[BM_PCI_HEADER_TYPE] & 1 && bridge != ranges[i].function)
                assert_int_equal(lets_through(&functions[bridge], &ranges[i]),
                                 is_behind(ranges[i].function, bridge));
    }
    return count;
}

static const struct bare_pci_windows pc = {
    .memory = 0xc0000000, .memory_end = 0xfec00000, .ports = 0xc000, .ports_end = 0x10000};

static unsigned assigned(void)
{
    struct bare_pci_windows windows = pc;
    unsigned count = bm_bare_pci_assign(&host, &windows);
    assert_int_equal(check(&pc), count);
    assert_true(windows.memory <= pc.memory_end && windows.ports <= pc.ports_end);
    return count;
}

// --- The tests ---

static void registers_of_all_kinds(void **state)
{
    (void)state;
    add_bar(add(-1, 0, 0, false), 0, 32, 1);
    int device = add(-1, 3, 0, false);
    add_bar(device, 0, 1 << 14, 0);
    add_bar(device, 1, 128, 1);
    add_bar(device, 2, 1 << 20, 0xc);
    add_bar(device, 4, 16, 0);
    add_bar(add(-1, 3, 5, false), 5, 1 << 24, 8);
    assert_true(bm_bare_pci_is_bare(&host));
    assert_int_equal(assigned(), 6);
    assert_int_equal(warnings, 0);
    assert_false(bm_bare_pci_is_bare(&host));
    for (int i = 0; i < function_count; i++) // nothing is switched on
        assert_int_equal(field(&functions[i], BM_PCI_COMMAND, 2) & 7, 0);
}

static void machines_with_addresses_are_left_alone(void **state)
{
    (void)state;
    assert_false(bm_bare_pci_is_bare(&host)); // there is nothing
    int first = add(-1, 1, 0, false), second = add(-1, 31, 7, false);
    functions[second].number = 31 * 8 + 7;
    add(-1, 31, 0, false);
    add_bar(first, 0, 4096, 0);
    add_bar(second, 3, 16, 1);
    assert_true(bm_bare_pci_is_bare(&host));
    fake_write(&host, 0, functions[second].number, BM_PCI_COMMAND, 2, 0);
    fake_write(&host, 0, functions[second].number, BM_PCI_BAR0 + 12, 4, 0xc001);
    assert_false(bm_bare_pci_is_bare(&host)); // one has one
}

static void bridges_are_numbered_and_opened(void **state)
{
    (void)state;
    int outer = add(-1, 1, 0, true), empty = add(-1, 2, 0, true), inner = add(outer, 4, 0, true);
    add_bar(outer, 0, 4096, 0);
    add_bar(add(-1, 5, 0, false), 0, 4096, 0);
    add_bar(add(outer, 5, 0, false), 0, 1 << 21, 0);
    int device = add(inner, 6, 0, false);
    add_bar(device, 0, 1 << 16, 4);
    add_bar(device, 3, 64, 1);
    assert_int_equal(assigned(), 5);
    assert_int_equal(field(&functions[outer], 0x18, 4) & 0xffffff, 0x020100);
    assert_int_equal(field(&functions[inner], 0x18, 4) & 0xffffff, 0x020201);
    assert_int_equal(field(&functions[empty], 0x18, 4) & 0xffffff, 0x030300);
    assert_int_equal(field(&functions[empty], 0x20, 4), 0xfff0);
    assert_int_equal(field(&functions[outer], 0x24, 4), 0xfff0);
    assert_int_equal(field(&functions[empty], 0x1c, 2), 0x00f0);
    assert_int_equal(field(&functions[inner], BM_PCI_COMMAND, 2) & 7, 7);
    assert_int_equal(warnings, 0);
}

// The other devices of a link are the same one again, on some hardware.
static void links_have_one_device(void **state)
{
    (void)state;
    int port = add(-1, 1, 0, true);
    functions[port].space[BM_PCI_STATUS] = 1 << 4;
    functions[port].space[BM_PCI_CAPABILITIES] = 0x40;
    functions[port].space[0x40] = BM_PCI_CAP_EXPRESS;
    functions[port].space[0x42] = 4 << 4; // root port
    add_bar(add(port, 0, 0, false), 0, 4096, 0);
    add_bar(add(port, 1, 0, false), 0, 4096, 0);
    assert_int_equal(assigned(), 1);
}

static void what_does_not_fit_stays_without(void **state)
{
    (void)state;
    int device = add(-1, 1, 0, false);
    add_bar(device, 0, 1ull << 36, 4); // more than there is
    add_bar(device, 2, 1u << 29, 0);
    add_bar(device, 3, 1u << 29, 0); // for one there is room
    add_bar(device, 4, 1 << 13, 1);
    add_bar(device, 5, 1 << 14, 1);
    assert_int_equal(assigned(), 2);
    assert_int_equal(warnings, 3);
    assert_int_equal(field(&functions[device], BM_PCI_BAR0, 4), 4);
}

static void towers_of_bridges_end(void **state)
{
    (void)state;
    int parent = -1;
    for (unsigned i = 0; i < 40; i++)
        parent = add(parent, i % 32, 0, true);
    add_bar(parent, 0, 4096, 0);
    assert_int_equal(assigned(), 0);
    assert_int_equal(warnings, 1);
    clear(NULL);
    for (unsigned i = 0; i < 256; i++) { // more than there are numbers
        int bridge = add(-1, i / 8, i % 8, true);
        add_bar(add(bridge, 3, 0, false), 0, 4096, 0);
    }
    assert_int_equal(assigned(), 255);
    assert_int_equal(warnings, 1);
}

static void trees_at_random(void **state)
{
    srand(7);
    for (unsigned round = 0; round < 60; round++) {
        clear(state);
        unsigned count = 1 + (unsigned)rand() % 40;
        for (unsigned i = 0; i < count; i++) {
            int parent = i && rand() % 3 ? rand() % function_count : -1;
            if (parent >= 0 && !(functions[parent].space[BM_PCI_HEADER_TYPE] & 1))
                parent = -1;
            // Functions of a device are numbered from 0 on here.
            unsigned place = (unsigned)rand() % 32, number = 0;
            for (int k = 0; k < function_count; k++)
                number += functions[k].parent == parent && functions[k].number / 8 == place;
            if (number == 8)
                continue;
            bool bridge = rand() % 3 == 0;
            int at = add(parent, place, number, bridge);
            for (unsigned k = 0; k < (bridge ? 2 : 6); k++) {
                bool io = rand() % 4 == 0, wide = !io && k % 2 == 0 && rand() % 2;
                if (rand() % 2)
                    add_bar(at, k, io ? 4ull << rand() % 8 : 16ull << rand() % (wide ? 28 : 26),
                            io     ? 1
                            : wide ? 4
                                   : 0);
                k += wide;
            }
        }
        assigned();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers_of_all_kinds, clear),
        cmocka_unit_test_setup(machines_with_addresses_are_left_alone, clear),
        cmocka_unit_test_setup(bridges_are_numbered_and_opened, clear),
        cmocka_unit_test_setup(links_have_one_device, clear),
        cmocka_unit_test_setup(what_does_not_fit_stays_without, clear),
        cmocka_unit_test_setup(towers_of_bridges_end, clear),
        cmocka_unit_test_setup(trees_at_random, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
