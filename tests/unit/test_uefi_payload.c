// The image in an EFI file: its section is found, every damage is refused with a reason, segments are copied.
// SPDX-License-Identifier: MIT
// @sources boot/uefi/payload.c libbaremetal/base/format.c
// @includes boot/uefi
#include "payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SEGMENTS_AT = 64,
    CODE_AT = 0x200,
    CODE_SIZE = 0x180,
    DATA_AT = 0x400,
    DATA_SIZE = 0x20,
    ELF_SIZE = 0x420
};
enum { CODE_ADDRESS = 0x100000, DATA_ADDRESS = 0x102010, DATA_MEMORY = 0x2000, ENTRY = 0x100040 };

struct file {
    struct bm_payload_header header;
    uint8_t elf[ELF_SIZE];
    uint8_t behind[64]; // a PE section is longer than what it holds
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void put_segment(struct file *file, unsigned index, uint32_t type, uint32_t flags, uint64_t offset,
                        uint64_t address, uint64_t in_file, uint64_t in_memory)
{
    uint8_t *at = file->elf + SEGMENTS_AT + 56 * index;
    put(at, type, 4);
    put(at + 4, flags, 4);
    put(at + 8, offset, 8);
    put(at + 16, address, 8);
    put(at + 24, address, 8);
    put(at + 32, in_file, 8);
    put(at + 40, in_memory, 8);
}

static void seal(struct file *file)
{
    memcpy(file->header.magic, BM_PAYLOAD_MAGIC, 8);
    file->header.image_size = ELF_SIZE;
    file->header.image_crc = bm_payload_crc(file->elf, ELF_SIZE);
    file->header.header_crc = 0;
    file->header.header_crc = bm_payload_crc(&file->header, sizeof(file->header));
}

// A good file: code with a Multiboot2 header at its beginning, data with a tail of zeros, a segment that is
// not loaded.
static struct file good(void)
{
    struct file file = {0};
    memcpy(file.elf, "\177ELF\2\1\1", 7);
    put(file.elf + 16, 2, 2);
    put(file.elf + 18, 62, 2);
    put(file.elf + 32, SEGMENTS_AT, 8);
    put(file.elf + 54, 56, 2);
    put(file.elf + 56, 3, 2);
    put_segment(&file, 0, 1, 5, CODE_AT, CODE_ADDRESS, CODE_SIZE, CODE_SIZE);
    put_segment(&file, 1, 1, 6, DATA_AT, DATA_ADDRESS, DATA_SIZE, DATA_MEMORY);
    put_segment(&file, 2, 4, 4, 1ull << 60, 0, 1ull << 60, 0); // a note: nobody looks at it
    uint8_t *header = file.elf + CODE_AT;
    put(header, 0xe85250d6, 4);
    put(header + 8, 48, 4);
    put(header + 12, -(0xe85250d6u + 48), 4);
    put(header + 16, 6, 2); // another tag comes first
    put(header + 20, 8, 4);
    put(header + 24, 3, 2);
    put(header + 28, 12, 4);
    put(header + 32, ENTRY, 4);
    put(header + 44, 8, 4);
    memset(file.elf + DATA_AT, 0xda, DATA_SIZE);
    seal(&file);
    return file;
}

static void expect_refusal(struct file *file, uint64_t size, const char *reason)
{
    struct bm_payload payload;
    char found[BM_PAYLOAD_REASON_MAX] = "";
    uint8_t *copy = malloc(size ? size : 1); // exactly so long: the sanitizer sees a byte too far
    assert_non_null(copy);
    memcpy(copy, file, size);
    assert_false(bm_payload_read(&payload, copy, size, found));
    free(copy);
    if (!strstr(found, reason))
        fail_msg("the reason is '%s', not '%s'", found, reason);
}

static void refuse_sealed(struct file *file, const char *reason)
{
    seal(file);
    expect_refusal(file, sizeof(*file), reason);
}

static void crc_is_that_of_zlib(void **state)
{
    (void)state;
    assert_int_equal(bm_payload_crc("123456789", 9), 0xcbf43926);
    assert_int_equal(bm_payload_crc("", 0), 0);
}

static void good_file_is_read_and_loaded(void **state)
{
    (void)state;
    struct file file = good();
    struct bm_payload payload;
    char reason[BM_PAYLOAD_REASON_MAX] = "";
    assert_true(bm_payload_read(&payload, (uint8_t *)&file, sizeof(file), reason));
    assert_int_equal(payload.begin, 0x100000);
    assert_int_equal(payload.end, 0x105000);
    assert_int_equal(payload.entry, ENTRY);
    assert_int_equal(payload.segment_count, 2);
    uint8_t *memory = malloc(0x5000);
    assert_non_null(memory);
    memset(memory, 0x55, 0x5000);
    bm_payload_load(&payload, memory);
    assert_memory_equal(memory, file.elf + CODE_AT, CODE_SIZE);
    assert_int_equal(memory[CODE_SIZE], 0);
    assert_int_equal(memory[0x2010], 0xda);
    assert_int_equal(memory[0x2010 + DATA_SIZE - 1], 0xda);
    for (unsigned i = 0x2010 + DATA_SIZE; i < 0x5000; i++)
        assert_int_equal(memory[i], 0);
    free(memory);
}

static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 8 * (sizeof(struct bm_payload_header) + ELF_SIZE); bit++) {
        struct file file = good();
        struct bm_payload payload;
        char reason[BM_PAYLOAD_REASON_MAX] = "";
        ((uint8_t *)&file)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(bm_payload_read(&payload, (uint8_t *)&file, sizeof(file), reason));
        assert_true(strlen(reason) > 10);
    }
}

