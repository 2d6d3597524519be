// Boot information: PVH, Multiboot2, Linux's boot parameters, the memory map, the command line's words.
// SPDX-License-Identifier: MIT
// @sources boot/pvh.c boot/multiboot2.c boot/linux.c boot/map.c libbaremetal/base/words.c
#include "../../boot/protocol.h"
#include "../../libbaremetal/base/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// Physical memory of the tests: `memory` stands at MEMORY_BASE, nothing else is within reach.
enum { MEMORY_BASE = 0x10000, MEMORY_SIZE = 0x4000 };
static _Alignas(8) unsigned char memory[MEMORY_SIZE];

const void *bm_boot_physical(uint64_t physical, uint64_t length)
{
    if (physical < MEMORY_BASE || physical - MEMORY_BASE > MEMORY_SIZE ||
        length > MEMORY_SIZE - (physical - MEMORY_BASE))
        return NULL;
    return memory + (physical - MEMORY_BASE);
}

static void put32(size_t at, uint32_t value)
{
    memcpy(memory + at, &value, 4);
}

static void put64(size_t at, uint64_t value)
{
    memcpy(memory + at, &value, 8);
}

static void put_region(size_t at, uint64_t base, uint64_t length, uint32_t type)
{
    put64(at, base);
    put64(at + 8, length);
    put32(at + 16, type);
    put32(at + 20, 0);
}

static int clear(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    return 0;
}

static struct bm_boot_info *new_info(void)
{
    struct bm_boot_info *info = calloc(1, sizeof(*info));
    assert_non_null(info);
    return info;
}

static void expect_region(const struct bm_boot_info *info, unsigned i, uint64_t base, uint64_t end,
                          uint32_t type)
{
    assert_true(i < info->region_count);
    assert_int_equal(info->regions[i].base, base);
    assert_int_equal(info->regions[i].base + info->regions[i].length, end);
    assert_int_equal(info->regions[i].type, type);
}

// A PVH start information at the beginning of the memory with everything in it.
static void put_pvh(void)
{
    put32(0, 0x336ec578);
    put32(4, 1);                    // version
    put32(12, 1);                   // modules
    put64(16, MEMORY_BASE + 0x100); // module list
    put64(24, MEMORY_BASE + 0x200); // command line
    put64(32, 0xf5a00);             // RSDP
    put64(40, MEMORY_BASE + 0x300); // memory map
    put32(48, 2);                   // its entries
    put64(0x100, 0x200000);
    put64(0x108, 0x1234);
    memcpy(memory + 0x200, "ip=dhcp -- a", 13);
    put_region(0x300, 0, 0x9fc00, 1);
    put_region(0x318, 0x100000, 0x7ee0000, 1);
}

static void pvh_is_read(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    put_pvh();
    assert_true(bm_boot_read_pvh(info, MEMORY_BASE));
    bm_boot_map_finish(info);
    assert_int_equal(info->rsdp, 0xf5a00);
    assert_string_equal(info->command_line, "ip=dhcp -- a");
    assert_int_equal(info->command_line_size, 12);
    assert_int_equal(info->module_count, 1);
    assert_int_equal(info->modules[0].base, 0x200000);
    assert_int_equal(info->modules[0].length, 0x1234);
    assert_int_equal(info->region_count, 2);
    expect_region(info, 0, 0, 0x9f000, BM_BOOT_REGION_RAM);
    expect_region(info, 1, 0x100000, 0x7fe0000, BM_BOOT_REGION_RAM);
    free(info);
}

static void pvh_version_0_has_no_map(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    put_pvh();
    put32(4, 0);
    assert_true(bm_boot_read_pvh(info, MEMORY_BASE));
    assert_int_equal(info->region_count, 0);
    assert_int_equal(info->rsdp, 0xf5a00);
    free(info);
}

static void pvh_wrong_magic_is_refused(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    put_pvh();
    put32(0, 0x336ec579);
    assert_false(bm_boot_read_pvh(info, MEMORY_BASE));
    assert_false(bm_boot_read_pvh(info, 0));
    assert_false(bm_boot_read_pvh(info, MEMORY_BASE + MEMORY_SIZE - 8));
    free(info);
}

