// Executables as they should be, and each of their fields as it should not.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/executable/elf_read.c
// @includes libbaremetal/executable
#include "elf_read.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 4096, SIZE = 4 * PAGE, HEADERS = 6 };

// A file in which the fields lie where an ELF file has them.
static struct file {
    Elf64_Ehdr header;
    Elf64_Phdr headers[HEADERS];
    char rest[SIZE - sizeof(Elf64_Ehdr) - HEADERS * sizeof(Elf64_Phdr)];
} * file;

static struct bm_elf elf;

static const Elf64_Ehdr usual_header = {
    .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
    .e_type = ET_EXEC,
    .e_machine = EM_X86_64,
    .e_entry = 0x401010,
    .e_phoff = sizeof(Elf64_Ehdr),
    .e_phentsize = sizeof(Elf64_Phdr),
    .e_phnum = 3,
};

// Headers and constants, text, data with zeros behind them.
static void usual(void)
{
    memset(file, 0, SIZE);
    file->header = usual_header;
    file->headers[0] = (Elf64_Phdr){PT_LOAD, PF_R, 0, 0x400000, 0, 0x800, 0x800, PAGE};
    file->headers[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0x1000, 0x401000, 0, 0x900, 0x900, PAGE};
    file->headers[2] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x2f00, 0x403f00, 0, 0x80, 0x3000, PAGE};
}

static void good(void **state)
{
    (void)state;
    usual();
    assert_null(bm_elf_read((const char *)file, SIZE, &elf));
    assert_false(elf.movable);
    assert_int_equal(elf.count, 3);
    assert_int_equal(elf.begin, 0x400000);
    assert_int_equal(elf.end, 0x407000);
    assert_int_equal(elf.entry, 0x401010);
    assert_int_equal(elf.headers, 0x400000 + sizeof(Elf64_Ehdr));
    assert_int_equal(elf.header_count, 3);
    assert_true(elf.segments[1].execute && !elf.segments[1].write);
    assert_true(elf.segments[2].write && !elf.segments[2].execute);
    assert_int_equal(elf.segments[2].memory_size, 0x3000);
    assert_null(elf.interpreter);
}

static void movable(void **state)
{
    (void)state;
    usual();
    file->header.e_type = ET_DYN;
    file->header.e_entry -= 0x400000;
    for (unsigned i = 0; i < 3; i++)
        file->headers[i].p_vaddr -= 0x400000;
    assert_null(bm_elf_read((const char *)file, SIZE, &elf));
    assert_true(elf.movable);
    assert_int_equal(elf.begin, 0);
    assert_int_equal(elf.end, 0x7000);
    file->header.e_type = ET_EXEC; // nothing stands at NULL
    assert_string_equal(bm_elf_read((const char *)file, SIZE, &elf),
                        "has a segment at an address that programs do not have");
}

static void interpreter(void **state)
{
    (void)state;
    usual();
    file->header.e_phnum = 4;
    file->headers[3] = (Elf64_Phdr){PT_INTERP, PF_R, 0x400, 0x400400, 0, 12, 12, 1};
    strcpy((char *)file + 0x400, "/lib/loader");
    assert_null(bm_elf_read((const char *)file, SIZE, &elf));
    assert_string_equal(elf.interpreter, "/lib/loader");
    file->headers[3].p_filesz = 11;
    assert_string_equal(bm_elf_read((const char *)file, SIZE, &elf), "names its dynamic loader wrongly");
    file->headers[3].p_offset = UINT64_MAX - 5;
    assert_string_equal(bm_elf_read((const char *)file, SIZE, &elf), "names its dynamic loader wrongly");
}

// Sets a field to what it must not be.
#define REFUSED(field, value, why)                                                                           \
    do {                                                                                                     \
        usual();                                                                                             \
        file->field = (value);                                                                               \
        const char *said = bm_elf_read((const char *)file, SIZE, &elf);                                      \
        assert_non_null(said);                                                                               \
        assert_string_equal(said, why);                                                                      \
    } while (0)

static void bad_header(void **state)
{
    (void)state;
    usual();
    assert_string_equal(bm_elf_read((const char *)file, sizeof(Elf64_Ehdr) - 1, &elf), "is no ELF file");
    REFUSED(header.e_ident[1], 'F', "is no ELF file");
    REFUSED(header.e_ident[EI_CLASS], ELFCLASS32, "is not for x86-64");
    REFUSED(header.e_ident[EI_DATA], ELFDATA2MSB, "is not for x86-64");
    REFUSED(header.e_machine, EM_AARCH64, "is not for x86-64");
    REFUSED(header.e_type, ET_REL, "is no executable");
    REFUSED(header.e_phentsize, 55, "has no valid program headers");
    REFUSED(header.e_phnum, 0, "has no valid program headers");
    REFUSED(header.e_phnum, 1000, "has no valid program headers");
    REFUSED(header.e_phoff, 65, "has no valid program headers");
    REFUSED(header.e_phoff, SIZE - 160, "has no valid program headers");
    REFUSED(header.e_phoff, UINT64_MAX - 7, "has no valid program headers");
    REFUSED(header.e_entry, 0x401900, "does not begin in its text");
    REFUSED(header.e_entry, 0x400010, "does not begin in its text");
    REFUSED(header.e_entry, 0, "does not begin in its text");
}

static void bad_segments(void **state)
{
    (void)state;
    static const char outside[] = "has a segment that is not in the file";
    static const char address[] = "has a segment at an address that programs do not have";
    REFUSED(headers[2].p_filesz, 0x3001, outside);
    REFUSED(headers[2].p_offset, SIZE - 0x7f, outside);
    REFUSED(headers[2].p_offset, UINT64_MAX - 0xff, outside);
    REFUSED(headers[2].p_memsz, UINT64_MAX, address);
    REFUSED(headers[2].p_memsz, BM_ELF_HIGHEST, address);
    REFUSED(headers[2].p_vaddr, UINT64_MAX - 0x10ff, address);
    REFUSED(headers[2].p_vaddr, BM_ELF_HIGHEST + 0xf00, address);
    REFUSED(headers[0].p_vaddr, 0x8000, address);
    REFUSED(headers[2].p_vaddr, 0x403f01, "has a segment that cannot be mapped by pages");
    REFUSED(headers[2].p_vaddr, 0x401f00, "has segments that share a page, or are not sorted");
    REFUSED(headers[1].p_vaddr, 0x400000 - 0x1000, "has segments that share a page, or are not sorted");
    REFUSED(headers[1].p_flags, PF_R | PF_W | PF_X, "has a segment that is writable and executable");
    REFUSED(headers[1].p_memsz, 0x901, "has text that is not in the file");
}

static void headers_elsewhere(void **state)
{
    (void)state;
    usual();
    file->headers[0].p_offset = 0x1000; // no segment has the program headers
    assert_null(bm_elf_read((const char *)file, SIZE, &elf));
    assert_int_equal(elf.headers, 0);
    assert_int_equal(elf.headers_offset, sizeof(Elf64_Ehdr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good),         cmocka_unit_test(movable),
                                       cmocka_unit_test(interpreter),  cmocka_unit_test(bad_header),
                                       cmocka_unit_test(bad_segments), cmocka_unit_test(headers_elsewhere)};
    file = aligned_alloc(PAGE, SIZE);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(file);
    return failed;
}