static void every_truncation_is_seen(void **state)
{
    (void)state;
    struct file file = good();
    for (uint64_t size = 0; size < sizeof(struct bm_payload_header) + ELF_SIZE; size += 7)
        expect_refusal(&file, size, size < sizeof(struct bm_payload_header) ? "too short" : "cut off");
}

static void elf_header_is_checked(void **state)
{
    (void)state;
    struct file file = good();
    file.elf[4] = 1;
    refuse_sealed(&file, "no 64-bit ELF");
    file = good();
    put(file.elf + 18, 3, 2);
    refuse_sealed(&file, "no x86-64 program");
    file = good();
    put(file.elf + 16, 1, 2);
    refuse_sealed(&file, "no x86-64 program");
    file = good();
    put(file.elf + 32, UINT64_MAX - 8, 8);
    refuse_sealed(&file, "table of segments");
    file = good();
    put(file.elf + 56, 0xffff, 2);
    refuse_sealed(&file, "table of segments");
    file = good();
    put(file.elf + CODE_AT + 12, 0, 4);
    refuse_sealed(&file, "no Multiboot2 header");
    file = good();
    put(file.elf + CODE_AT + 20, 0, 4); // a tag of no length must not be looked at for ever
    refuse_sealed(&file, "no Multiboot2 header");
}

static void segments_are_checked(void **state)
{
    (void)state;
    struct file file = good();
    put_segment(&file, 1, 1, 6, ELF_SIZE - 16, DATA_ADDRESS, 17, 17);
    refuse_sealed(&file, "segment 1 (file offset 0x410, 17 bytes) reaches beyond");
    put_segment(&file, 1, 1, 6, UINT64_MAX - 4, DATA_ADDRESS, 17, 17);
    refuse_sealed(&file, "reaches beyond");
    put_segment(&file, 1, 1, 6, DATA_AT, DATA_ADDRESS, 17, 16);
    refuse_sealed(&file, "more bytes in the file");
    put_segment(&file, 1, 1, 6, DATA_AT, 0xff000, 17, 17);
    refuse_sealed(&file, "outside of 1 MiB to 4 GiB");
    put_segment(&file, 1, 1, 6, DATA_AT, 0xfffff000, 17, 17);
    refuse_sealed(&file, "outside of 1 MiB to 4 GiB");
    put_segment(&file, 1, 1, 6, DATA_AT, DATA_ADDRESS, 17, UINT64_MAX - DATA_ADDRESS + 5);
    refuse_sealed(&file, "outside of 1 MiB to 4 GiB");
    put_segment(&file, 1, 1, 6, DATA_AT, CODE_ADDRESS + CODE_SIZE - 1, 17, 17);
    refuse_sealed(&file, "overlaps");
}