static void pvh_lists_out_of_reach_are_left_out(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    put_pvh();
    put64(16, UINT64_MAX - 8); // the address of the second module would wrap
    put32(12, UINT32_MAX);
    put64(40, MEMORY_BASE + MEMORY_SIZE - 24);
    put_region(MEMORY_SIZE - 24, 0x100000, 0x1000, 1);
    put32(48, UINT32_MAX);
    put64(24, MEMORY_BASE + MEMORY_SIZE); // command line behind the end
    assert_true(bm_boot_read_pvh(info, MEMORY_BASE));
    assert_int_equal(info->module_count, 0);
    assert_int_equal(info->region_count, 1);
    assert_string_equal(info->command_line, "");
    free(info);
}

static void long_command_line_is_cut(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    memset(memory + 0x1000, 'x', 0x2000);
    bm_boot_command_line_copy(info, MEMORY_BASE + 0x1000, UINT32_MAX);
    assert_int_equal(strlen(info->command_line), BM_BOOT_COMMAND_LINE_MAX - 1);
    assert_int_equal(info->command_line_size, 0x2000);
    free(info);
}

// Appends a Multiboot2 tag; returns the offset behind it.
static size_t put_tag(size_t at, uint32_t type, const void *data, uint32_t size)
{
    put32(at, type);
    put32(at + 4, 8 + size);
    memcpy(memory + at + 8, data, size);
    return (at + 8 + size + 7) & ~(size_t)7;
}

static size_t put_memory_map_tag(size_t at)
{
    put32(at, 6);
    put32(at + 4, 16 + 24);
    put32(at + 8, 24);
    put_region(at + 16, 0x100000, 0x700000, 1);
    return at + 40;
}

static void multiboot2_is_read(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    uint32_t module[2] = {0x300000, 0x300800};
    size_t at = put_tag(8, 1, "log=info", 9);
    at = put_tag(at, 3, module, sizeof(module));
    at = put_memory_map_tag(at);
    at = put_tag(at, 14, "RSD PTR old", 12);
    size_t rsdp = at;
    at = put_tag(at, 15, "RSD PTR new", 12);
    at = put_tag(at, 0, "", 0);
    put32(0, (uint32_t)at);
    assert_true(bm_boot_read_multiboot2(info, MEMORY_BASE));
    assert_string_equal(info->command_line, "log=info");
    assert_int_equal(info->modules[0].base, 0x300000);
    assert_int_equal(info->modules[0].length, 0x800);
    expect_region(info, 0, 0x100000, 0x800000, BM_BOOT_REGION_RAM);
    assert_int_equal(info->rsdp, MEMORY_BASE + rsdp + 8);
    free(info);
}

static void multiboot2_odd_tags_are_left_out(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    size_t at = put_memory_map_tag(8);
    put32(at, 1);     // a command line
    put32(at + 4, 7); // shorter than its own header: the walk ends there
    put32(0, (uint32_t)at + 64);
    assert_true(bm_boot_read_multiboot2(info, MEMORY_BASE));
    assert_int_equal(info->region_count, 1);
    put32(16, 0); // entry size 0 must not loop for ever
    memset(info, 0, sizeof(*info));
    assert_true(bm_boot_read_multiboot2(info, MEMORY_BASE));
    assert_int_equal(info->region_count, 0);
    put32(0, MEMORY_SIZE + 8); // total size beyond reach
    assert_false(bm_boot_read_multiboot2(info, MEMORY_BASE));
    assert_false(bm_boot_read_multiboot2(info, MEMORY_BASE + 4)); // unaligned
    free(info);
}

static void multiboot2_framebuffer_is_checked(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    unsigned char fb[30] = {0};
    uint64_t address = 0xfd000000;
    uint32_t geometry[3] = {1024 * 4, 1024, 768};
    memcpy(fb, &address, 8);
    memcpy(fb + 8, geometry, 12);
    fb[20] = 32;
    fb[21] = 1;
    fb[24] = 16;
    size_t at = put_tag(8, 8, fb, sizeof(fb));
    put_tag(at, 0, "", 0);
    put32(0, (uint32_t)at + 8);
    assert_true(bm_boot_read_multiboot2(info, MEMORY_BASE));
    assert_int_equal(info->framebuffer.width, 1024);
    assert_int_equal(info->framebuffer.red_position, 16);
    memset(info, 0, sizeof(*info));
    put32(8 + 8 + 8, 100); // a line of 1024 pixels does not fit into 100 bytes
    assert_true(bm_boot_read_multiboot2(info, MEMORY_BASE));
    assert_int_equal(info->framebuffer.width, 0);
    free(info);
}

