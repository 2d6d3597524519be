// The MultiProcessor table: as QEMU's qboot and Firecracker write it, with entries left out, and damaged.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/platform/mptable.c libbaremetal/platform/acpi_tables.c
#include "../../libbaremetal/platform/mptable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEADER = 44 };

// Makes the bytes' sum 0 by changing the one at `checksum`.
static void seal(uint8_t *bytes, size_t size, size_t checksum)
{
    uint8_t sum = 0;
    bytes[checksum] = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    bytes[checksum] = (uint8_t)-sum;
}

static char seen[512]; // what was told, as text

static void see(const uint8_t *entry, unsigned length, void *arg)
{
    assert_null(arg);
    assert_int_equal(entry[1], length);
    char *end = seen + strlen(seen);
    size_t room = sizeof seen - strlen(seen);
    if (entry[0] == 0)
        snprintf(end, room, "core %u flags %u; ", entry[3], entry[4]);
    else
        snprintf(end, room, "ioapic %02x%02x%02x%02x first %u; ", entry[7], entry[6], entry[5], entry[4],
                 entry[8]);
}

// Looks at a table that ends where its memory does: for a table of 65,535 bytes the sanitizer sees every byte
// beyond.
static const char *read_table(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = calloc(1, 65535);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    seen[0] = 0;
    bm_mptable_parse(copy, see, NULL);
    free(copy);
    return seen;
}

static size_t make_table(uint8_t *table, const uint8_t *entries, size_t size)
{
    memset(table, 0, HEADER);
    memcpy(table, "PCMP", 4);
    table[4] = (uint8_t)(HEADER + size);
    table[6] = 4;
    memcpy(table + HEADER, entries, size);
    seal(table, HEADER + size, 7);
    return HEADER + size;
}

#define CORE(id, flags)                   0, id, 0x14, flags, 0xb1, 0x0f, 6, 0, 0xfd, 0xfb, 0xcb, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0
#define BUS(id, a, b, c)                  1, id, a, b, c, ' ', ' ', ' '
#define IOAPIC(id, flags)                 2, id, 0x11, flags, 0, 0, 0xc0, 0xfe
#define IRQ(type, flags, bus, irq, input) 3, type, flags, 0, bus, irq, 5, input
#define LOCAL                             4, 3, 0, 0, 0, 0, 0, 0

// QEMU's qboot: the number of entries in the header is 0, no core is marked as the first.
static void table_of_qboot(void **state)
{
    (void)state;
    uint8_t table[255];
    const uint8_t entries[] = {CORE(0, 1),   CORE(1, 1),         BUS(0, 'I', 'S', 'A'),
                               IOAPIC(5, 1), IRQ(0, 0, 0, 0, 2), IRQ(0, 0, 0, 5, 5),
                               LOCAL};
    size_t size = make_table(table, entries, sizeof entries);
    assert_string_equal(read_table(table, size), "core 0 flags 1; core 1 flags 1; ioapic fec00000 first 0; ");
}

static void entries_left_out(void **state)
{
    (void)state;
    uint8_t table[255];
    const uint8_t entries[] = {CORE(0, 3),
                               CORE(7, 0), // disabled
                               BUS(0, 'P', 'C', 'I'),
                               BUS(1, 'I', 'S', 'A'),
                               IOAPIC(1, 0), // unusable
                               IOAPIC(2, 1),
                               IRQ(0, 0, 0, 9, 17), // of the PCI bus
                               IRQ(3, 0, 1, 0, 0),  // the PIC's
                               IRQ(0, 0x0f, 1, 9, 9)};
    size_t size = make_table(table, entries, sizeof entries);
    assert_string_equal(read_table(table, size), "core 0 flags 1; ioapic fec00000 first 0; ");
}

static void table_damaged(void **state)
{
    (void)state;
    uint8_t table[255];
    const uint8_t entries[] = {CORE(0, 1), IOAPIC(5, 1)};
    size_t size = make_table(table, entries, sizeof entries);
    for (size_t i = 0; i < size; i++) {
        table[i] ^= 0x10;
        assert_string_equal(read_table(table, size), "");
        table[i] ^= 0x10;
    }
    table[4] = HEADER - 1;
    seal(table, HEADER - 1, 7);
    assert_string_equal(read_table(table, size), "");
    const uint8_t cut[] = {CORE(0, 1), 0, 1, 0x14, 1};
    size = make_table(table, cut, sizeof cut);
    assert_string_equal(read_table(table, size), "core 0 flags 1; ");
    const uint8_t unknown[] = {5, 0, 0, 0, 0, 0, 0, 0, IOAPIC(5, 1)};
    size = make_table(table, unknown, sizeof unknown);
    assert_string_equal(read_table(table, size), "");
}

// Entries up to the last byte of the longest table there can be.
static void table_longest(void **state)
{
    (void)state;
    uint8_t *table = calloc(1, 65535);
    assert_non_null(table);
    memcpy(table, "PCMP", 4);
    table[4] = table[5] = 0xff;
    for (size_t i = HEADER; i < 65535; i += 8)
        table[i] = 4; // local interrupts
    seal(table, 65535, 7);
    assert_string_equal(read_table(table, 65535), "");
    const uint8_t core[20] = {CORE(9, 1)};
    memcpy(table + HEADER, core, sizeof core);
    for (size_t i = HEADER + 20; i < 65535; i += 8)
        table[i] = 4;
    seal(table, 65535, 7);
    assert_string_equal(read_table(table, 65535), "core 9 flags 1; ");
    free(table);
}

static void pointer_search(void **state)
{
    (void)state;
    uint8_t memory[64] = {0};
    const uint8_t pointer[16] = {'_', 'M', 'P', '_', 0x10, 0xfc, 0x09, 0x00, 1, 4, 0x8b};
    memcpy(memory + 32, pointer, 16);
    assert_int_equal(bm_mptable_search(memory, 64), 0x9fc10);
    assert_int_equal(bm_mptable_search(memory, 47), 0);
    memory[42] ^= 1; // the checksum
    assert_int_equal(bm_mptable_search(memory, 64), 0);
    memset(memory, 0, sizeof memory);
    memcpy(memory + 8, pointer, 16); // not on its boundary
    assert_int_equal(bm_mptable_search(memory, 64), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table_of_qboot), cmocka_unit_test(entries_left_out),
                                       cmocka_unit_test(table_damaged), cmocka_unit_test(table_longest),
                                       cmocka_unit_test(pointer_search)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
