// The firmware's memory map for the kernel, and the information structure, read by the kernel's own parser.
// SPDX-License-Identifier: MIT
// @sources boot/uefi/memory.c boot/uefi/information.c boot/multiboot2.c boot/map.c
// @includes boot/uefi
#include "../../boot/protocol.h"
#include "information.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ENTRY_SIZE = 48, WB = 0xf }; // firmware's entries are longer than the structure

static struct {
    uint8_t bytes[64 * ENTRY_SIZE];
    unsigned count;
} firmware;

static int clear(void **state)
{
    (void)state;
    memset(&firmware, 0xee, sizeof(firmware));
    firmware.count = 0;
    return 0;
}

static void add_with(uint32_t type, uint64_t base, uint64_t pages, uint64_t attributes)
{
    struct bm_efi_memory_descriptor entry = {
        .type = type, .physical = base, .pages = pages, .attributes = attributes};
    memcpy(firmware.bytes + firmware.count++ * ENTRY_SIZE, &entry, sizeof(entry));
}

static void add(uint32_t type, uint64_t base, uint64_t pages)
{
    add_with(type, base, pages, WB);
}

static struct bm_efi_map map(void)
{
    return (struct bm_efi_map){firmware.bytes, (uint64_t)firmware.count * ENTRY_SIZE, ENTRY_SIZE};
}

// A machine's usual map; the numbers of the types are those of the specification.
static void add_machine(void)
{
    add(4, 0x0, 1);
    add(7, 0x1000, 0x9f);
    add(7, 0x100000, 0x700);
    add(10, 0x800000, 8);
    add(7, 0x808000, 3);
    add(6, 0x80b000, 1);
    add(3, 0x80c000, 0x10);
    add(1, 0x81c000, 0x10);
    add(9, 0x82c000, 2);
    add(5, 0x82e000, 2);
    add(0, 0x830000, 2);
    add(7, 0x100000000, 0x40000);
    add_with(11, 0xb0000000, 0x10000, 1);
}

static void expect_region(const struct bm_efi_region *region, uint64_t base, uint64_t length, uint32_t type)
{
    assert_int_equal(region->base, base);
    assert_int_equal(region->length, length);
    assert_int_equal(region->type, type);
}

static void neighbours_of_one_kind_are_merged(void **state)
{
    (void)state;
    struct bm_efi_region regions[16];
    struct bm_efi_map whole = (add_machine(), map());
    assert_int_equal(bm_efi_map_translate(&whole, 0, 0, regions, 16), 10);
    expect_region(&regions[0], 0, 0xa0000, 1);
    expect_region(&regions[1], 0x100000, 0x700000, 1);
    expect_region(&regions[2], 0x800000, 0x8000, 4);
    expect_region(&regions[3], 0x808000, 0x3000, 1);
    expect_region(&regions[4], 0x80b000, 0x1000, 2);
    expect_region(&regions[5], 0x80c000, 0x20000, 1);
    expect_region(&regions[6], 0x82c000, 0x2000, 3);
    expect_region(&regions[7], 0x82e000, 0x4000, 2);
    expect_region(&regions[8], 0x100000000, 0x40000000, 1);
    expect_region(&regions[9], 0xb0000000, 0x10000000, 2);
}

static void types_and_attributes_are_translated(void **state)
{
    (void)state;
    const struct {
        uint32_t type;
        uint64_t attributes;
        uint32_t expected;
    } rows[] = {{0, WB, 2},  {1, WB, 1},  {2, WB, 1},  {3, WB, 1},           {4, WB, 1},
                {5, WB, 2},  {6, WB, 2},  {7, WB, 1},  {8, WB, 5},           {9, WB, 3},
                {10, WB, 4}, {11, WB, 2}, {12, WB, 2}, {13, WB, 2},          {14, WB, 7},
                {15, WB, 2}, {16, WB, 2}, {7, 1, 2},   {7, WB | 1 << 18, 2}, {0x80000000, WB, 2}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct bm_efi_region region;
        firmware.count = 0;
        add_with(rows[i].type, 0x200000, 1, rows[i].attributes);
        struct bm_efi_map one = map();
        assert_int_equal(bm_efi_map_translate(&one, 0, 0, &region, 1), 1);
        assert_int_equal(region.type, rows[i].expected);
        assert_true(strlen(bm_efi_memory_name(rows[i].type)) > 4);
    }
}