// Linux's boot parameters at the beginning of the memory with everything in it.
static void put_linux(void)
{
    put64(0x070, 0xe0000); // RSDP
    memory[0x1e8] = 2;     // entries of the memory map
    memcpy(memory + 0x202, "HdrS", 4);
    put32(0x218, 0x200000);
    put32(0x21c, 0x1234);
    put32(0x228, MEMORY_BASE + 0x1000);
    memcpy(memory + 0x1000, "ip=dhcp -- a", 13);
    put_region(0x2d0, 0, 0x9fc00, 1);
    put_region(0x2d0 + 20, 0x100000, 0x7ee0000, 1);
}

static void linux_is_read(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    put_linux();
    assert_true(bm_boot_read_linux(info, MEMORY_BASE));
    bm_boot_map_finish(info);
    assert_int_equal(info->rsdp, 0xe0000);
    assert_string_equal(info->command_line, "ip=dhcp -- a");
    assert_int_equal(info->module_count, 1);
    assert_int_equal(info->modules[0].base, 0x200000);
    assert_int_equal(info->modules[0].length, 0x1234);
    assert_int_equal(info->region_count, 2);
    expect_region(info, 0, 0, 0x9f000, BM_BOOT_REGION_RAM);
    expect_region(info, 1, 0x100000, 0x7fe0000, BM_BOOT_REGION_RAM);
    free(info);
}

static void linux_odd_parameters(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    put_linux();
    memory[0x1e8] = 255;                     // more than the page has room for
    put32(0x228, MEMORY_BASE + MEMORY_SIZE); // a command line out of reach
    put32(0x21c, 0);
    assert_true(bm_boot_read_linux(info, MEMORY_BASE));
    assert_int_equal(info->region_count, 2); // the others have no length
    assert_string_equal(info->command_line, "");
    assert_int_equal(info->module_count, 0);
    memset(memory + 0x2d0, 1, 128 * 20);
    memset(info, 0, sizeof(*info));
    assert_true(bm_boot_read_linux(info, MEMORY_BASE));
    assert_int_equal(info->region_count + info->regions_dropped, 128);
    assert_false(bm_boot_read_linux(info, MEMORY_BASE + MEMORY_SIZE - 4095));
    assert_false(bm_boot_read_linux(info, 0));
    memory[0x202] = 'h';
    assert_false(bm_boot_read_linux(info, MEMORY_BASE));
    free(info);
}

static void map_is_sorted_and_merged(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    bm_boot_map_add(info, 0x200000, 0x100000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x100000, 0x100000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x280000, 0x100000, BM_BOOT_REGION_RAM); // overlaps the first
    bm_boot_map_finish(info);
    assert_int_equal(info->region_count, 1);
    expect_region(info, 0, 0x100000, 0x380000, BM_BOOT_REGION_RAM);
    free(info);
}

static void reserved_wins_over_ram(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    bm_boot_map_add(info, 0x100000, 0x400000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x200800, 0x1000, BM_BOOT_REGION_RESERVED); // touches two pages
    bm_boot_map_add(info, 0x4ff000, 0x2000, BM_BOOT_REGION_ACPI);
    bm_boot_map_finish(info);
    assert_int_equal(info->region_count, 2);
    expect_region(info, 0, 0x100000, 0x200000, BM_BOOT_REGION_RAM);
    expect_region(info, 1, 0x202000, 0x4ff000, BM_BOOT_REGION_RAM);
    free(info);
}

static void odd_entries_are_left_out(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    bm_boot_map_add(info, 0x1000, 0, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, UINT64_MAX - 10, 100, BM_BOOT_REGION_RAM); // wraps
    bm_boot_map_add(info, 0x1001, 0x1000, BM_BOOT_REGION_RAM);       // no whole page
    bm_boot_map_add(info, UINT64_MAX - 100, 100, BM_BOOT_REGION_RESERVED);
    bm_boot_map_add(info, 0x100000, 0x3000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x100000, 0x1000, 77); // unknown type: not RAM
    bm_boot_map_add(info, 0x102000, 0x1000, 0);
    bm_boot_map_finish(info);
    assert_int_equal(info->region_count, 1);
    expect_region(info, 0, 0x101000, 0x102000, BM_BOOT_REGION_RAM);
    free(info);
}

