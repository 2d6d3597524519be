// ACPI tables: root pointer, checksums, root tables, FADT, the S5 package, MADT, whole and damaged.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/platform/acpi_tables.c libbaremetal/platform/acpi_devices.c
#include "../../libbaremetal/platform/acpi_devices.h"
#include "../../libbaremetal/platform/acpi_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Makes the bytes' sum 0 by changing the one at `checksum`.
static void seal(uint8_t *bytes, size_t size, size_t checksum)
{
    uint8_t sum = 0;
    bytes[checksum] = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    bytes[checksum] = (uint8_t)-sum;
}

// A table of exactly that size on the heap, so that the sanitizer sees every byte beyond.
static struct bm_acpi_header *new_table(const char *signature, uint32_t length)
{
    struct bm_acpi_header *table = calloc(1, length);
    assert_non_null(table);
    memcpy(table->signature, signature, 4);
    table->length = length;
    seal((uint8_t *)table, length, offsetof(struct bm_acpi_header, checksum));
    return table;
}

static void put(void *table, size_t offset, const void *value, size_t size)
{
    memcpy((uint8_t *)table + offset, value, size);
}

static void put32(void *table, size_t offset, uint32_t value)
{
    put(table, offset, &value, sizeof value);
}

static void put64(void *table, size_t offset, uint64_t value)
{
    put(table, offset, &value, sizeof value);
}

static void make_rsdp(uint8_t rsdp[36], uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
    memset(rsdp, 0, 36);
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = revision;
    put32(rsdp, 16, rsdt);
    put32(rsdp, 20, 36);
    put64(rsdp, 24, xsdt);
    seal(rsdp, 20, 8);
    seal(rsdp, 36, 32);
}

static void rsdp_of_both_revisions(void **state)
{
    (void)state;
    uint8_t rsdp[36];
    struct bm_acpi_root root;
    make_rsdp(rsdp, 0, 0x1000, 0x123456789000);
    assert_true(bm_acpi_rsdp_parse(rsdp, sizeof rsdp, &root));
    assert_int_equal(root.address, 0x1000);
    assert_false(root.wide);
    make_rsdp(rsdp, 2, 0x1000, 0x123456789000);
    assert_true(bm_acpi_rsdp_parse(rsdp, sizeof rsdp, &root));
    assert_int_equal(root.address, 0x123456789000);
    assert_true(root.wide);
    make_rsdp(rsdp, 2, 0x1000, 0); // no XSDT
    assert_true(bm_acpi_rsdp_parse(rsdp, sizeof rsdp, &root));
    assert_int_equal(root.address, 0x1000);
    assert_false(root.wide);
}

static void rsdp_damaged(void **state)
{
    (void)state;
    uint8_t rsdp[36];
    struct bm_acpi_root root;
    for (unsigned i = 0; i < 20; i++) {
        make_rsdp(rsdp, 2, 0x1000, 0x2000);
        rsdp[i] ^= 1;
        assert_false(bm_acpi_rsdp_parse(rsdp, sizeof rsdp, &root));
    }
    make_rsdp(rsdp, 2, 0x1000, 0x2000);
    rsdp[24] ^= 1; // the second checksum is wrong: only the first half counts
    assert_true(bm_acpi_rsdp_parse(rsdp, sizeof rsdp, &root));
    assert_false(root.wide);
    make_rsdp(rsdp, 2, 0x1000, 0x2000);
    assert_false(bm_acpi_rsdp_parse(rsdp, 19, &root));
    assert_true(bm_acpi_rsdp_parse(rsdp, 20, &root)); // cut behind the first half
    assert_false(root.wide);
    make_rsdp(rsdp, 0, 0, 0x2000);
    assert_false(bm_acpi_rsdp_parse(rsdp, sizeof rsdp, &root));
}