static void information_is_kept_from_the_kernel(void **state)
{
    (void)state;
    struct bm_efi_region regions[16];
    struct bm_efi_map whole = (add(7, 0x100000, 0x100), map());
    assert_int_equal(bm_efi_map_translate(&whole, 0x120000, 0x125000, regions, 16), 3);
    expect_region(&regions[0], 0x100000, 0x20000, 1);
    expect_region(&regions[1], 0x120000, 0x5000, 3);
    expect_region(&regions[2], 0x125000, 0xdb000, 1);
    assert_int_equal(bm_efi_map_translate(&whole, 0x100000, 0x200000, regions, 16), 1);
    expect_region(&regions[0], 0x100000, 0x100000, 3);
    assert_int_equal(bm_efi_map_translate(&whole, 0x0, 0x101000, regions, 16), 2);
    expect_region(&regions[0], 0x100000, 0x1000, 3);
    assert_int_equal(bm_efi_map_translate(&whole, 0x120000, 0x125000, regions, 2), 2); // the rest is left out
}

static void odd_maps_do_no_harm(void **state)
{
    (void)state;
    struct bm_efi_region regions[8];
    add(7, 0x100000, 0);
    add(7, 0xffffffffffffe000, UINT64_MAX);
    add(7, 0x200123, 1);
    add(7, 0, UINT64_MAX);
    struct bm_efi_map odd = map();
    unsigned count = bm_efi_map_translate(&odd, 0x1000, 0x2000, regions, 8);
    expect_region(&regions[0], 0xffffffffffffe000, 0x1000, 1); // cut at the end of the address space
    for (unsigned i = 0; i < count; i++)
        assert_true(regions[i].length && regions[i].base + regions[i].length > regions[i].base);
    odd.entry_size = 8; // shorter than an entry
    assert_int_equal(bm_efi_map_translate(&odd, 0, 0, regions, 8), 0);
    odd.entry_size = 0;
    assert_int_equal(bm_efi_map_translate(&odd, 0, 0, regions, 8), 0);
}

static void what_stands_in_the_way_is_named(void **state)
{
    (void)state;
    struct bm_efi_memory_descriptor found;
    struct bm_efi_map whole = (add_machine(), map());
    assert_true(bm_efi_map_free(&whole, 0x100000, 0x800000, &found));
    assert_true(bm_efi_map_free(&whole, 0x80c000, 0x82c000, &found)); // two entries, both usable later
    assert_false(bm_efi_map_free(&whole, 0x7ff000, 0x801000, &found));
    assert_int_equal(found.type, BM_EFI_ACPI_NVS);
    assert_int_equal(found.physical, 0x800000);
    assert_int_equal(found.pages, 1); // cut to what is wanted
    assert_false(bm_efi_map_free(&whole, 0x808000, 0x900000, &found));
    assert_int_equal(found.type, BM_EFI_RUNTIME_DATA);
    assert_string_equal(bm_efi_memory_name(found.type), "runtime services data");
    assert_int_equal(found.physical, 0x80b000);
    assert_int_equal(found.pages, 1);
    assert_false(bm_efi_map_free(&whole, 0x9f000, 0x101000, &found)); // the hole below 1 MiB
    assert_int_equal(found.type, BM_EFI_MEMORY_TYPES);
    assert_int_equal(found.physical, 0xa0000);
    assert_int_equal(found.pages, 0x60);
    assert_false(bm_efi_map_free(&whole, 0x7ffffff000, 0x8000000000, &found));
    assert_int_equal(found.type, BM_EFI_MEMORY_TYPES);
}

static void overlapping_entries_forbid(void **state)
{
    (void)state;
    struct bm_efi_memory_descriptor found;
    struct bm_efi_map whole = (add(7, 0x100000, 0x100), add(0, 0x110000, 1), map());
    assert_false(bm_efi_map_free(&whole, 0x100000, 0x120000, &found));
    assert_int_equal(found.physical, 0x110000);
    assert_int_equal(found.type, BM_EFI_RESERVED);
}

static _Alignas(8) uint8_t information[8192];

const void *bm_boot_physical(uint64_t physical, uint64_t length)
{
    return physical >= 0x1000 && physical + length <= 0x1000 + sizeof(information)
               ? information + (physical - 0x1000)
               : NULL;
}