// Holes that cover each other and several pieces of RAM; RAM said twice, once with a hole in it.
static void holes_of_all_shapes(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    bm_boot_map_add(info, 0x500000, 0x100000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x100000, 0x100000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x200000, 0x100000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x100000, 0x200000, BM_BOOT_REGION_RAM);
    bm_boot_map_add(info, 0x2f0000, 0x220000, BM_BOOT_REGION_RESERVED);
    bm_boot_map_add(info, 0x300000, 0x1000, BM_BOOT_REGION_NVS);
    bm_boot_map_add(info, 0x508000, 0x18000, BM_BOOT_REGION_ACPI);
    bm_boot_map_add(info, 0x5fffff, 1, BM_BOOT_REGION_RESERVED);
    bm_boot_map_add(info, 0x180000, 1, BM_BOOT_REGION_UNUSABLE);
    bm_boot_map_finish(info);
    assert_int_equal(info->region_count, 3);
    expect_region(info, 0, 0x100000, 0x180000, BM_BOOT_REGION_RAM);
    expect_region(info, 1, 0x181000, 0x2f0000, BM_BOOT_REGION_RAM);
    expect_region(info, 2, 0x520000, 0x5ff000, BM_BOOT_REGION_RAM);
    free(info);
}

static void map_without_ram(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    bm_boot_map_finish(info);
    assert_int_equal(info->region_count, 0);
    bm_boot_map_add(info, 0x100000, 0x1000, BM_BOOT_REGION_RESERVED);
    bm_boot_map_add(info, 0x100000, 0x1000, BM_BOOT_REGION_RAM);
    bm_boot_map_finish(info);
    assert_int_equal(info->region_count, 0);
    free(info);
}

static void too_many_entries_are_counted(void **state)
{
    (void)state;
    struct bm_boot_info *info = new_info();
    for (uint64_t i = 0; i < BM_BOOT_REGIONS_MAX + 5; i++)
        bm_boot_map_add(info, 0x100000 + i * 0x2000, 0x1000, BM_BOOT_REGION_RAM);
    assert_int_equal(info->region_count, BM_BOOT_REGIONS_MAX);
    assert_int_equal(info->regions_dropped, 5);
    free(info);
}

static void expect_word(const char **line, const char *key, const char *value)
{
    struct bm_word word;
    char text[64];
    assert_true(bm_word_next(line, &word));
    assert_int_equal(word.key_size, strlen(key));
    assert_memory_equal(word.key, key, word.key_size);
    if (!value) {
        assert_null(word.value);
        return;
    }
    assert_non_null(word.value);
    assert_int_equal(bm_word_unquote(&word, text, sizeof(text)), strlen(value));
    assert_string_equal(text, value);
}

static void words_are_split(void **state)
{
    (void)state;
    struct bm_word word;
    const char *line = "  ip=10.0.2.15/24,10.0.2.2 quiet\tenv.A=\"two words\" x==1 e= -- one two ";
    expect_word(&line, "ip", "10.0.2.15/24,10.0.2.2");
    expect_word(&line, "quiet", NULL);
    expect_word(&line, "env.A", "two words");
    expect_word(&line, "x", "=1");
    expect_word(&line, "e", "");
    assert_false(bm_word_next(&line, &word));
    assert_string_equal(line, "one two ");
    line = "";
    assert_false(bm_word_next(&line, &word));
    assert_string_equal(line, "");
    line = "a=\"never closed -- b";
    expect_word(&line, "a", "never closed -- b");
    assert_false(bm_word_next(&line, &word));
    assert_string_equal(line, "");
}

static void long_value_is_cut(void **state)
{
    (void)state;
    struct bm_word word;
    char text[4];
    const char *line = "k=abcdef";
    assert_true(bm_word_next(&line, &word));
    assert_int_equal(bm_word_unquote(&word, text, sizeof(text)), 6);
    assert_string_equal(text, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pvh_is_read, clear),
        cmocka_unit_test_setup(pvh_version_0_has_no_map, clear),
        cmocka_unit_test_setup(pvh_wrong_magic_is_refused, clear),
        cmocka_unit_test_setup(pvh_lists_out_of_reach_are_left_out, clear),
        cmocka_unit_test_setup(long_command_line_is_cut, clear),
        cmocka_unit_test_setup(multiboot2_is_read, clear),
        cmocka_unit_test_setup(multiboot2_odd_tags_are_left_out, clear),
        cmocka_unit_test_setup(multiboot2_framebuffer_is_checked, clear),
        cmocka_unit_test_setup(linux_is_read, clear),
        cmocka_unit_test_setup(linux_odd_parameters, clear),
        cmocka_unit_test(map_is_sorted_and_merged),
        cmocka_unit_test(reserved_wins_over_ram),
        cmocka_unit_test(odd_entries_are_left_out),
        cmocka_unit_test(holes_of_all_shapes),
        cmocka_unit_test(map_without_ram),
        cmocka_unit_test(too_many_entries_are_counted),
        cmocka_unit_test(words_are_split),
        cmocka_unit_test(long_value_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