static void rsdp_search(void **state)
{
    (void)state;
    struct bm_acpi_root root;
    uint8_t *memory = calloc(1, 1024);
    assert_non_null(memory);
    assert_false(bm_acpi_rsdp_search(memory, 1024, &root));
    make_rsdp(memory + 504, 0, 0x1000, 0); // not on a 16-byte boundary
    assert_false(bm_acpi_rsdp_search(memory, 1024, &root));
    make_rsdp(memory + 976, 0, 0x2000, 0);
    assert_true(bm_acpi_rsdp_search(memory, 1024, &root));
    assert_int_equal(root.address, 0x2000);
    assert_false(bm_acpi_rsdp_search(memory, 976 + 19, &root));
    free(memory);
}

static void table_checks(void **state)
{
    (void)state;
    struct bm_acpi_header *table = new_table("TEST", 100);
    assert_true(bm_acpi_table_check(table, 100));
    assert_false(bm_acpi_table_check(table, 99)); // does not fit
    assert_false(bm_acpi_table_check(table, 35)); // not even the header does
    ((uint8_t *)table)[99] ^= 1;
    assert_false(bm_acpi_table_check(table, 100));
    table->length = 35; // shorter than its header
    seal((uint8_t *)table, 35, offsetof(struct bm_acpi_header, checksum));
    assert_false(bm_acpi_table_check(table, 100));
    table->length = UINT32_MAX;
    assert_false(bm_acpi_table_check(table, 100));
    free(table);
}

static void root_entries(void **state)
{
    (void)state;
    struct bm_acpi_header *table = new_table("RSDT", 36 + 15); // three entries and most of a fourth
    put32(table, 36, 0x1000);
    put32(table, 44, 0xfffff000);
    assert_int_equal(bm_acpi_root_count(table, false), 3);
    assert_int_equal(bm_acpi_root_entry(table, false, 0), 0x1000);
    assert_int_equal(bm_acpi_root_entry(table, false, 2), 0xfffff000);
    assert_int_equal(bm_acpi_root_count(table, true), 1);
    put64(table, 36, 0x123456789abc);
    assert_int_equal(bm_acpi_root_entry(table, true, 0), 0x123456789abc);
    free(table);
}

static void fadt_of_acpi_1(void **state)
{
    (void)state;
    struct bm_acpi_fadt fadt;
    struct bm_acpi_header *table = new_table("FACP", 116);
    put32(table, 40, 0x7fe0000); // DSDT
    put32(table, 64, 0x604);     // PM1a_CNT_BLK
    put32(table, 76, 0x608);     // PM_TMR_BLK
    put32(table, 112, 1 << 8);   // TMR_VAL_EXT
    assert_true(bm_acpi_fadt_parse(table, &fadt));
    assert_int_equal(fadt.dsdt, 0x7fe0000);
    assert_int_equal(fadt.pm1a_control, 0x604);
    assert_int_equal(fadt.pm1b_control, 0);
    assert_int_equal(fadt.pm_timer, 0x608);
    assert_int_equal(fadt.pm_timer_bits, 32);
    assert_int_equal(fadt.sleep_address, 0);
    assert_false(fadt.hardware_reduced);
    put32(table, 112, 0);
    put32(table, 64, 0x10604); // no port has that number
    assert_true(bm_acpi_fadt_parse(table, &fadt));
    assert_int_equal(fadt.pm_timer_bits, 24);
    assert_int_equal(fadt.pm1a_control, 0);
    table->length = 115;
    assert_false(bm_acpi_fadt_parse(table, &fadt));
    free(table);
}

static void put_register(void *table, size_t offset, uint8_t space, uint64_t address)
{
    ((uint8_t *)table)[offset] = space;
    put64(table, offset + 4, address);
}