static void missing_segment_is_seen(void **state)
{
    (void)state;
    struct file file = good();
    put_segment(&file, 0, 0, 5, CODE_AT, CODE_ADDRESS, CODE_SIZE, CODE_SIZE);
    refuse_sealed(&file, "lies in none of");
    file = good();
    put_segment(&file, 0, 1, 4, CODE_AT, CODE_ADDRESS, CODE_SIZE, CODE_SIZE); // not executable
    refuse_sealed(&file, "lies in none of");
    file = good();
    put_segment(&file, 0, 1, 5, CODE_AT, CODE_ADDRESS, 0x40, CODE_SIZE); // the entry is in the zeros
    refuse_sealed(&file, "lies in none of");
    file = good();
    put_segment(&file, 0, 1, 5, CODE_AT, CODE_ADDRESS, CODE_SIZE, 0); // nothing of it comes into memory
    refuse_sealed(&file, "lies in none of");
    file = good();
    put(file.elf + 56, 0, 2);
    refuse_sealed(&file, "lies in none of");
}

static uint64_t word(const uint8_t *memory, uint64_t address)
{
    uint64_t value;
    memcpy(&value, memory + (address - CODE_ADDRESS), 8);
    return value;
}

// Lists in the data segment: RELR of one address and two bitmaps, RELA of one entry; words at 0x102110 and
// on.
static void put_lists(struct file *file)
{
    uint8_t *data = file->elf + DATA_AT - 0x10; // at 0x102000
    memset(file->elf + DATA_AT, 0, DATA_SIZE);
    put_segment(file, 1, 1, 6, DATA_AT - 0x10, DATA_ADDRESS - 0x10, ELF_SIZE - DATA_AT + 0x10, DATA_MEMORY);
    put(data, 0x102110, 8);
    put(data + 8, 1 | 1 << 1 | 1ull << 63, 8); // the word behind, and the 62nd after it
    put(data + 16, 1 | 1 << 1, 8);             // the word behind those 63
    put(data + 24, 0x102400, 8);
    put(data + 32, 8, 8);
    put(data + 40, 0x100abc, 8);
    file->header.relr_begin = 0x102000;
    file->header.relr_end = file->header.rela_begin = 0x102018;
    file->header.rela_end = 0x102030;
    seal(file);
}

static void image_is_fitted_to_another_place(void **state)
{
    (void)state;
    const uint32_t fixups[] = {24, 0x51};
    const uint64_t delta = 0x7e000000;
    struct file file = good();
    struct bm_payload payload;
    char reason[BM_PAYLOAD_REASON_MAX] = "";
    uint8_t *memory = malloc(0x4000);
    assert_non_null(memory);
    put_lists(&file);
    assert_true(bm_payload_read(&payload, (uint8_t *)&file, sizeof(file), reason));
    assert_int_equal(payload.end, 0x104000);
    bm_payload_load(&payload, memory);
    put(memory + 24, 0x100040, 4);
    put(memory + 0x51, 0x100123, 4);
    put(memory + 0x2110, 0x101111, 8);
    put(memory + 0x2118, 0x102222, 8);
    put(memory + 0x2120, 0x103333, 8); // not in a list
    put(memory + 0x2118 + 62 * 8, 0x104444, 8);
    put(memory + 0x2118 + 63 * 8, 0x105555, 8);
    assert_true(bm_payload_relocate(&payload, memory, CODE_ADDRESS + delta, fixups, 2));
    assert_int_equal((uint32_t)word(memory, CODE_ADDRESS + 24), 0x100040 + delta);
    assert_int_equal((uint32_t)word(memory, CODE_ADDRESS + 0x51), 0x100123 + delta);
    assert_int_equal(word(memory, 0x102000), 0x102110 + delta); // the lists themselves
    assert_int_equal(word(memory, 0x102008), 1 | 1 << 1 | 1ull << 63);
    assert_int_equal(word(memory, 0x102018), 0x102400 + delta);
    assert_int_equal(word(memory, 0x102020), 8);
    assert_int_equal(word(memory, 0x102028), 0x100abc + delta);
    assert_int_equal(word(memory, 0x102110), 0x101111 + delta); // what they name
    assert_int_equal(word(memory, 0x102118), 0x102222 + delta);
    assert_int_equal(word(memory, 0x102120), 0x103333);
    assert_int_equal(word(memory, 0x102118 + 62 * 8), 0x104444 + delta);
    assert_int_equal(word(memory, 0x102118 + 63 * 8), 0x105555 + delta);
    assert_int_equal(word(memory, 0x102400), 0); // left to the image
    free(memory);
}

