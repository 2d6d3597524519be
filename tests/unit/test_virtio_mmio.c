// The command line's word for a memory-mapped virtio device: Linux's syntax, strictly.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtio_mmio_word.c
#include "../../drivers/virtio/virtio_mmio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct virtio_mmio_place place;

static void accept(const char *text, uint64_t size, uint64_t base, uint32_t interrupt)
{
    const char *wrong = bm_virtio_mmio_word(text, &place);
    if (wrong)
        fail_msg("%s was refused: %s", text, wrong);
    assert_int_equal(place.size, size);
    assert_int_equal(place.base, base);
    assert_int_equal(place.interrupt, interrupt);
    assert_true(place.wired);
    assert_false(place.level);
    assert_false(place.active_low);
}

static void refuse(const char *text, const char *reason)
{
    const char *wrong = bm_virtio_mmio_word(text, &place);
    if (!wrong)
        fail_msg("%s was taken", text);
    assert_string_equal(wrong, reason);
}

// As QEMU's microvm writes it, as Firecracker does, and the examples of Linux's documentation.
static void words_of_hypervisors(void **state)
{
    (void)state;
    accept("512@0xfeb00e00:12", 512, 0xfeb00e00, 12);
    accept("4K@0xd0000000:5", 4096, 0xd0000000, 5);
    accept("1K@0x100b0000:48:7", 1024, 0x100b0000, 48);
}

static void numbers(void **state)
{
    (void)state;
    accept("0x200@4272950784:5", 512, 0xfeb00e00, 5);
    accept("1024@3G:9", 1024, 3ull << 30, 9);
    accept("1k@0XFEB00000:9", 1024, 0xfeb00000, 9);
    accept("1M@0xABCDEF00:1023", 1 << 20, 0xabcdef00, 1023);
}

static void kinds_of_interrupt(void **state)
{
    (void)state;
    accept("512@0xfeb00e00:15", 512, 0xfeb00e00, 15);
    assert_true(place.isa);
    accept("512@0xfeb00e00:16", 512, 0xfeb00e00, 16);
    assert_false(place.isa);
}

static void wrong_words(void **state)
{
    (void)state;
    const char *form = "is not <size>@<base>:<irq>";
    const char *const bad[] = {"",
                               "512",
                               "512@",
                               "512@0x",
                               "512@0xfeb00e00",
                               "512@0xfeb00e00:",
                               "512@0xfeb00e00:x",
                               "@0xfeb00e00:12",
                               "0512@0xfeb00e00:12",
                               "512@0xfeb00e00:012",
                               "-512@0xfeb00e00:12",
                               " 512@0xfeb00e00:12",
                               "512 @0xfeb00e00:12",
                               "512@feb00e00:12",
                               "18446744073709551616@0xfeb00e00:12",
                               "512@0x1ffffffffffffffff:12",
                               "512@17179869184G:12",
                               "512@0xfeb00e00;12"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i], form);
    refuse("512@0xfeb00e00:12:", "has an id that is no number");
    refuse("512@0xfeb00e00:12:a", "has an id that is no number");
    refuse("512@0xfeb00e00:12 ", "goes on behind what belongs to it");
    refuse("512@0xfeb00e00:12K", "goes on behind what belongs to it");
    refuse("512@0xfeb00e00:12:0:0", "goes on behind what belongs to it");
}

static void impossible_places(void **state)
{
    (void)state;
    refuse("512@0xfeb00e00:0", "has an impossible interrupt");
    refuse("512@0xfeb00e00:1024", "has an impossible interrupt");
    refuse("512@0xfeb00e00:4294967308", "has an impossible interrupt");
    refuse("0x103@0xfeb00e00:12", "has an impossible size");
    accept("0x104@0xfeb00e00:12", 0x104, 0xfeb00e00, 12);
    refuse("2M@0xfeb00e00:12", "has an impossible size");
    refuse("512@0:12", "has an impossible address");
    refuse("512@0xfeb00e02:12", "has an impossible address");
    refuse("512@0x10000000000000:12", "has an impossible address");
    accept("512@0xffffffffffffc:12", 512, 0xffffffffffffc, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_of_hypervisors), cmocka_unit_test(numbers),
                                       cmocka_unit_test(kinds_of_interrupt), cmocka_unit_test(wrong_words),
                                       cmocka_unit_test(impossible_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