static void fadt_extended(void **state)
{
    (void)state;
    struct bm_acpi_fadt fadt;
    struct bm_acpi_header *table = new_table("FACP", 244);
    put32(table, 40, 0x1000);
    put32(table, 64, 0x604);
    put32(table, 76, 0x608);
    put64(table, 140, 0x100001000);          // X_DSDT
    put_register(table, 172, 1, 0xb004);     // X_PM1a_CNT_BLK
    put_register(table, 208, 0, 0xfed00000); // X_PM_TMR_BLK in memory: the old field is used
    assert_true(bm_acpi_fadt_parse(table, &fadt));
    assert_int_equal(fadt.dsdt, 0x100001000);
    assert_int_equal(fadt.pm1a_control, 0xb004);
    assert_int_equal(fadt.pm_timer, 0x608);
    put64(table, 140, 0);
    put_register(table, 172, 1, 0);
    assert_true(bm_acpi_fadt_parse(table, &fadt));
    assert_int_equal(fadt.dsdt, 0x1000);
    assert_int_equal(fadt.pm1a_control, 0x604);
    free(table);
}

// Copies AML to a buffer of its size and looks for S5 there.
static bool find_s5(const void *aml, size_t size, struct bm_acpi_sleep *sleep)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, aml, size);
    memset(sleep, 0xee, sizeof *sleep);
    bool found = bm_acpi_s5_parse(copy, size, sleep);
    free(copy);
    return found;
}
#define FIND(sleep, ...) find_s5((uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}), sleep)

// As QEMU's microvm and Firecracker have it.
static void fadt_hardware_reduced(void **state)
{
    (void)state;
    struct bm_acpi_fadt fadt;
    struct bm_acpi_header *table = new_table("FACP", 276);
    put32(table, 112, 1 << 20);
    put64(table, 140, 0x1000);
    put_register(table, 244, 0, 0xfea00200); // SLEEP_CONTROL_REG
    assert_true(bm_acpi_fadt_parse(table, &fadt));
    assert_true(fadt.hardware_reduced);
    assert_int_equal(fadt.sleep_space, 0);
    assert_int_equal(fadt.sleep_address, 0xfea00200);
    table->length = 255; // too short to hold it
    assert_true(bm_acpi_fadt_parse(table, &fadt));
    assert_int_equal(fadt.sleep_address, 0);
    free(table);
}

static void s5_in_its_spellings(void **state)
{
    (void)state;
    struct bm_acpi_sleep sleep;
    // Name (_S5_, Package (4) {0, 0, 0, 0}) behind other code, as QEMU writes it.
    assert_true(FIND(&sleep, 0x10, 0x05, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00));
    assert_int_equal(sleep.type_a, 0);
    assert_int_equal(sleep.type_b, 0);
    // Name (\_S5_, Package (2) {0x07, One}) with a byte constant.
    assert_true(FIND(&sleep, 0x08, '\\', '_', 'S', '5', '_', 0x12, 0x05, 0x02, 0x0a, 0x07, 0x01));
    assert_int_equal(sleep.type_a, 7);
    assert_int_equal(sleep.type_b, 1);
    // A length of two bytes; word and double word constants.
    assert_true(FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0x4b, 0x00, 0x02, 0x0b, 0x05, 0x00, 0x0c, 0x06,
                     0, 0, 0));
    assert_int_equal(sleep.type_a, 5);
    assert_int_equal(sleep.type_b, 6);
    // One element only.
    assert_true(FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x01, 0x0a, 0x05));
    assert_int_equal(sleep.type_a, 5);
    assert_int_equal(sleep.type_b, 0);
    // A mention of the name before its definition.
    assert_true(
        FIND(&sleep, 0x5b, '_', 'S', '5', '_', 0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 0x01, 0x01));
    assert_int_equal(sleep.type_a, 1);
}