static void expect_unfit(struct file *file, uint32_t fixup)
{
    struct bm_payload payload;
    char reason[BM_PAYLOAD_REASON_MAX] = "";
    uint8_t *memory = malloc(0x4000); // exactly so long: the sanitizer sees a byte too far
    assert_non_null(memory);
    seal(file);
    assert_true(bm_payload_read(&payload, (uint8_t *)file, sizeof(*file), reason));
    bm_payload_load(&payload, memory);
    if (fixup == 24)
        put(memory + 24, 0x100040, 4);
    assert_false(bm_payload_relocate(&payload, memory, 0x40000000, &fixup, 1));
    free(memory);
}

static void lists_that_lead_out_are_refused(void **state)
{
    (void)state;
    struct file file = good();
    put_lists(&file);
    expect_unfit(&file, 0x3ffd);
    expect_unfit(&file, 0x28); // what stands there is no address of the image
    file.header.relr_begin = 0xff000;
    expect_unfit(&file, 24);
    put_lists(&file);
    put(file.elf + DATA_AT - 0x10, 0x103ffa, 8); // an even address, but its word ends outside
    expect_unfit(&file, 24);
    put_lists(&file);
    put(file.elf + DATA_AT - 0x10, 0x103e20, 8); // the bitmap's last word lies outside
    expect_unfit(&file, 24);
    put_lists(&file);
    file.header.relr_end = UINT64_MAX;
    expect_unfit(&file, 24);
    put_lists(&file);
    file.header.rela_end = 0x105000;
    expect_unfit(&file, 24);
}

// A PE file as the firmware has laid it out: two sections, the second ours.
static void section_is_found(void **state)
{
    (void)state;
    uint8_t *pe = calloc(1, 0x400);
    assert_non_null(pe);
    uint64_t size = 0;
    put(pe + 0x3c, 0x80, 4);
    memcpy(pe + 0x80, "PE\0\0", 4);
    put(pe + 0x80 + 6, 2, 2);
    put(pe + 0x80 + 20, 0x10, 2);
    uint8_t *sections = pe + 0x80 + 24 + 0x10;
    memcpy(sections, ".text\0\0", 8);
    memcpy(sections + 40, BM_PAYLOAD_SECTION, 8);
    put(sections + 40 + 8, 0x100, 4);
    put(sections + 40 + 12, 0x300, 4);
    assert_ptr_equal(bm_payload_find(pe, 0x400, &size), pe + 0x300);
    assert_int_equal(size, 0x100);
    assert_null(bm_payload_find(pe, 0x3ff, &size)); // it reaches beyond
    put(sections + 40 + 12, 0xffffff00, 4);
    assert_null(bm_payload_find(pe, 0x400, &size));
    put(pe + 0x80 + 6, 0xffff, 2); // the table reaches beyond
    assert_null(bm_payload_find(pe, 0x400, &size));
    put(pe + 0x3c, 0x3f0, 4);
    assert_null(bm_payload_find(pe, 0x400, &size));
    free(pe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_that_of_zlib),
        cmocka_unit_test(good_file_is_read_and_loaded),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(elf_header_is_checked),
        cmocka_unit_test(segments_are_checked),
        cmocka_unit_test(missing_segment_is_seen),
        cmocka_unit_test(section_is_found),
        cmocka_unit_test(image_is_fitted_to_another_place),
        cmocka_unit_test(lists_that_lead_out_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