static void kernel_reads_what_is_written(void **state)
{
    (void)state;
    struct bm_information info;
    struct bm_boot_info *read = calloc(1, sizeof(*read));
    struct bm_efi_region regions[] = {{0x1000, 0x9f000, 1}, {0x100000000, 0x1000, 4}};
    struct bm_efi_framebuffer screen = {.base = 0x380000000,
                                        .pitch = 5120,
                                        .width = 1280,
                                        .height = 800,
                                        .bits = 32,
                                        .red_position = 16,
                                        .red_size = 8,
                                        .green_position = 8,
                                        .green_size = 8,
                                        .blue_position = 0,
                                        .blue_size = 8};
    uint8_t rsdp[36] = "RSD PTR new";
    assert_non_null(read);
    bm_information_begin(&info, information, sizeof(information));
    bm_information_command_line(&info, "ip=dhcp log=info");
    bm_information_acpi(&info, rsdp, 36);
    bm_information_framebuffer(&info, &screen);
    bm_information_map(&info, regions, 2);
    bm_information_end(&info);
    assert_false(info.full);
    assert_true(bm_boot_read_multiboot2(read, 0x1000));
    assert_string_equal(read->command_line, "ip=dhcp log=info");
    assert_memory_equal(bm_boot_physical(read->rsdp, 36), rsdp, 36);
    assert_int_equal(read->framebuffer.base, 0x380000000);
    assert_int_equal(read->framebuffer.pitch, 5120);
    assert_int_equal(read->framebuffer.red_position, 16);
    assert_int_equal(read->framebuffer.blue_size, 8);
    assert_int_equal(read->region_count, 2);
    assert_int_equal(read->regions[1].base, 0x100000000);
    assert_int_equal(read->regions[1].type, BM_BOOT_REGION_NVS);
    free(read);
}

static void full_information_says_so(void **state)
{
    (void)state;
    struct bm_information info;
    char line[200];
    uint8_t *small = malloc(128); // exactly so long: the sanitizer sees a byte too far
    assert_non_null(small);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = 0;
    bm_information_begin(&info, small, 128);
    bm_information_command_line(&info, line);
    bm_information_end(&info);
    assert_true(info.full);
    free(small);
}

static bool screen_of(struct bm_efi_framebuffer *screen, struct bm_efi_graphics_information info,
                      uint64_t size)
{
    struct bm_efi_graphics_mode mode = {
        .information = &info, .framebuffer = 0x80000000, .framebuffer_size = size};
    return bm_efi_framebuffer_read(screen, &mode);
}

static void pixel_formats_are_read(void **state)
{
    (void)state;
    struct bm_efi_framebuffer screen;
    struct bm_efi_graphics_information info = {.width = 800, .height = 600, .pixels_per_line = 832};
    info.pixel_format = BM_EFI_PIXEL_RGB;
    assert_true(screen_of(&screen, info, 832 * 4 * 600));
    assert_int_equal(screen.pitch, 3328);
    assert_int_equal(screen.bits, 32);
    assert_int_equal(screen.red_position, 0);
    assert_int_equal(screen.blue_position, 16);
    assert_false(screen_of(&screen, info, 832 * 4 * 600 - 1)); // it does not fit into its memory
    info.pixel_format = BM_EFI_PIXEL_BGR;
    assert_true(screen_of(&screen, info, 832 * 4 * 600));
    assert_int_equal(screen.red_position, 16);
    assert_int_equal(screen.green_position, 8);
    assert_int_equal(screen.blue_position, 0);
    info.pixel_format = BM_EFI_PIXEL_BITMASK;
    info.red_mask = 0xf800;
    info.green_mask = 0x07e0;
    info.blue_mask = 0x001f;
    assert_true(screen_of(&screen, info, 832 * 2 * 600));
    assert_int_equal(screen.bits, 16);
    assert_int_equal(screen.pitch, 1664);
    assert_int_equal(screen.red_size, 5);
    assert_int_equal(screen.green_size, 6);
    assert_int_equal(screen.green_position, 5);
    info.red_mask = 0xf0f00; // two runs
    info.green_mask = 0xf0;
    info.blue_mask = 0xf;
    assert_false(screen_of(&screen, info, 1 << 24));
    info.red_mask = 0;
    assert_false(screen_of(&screen, info, 1 << 24));
    info.pixel_format = BM_EFI_PIXEL_BLT_ONLY;
    assert_false(screen_of(&screen, info, 1 << 24));
    info.pixel_format = BM_EFI_PIXEL_BGR;
    info.pixels_per_line = 799;
    assert_false(screen_of(&screen, info, 1 << 24));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(neighbours_of_one_kind_are_merged, clear),
        cmocka_unit_test_setup(types_and_attributes_are_translated, clear),
        cmocka_unit_test_setup(information_is_kept_from_the_kernel, clear),
        cmocka_unit_test_setup(odd_maps_do_no_harm, clear),
        cmocka_unit_test_setup(what_stands_in_the_way_is_named, clear),
        cmocka_unit_test_setup(overlapping_entries_forbid, clear),
        cmocka_unit_test(kernel_reads_what_is_written),
        cmocka_unit_test(full_information_says_so),
        cmocka_unit_test(pixel_formats_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