static void s5_missing_or_damaged(void **state)
{
    (void)state;
    struct bm_acpi_sleep sleep;
    const uint8_t whole[] = {0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x00, 0x00};
    assert_true(find_s5(whole, sizeof whole, &sleep));
    for (size_t size = 0; size < sizeof whole; size++) // cut anywhere
        assert_false(find_s5(whole, size, &sleep));
    assert_false(FIND(&sleep, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 0x01, 0x01));       // not a definition
    assert_false(FIND(&sleep, 0x08, '_', 'S', '4', '_', 0x12, 0x04, 0x02, 0x01, 0x01)); // another state
    assert_false(FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x11, 0x04, 0x02, 0x01, 0x01)); // a buffer
    assert_false(FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x00, 0x01, 0x01)); // no elements
    assert_false(FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x02, 0x0d, 0x41)); // a string
    assert_false(
        FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0x03, 0x01, 0x0a, 0x05)); // constant cut by the package
    assert_false(
        FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0x01, 0x02, 0x01, 0x01)); // package ends in its header
    assert_false(
        FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0x0f, 0x02, 0x01, 0x01)); // longer than the code
    assert_false(
        FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0xc4, 0xff, 0xff, 0xff));    // four bytes of length
    assert_false(FIND(&sleep, 0x08, '_', 'S', '5', '_', 0x12, 0xc4, 0xff, 0xff)); // … and only two are there
}

static unsigned entries_seen, bytes_seen;

static void see_entry(const uint8_t *entry, unsigned length, void *arg)
{
    assert_ptr_equal(arg, &entries_seen);
    assert_true(length >= 2);
    entries_seen++;
    for (unsigned i = 0; i < length; i++)
        bytes_seen += entry[i] != 0xff; // touches each byte
}

static void walk(struct bm_acpi_header *table)
{
    entries_seen = bytes_seen = 0;
    bm_acpi_madt_parse(table, see_entry, &entries_seen);
}

static void madt_entries(void **state)
{
    (void)state;
    struct bm_acpi_header *table = new_table("APIC", 44 + 8 + 12 + 3);
    const uint8_t entries[] = {0, 8, 0, 0, 1, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, 4, 6, 0};
    put(table, 44, entries, sizeof entries);
    walk(table); // the third entry reaches beyond the table
    assert_int_equal(entries_seen, 2);
    assert_int_equal(bytes_seen, 20);
    ((uint8_t *)table)[45] = 0; // an entry without length would never end
    walk(table);
    assert_int_equal(entries_seen, 0);
    ((uint8_t *)table)[45] = 1;
    walk(table);
    assert_int_equal(entries_seen, 0);
    table->length = 40; // not even the fixed part
    walk(table);
    assert_int_equal(entries_seen, 0);
    free(table);
}

// --- Devices in AML ---

static struct bm_acpi_device devices[4];
static unsigned device_count;

static void see_device(const struct bm_acpi_device *device, void *arg)
{
    assert_ptr_equal(arg, devices);
    if (device_count < 4)
        devices[device_count] = *device;
    device_count++;
}

// Looks at exactly these bytes, so that the sanitizer sees every byte beyond.
static unsigned devices_in(const uint8_t *aml, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, aml, size);
    device_count = 0;
    bm_acpi_devices_parse(copy, size, "LNRO0005", see_device, devices);
    free(copy);
    return device_count;
}

#define HID                         0x08, '_', 'H', 'I', 'D', 0x0d, 'L', 'N', 'R', 'O', '0', '0', '0', '5', 0
#define CRS(length)                 0x08, '_', 'C', 'R', 'S', 0x11, (length) + 3, 0x0a, (length)
#define MEMORY(base2, base3, size1) 0x86, 9, 0, 1, 0, 0x0e, base2, base3, 0, size1, 0, 0
#define INTERRUPT(flags, gsi)       0x89, 6, 0, flags, 1, gsi, 0, 0, 0
#define END                         0x79, 0

// Device (VR00) { _HID, _UID, _CRS (memory, interrupt) } by hand from section 20.2: 4 + 15 + 6 + 9 + 23
// bytes.
#define WHOLE(name, gsi)                                                                                     \
    0x5b, 0x82, 0x3a, 'V', 'R', '0', name, HID, 0x08, '_', 'U', 'I', 'D', 0x01, CRS(23),                     \
        MEMORY(0xb0, 0xfe, 2), INTERRUPT(1, gsi), END

static void acpi_devices_found(void **state)
{
    (void)state;
    const uint8_t two[] = {0x10, 0x40, 0x08, '_', 'S', 'B', '_', WHOLE('0', 24), WHOLE('1', 25)};
    assert_int_equal(devices_in(two, sizeof two), 2);
    assert_int_equal(devices[0].base, 0xfeb00e00);
    assert_int_equal(devices[0].size, 512);
    assert_true(devices[0].wired);
    assert_int_equal(devices[0].interrupt, 24);
    assert_false(devices[0].edge);
    assert_false(devices[0].active_low);
    assert_int_equal(devices[1].interrupt, 25);
}

static void acpi_device_edge_low(void **state)
{
    (void)state;
    const uint8_t aml[] = {
        0x5b, 0x82, 0x34, 'V', 'R', '0', '0', HID, CRS(23), MEMORY(0xb0, 0xfe, 2), INTERRUPT(7, 5), END};
    assert_int_equal(devices_in(aml, sizeof aml), 1);
    assert_true(devices[0].edge);
    assert_true(devices[0].active_low);
    assert_int_equal(devices[0].interrupt, 5);
}

static void acpi_device_without_interrupt(void **state)
{
    (void)state;
    const uint8_t aml[] = {0x5b, 0x82, 0x2b, 'V', 'R', '0', '0', HID, CRS(14), MEMORY(0xb0, 0xfe, 2), END};
    assert_int_equal(devices_in(aml, sizeof aml), 1);
    assert_false(devices[0].wired);
}

// Another device's _HID or _CRS is not taken for its neighbour's, nor that of a device inside for the outer
// one's.
static void acpi_devices_apart(void **state)
{
    (void)state;
    const uint8_t neighbour[] = {0x5b,
                                 0x82,
                                 0x14,
                                 'V',
                                 'R',
                                 '0',
                                 '0',
                                 HID,
                                 0x5b,
                                 0x82,
                                 0x25,
                                 'C',
                                 'O',
                                 'M',
                                 '1',
                                 CRS(23),
                                 MEMORY(0xb0, 0xfe, 2),
                                 INTERRUPT(1, 5),
                                 END};
    assert_int_equal(devices_in(neighbour, sizeof neighbour), 0);
    const uint8_t inside[] = {0x5b, 0x82, 0x42, 0x04, 'O', 'U', 'T', '0', WHOLE('0', 24)};
    assert_int_equal(devices_in(inside, sizeof inside), 1);
}

static void acpi_devices_damaged(void **state)
{
    (void)state;
    const uint8_t whole[] = {WHOLE('0', 24)};
    assert_int_equal(devices_in(whole, sizeof whole), 1);
    for (size_t size = 0; size < sizeof whole; size++)
        assert_int_equal(devices_in(whole, size), 0);
    for (size_t i = 0; i < sizeof whole; i++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t bytes[sizeof whole];
            memcpy(bytes, whole, sizeof whole);
            bytes[i] = (uint8_t)value;
            devices_in(bytes, sizeof bytes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsdp_of_both_revisions),
        cmocka_unit_test(rsdp_damaged),
        cmocka_unit_test(rsdp_search),
        cmocka_unit_test(table_checks),
        cmocka_unit_test(root_entries),
        cmocka_unit_test(fadt_of_acpi_1),
        cmocka_unit_test(fadt_extended),
        cmocka_unit_test(fadt_hardware_reduced),
        cmocka_unit_test(s5_in_its_spellings),
        cmocka_unit_test(s5_missing_or_damaged),
        cmocka_unit_test(madt_entries),
        cmocka_unit_test(acpi_devices_found),
        cmocka_unit_test(acpi_device_edge_low),
        cmocka_unit_test(acpi_device_without_interrupt),
        cmocka_unit_test(acpi_devices_apart),
        cmocka_unit_test(acpi_devices_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
