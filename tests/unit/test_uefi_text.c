// Text from the firmware: load options, the command line's file, device paths.
// SPDX-License-Identifier: MIT
// @sources boot/uefi/text.c
// @includes boot/uefi
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The bytes of a string in UCS-2, its NUL with it; exactly so long, so that the sanitizer sees a byte too
// far.
static uint8_t *wide(const char *text, uint64_t *size)
{
    *size = 2 * (strlen(text) + 1);
    uint8_t *bytes = calloc(1, *size);
    assert_non_null(bytes);
    for (uint64_t i = 0; text[i]; i++)
        bytes[2 * i] = (uint8_t)text[i];
    return bytes;
}

static void expect_options(const char *options, const char *expected)
{
    char line[BM_EFI_LINE_MAX];
    uint64_t size;
    uint8_t *bytes = wide(options, &size);
    assert_true(bm_efi_options_read(line, bytes, size));
    assert_string_equal(line, expected);
    assert_true(bm_efi_options_read(line, bytes, size - 2)); // the NUL may be missing
    assert_string_equal(line, expected);
    free(bytes);
    bytes = (uint8_t *)strdup(options);
    assert_true(bm_efi_options_read(line, bytes, strlen(options) + 1)); // ASCII
    assert_string_equal(line, expected);
    assert_true(bm_efi_options_read(line, bytes, strlen(options)));
    assert_string_equal(line, expected);
    free(bytes);
}

static void options_are_read(void **state)
{
    (void)state;
    expect_options("ip=dhcp log=info", "ip=dhcp log=info");
    expect_options("hello.efi ip=dhcp", "ip=dhcp"); // the shell's first word
    expect_options("FS0:\\EFI\\BOOT\\BOOTX64.EFI   ip=dhcp -- a.efi", "ip=dhcp -- a.efi");
    expect_options("hello.efi", "");
    expect_options("efi=1", "efi=1");
    expect_options("", "");
    char line[BM_EFI_LINE_MAX];
    assert_true(bm_efi_options_read(line, NULL, 0));
    assert_string_equal(line, "");
}

static void options_that_are_no_text_are_refused(void **state)
{
    (void)state;
    char line[BM_EFI_LINE_MAX];
    const uint8_t guid[16] = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f};
    assert_false(bm_efi_options_read(line, guid, sizeof(guid)));
    assert_string_equal(line, "");
    const uint8_t greek[] = {'a', 0, 0xb1, 0x03, 0, 0};
    assert_false(bm_efi_options_read(line, greek, sizeof(greek)));
    uint8_t *endless = malloc(10000);
    assert_non_null(endless);
    memset(endless, 'x', 10000);
    assert_false(bm_efi_options_read(line, endless, 10000));
    assert_true(bm_efi_options_read(line, endless, BM_EFI_LINE_MAX - 1));
    assert_int_equal(strlen(line), BM_EFI_LINE_MAX - 1);
    free(endless);
}

static void expect_file(const char *bytes, uint64_t size, const char *expected)
{
    char line[BM_EFI_LINE_MAX];
    uint8_t *copy = malloc(size + !size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    assert_true(bm_efi_file_read(line, copy, size));
    assert_string_equal(line, expected);
    free(copy);
}

static void file_is_read(void **state)
{
    (void)state;
    char line[BM_EFI_LINE_MAX];
    const char text[] = "# comment = 1\r\nip=dhcp\r\n\r\n  log=info   dns=1.2.3.4 # no comment\n#last";
    expect_file(text, sizeof(text) - 1, "ip=dhcp log=info dns=1.2.3.4 # no comment");
    expect_file("\xef\xbb\xbfip=dhcp\n", 11, "ip=dhcp");
    expect_file("\xff\xfe"
                "a\0=\0"
                "1\0\r\0\n\0",
                12, "a=1");
    expect_file("", 0, "");
    expect_file("\n\n", 2, "");
    assert_false(bm_efi_file_read(line, (const uint8_t *)"a\0b", 3));
    assert_false(bm_efi_file_read(line, (const uint8_t *)"\xc3\xa4=1", 4));
    assert_string_equal(line, "");
}

struct path {
    uint8_t bytes[2048];
    unsigned length;
};

static void add_node(struct path *path, uint8_t type, uint8_t subtype, const void *data, unsigned size)
{
    uint8_t *at = path->bytes + path->length;
    at[0] = type;
    at[1] = subtype;
    at[2] = (uint8_t)(size + 4);
    at[3] = (uint8_t)((size + 4) >> 8);
    if (size)
        memcpy(at + 4, data, size);
    path->length += size + 4;
}

static void add_file(struct path *path, const char *name)
{
    uint64_t size;
    uint8_t *bytes = wide(name, &size);
    add_node(path, 4, 4, bytes, (unsigned)size);
    free(bytes);
}

static void expect_beside(const struct path *path, const char *name, const char *expected)
{
    bm_efi_char found[BM_EFI_PATH_MAX];
    assert_true(bm_efi_path_beside(found, path->bytes, name));
    for (unsigned i = 0; i <= strlen(expected); i++)
        assert_int_equal(found[i], (unsigned char)expected[i]);
}

static void neighbours_of_a_file_are_found(void **state)
{
    (void)state;
    struct path path = {0};
    add_node(&path, 1, 1, "\0\1", 2); // a PCI device comes first
    add_file(&path, "\\EFI\\BOOT\\BOOTX64.EFI");
    add_node(&path, 0x7f, 0xff, NULL, 0);
    expect_beside(&path, ".txt", "\\EFI\\BOOT\\BOOTX64.txt");
    expect_beside(&path, "db.auth", "\\EFI\\BOOT\\db.auth");
    struct path nodes = {0};
    add_file(&nodes, "\\EFI\\");
    add_file(&nodes, "my.folder");
    add_file(&nodes, "hello");
    add_node(&nodes, 0x7f, 0xff, NULL, 0);
    expect_beside(&nodes, ".txt", "\\EFI\\my.folder\\hello.txt");
    expect_beside(&nodes, "x", "\\EFI\\my.folder\\x");
    struct path none = {0};
    add_node(&none, 1, 1, "\0\1", 2);
    add_node(&none, 0x7f, 0xff, NULL, 0);
    bm_efi_char found[BM_EFI_PATH_MAX];
    assert_false(bm_efi_path_beside(found, none.bytes, ".txt"));
}

static void long_paths_are_refused(void **state)
{
    (void)state;
    char name[BM_EFI_PATH_MAX + 1];
    for (unsigned length = BM_EFI_PATH_MAX - 30; length < BM_EFI_PATH_MAX; length++) {
        struct path path = {0};
        bm_efi_char *found = malloc(BM_EFI_PATH_MAX * sizeof(*found));
        assert_non_null(found);
        memset(name, 'x', sizeof(name));
        name[length] = 0;
        add_file(&path, name);
        add_file(&path, "");
        add_node(&path, 0x7f, 0xff, NULL, 0);
        bool fits = bm_efi_path_beside(found, path.bytes, "much-too-long-a-name");
        assert_int_equal(fits, length < BM_EFI_PATH_MAX - BM_EFI_NAME_MAX);
        free(found);
    }
}

static void serial_consoles_are_found(void **state)
{
    (void)state;
    struct path path = {0};
    add_node(&path, 1, 1, "\0\1", 2);
    add_node(&path, 0x7f, 0x01, NULL, 0); // the next of several paths
    assert_false(bm_efi_path_serial(path.bytes, path.length));
    add_node(&path, 3, 14, "0123456789abcde", 15);
    add_node(&path, 0x7f, 0xff, NULL, 0);
    uint8_t *copy = malloc(path.length);
    assert_non_null(copy);
    memcpy(copy, path.bytes, path.length);
    assert_true(bm_efi_path_serial(copy, path.length));
    free(copy);
    assert_false(bm_efi_path_serial(path.bytes, path.length - 5)); // cut within the node
    assert_false(bm_efi_path_serial(path.bytes, 3));
    path.bytes[2] = 0; // a node of no length
    assert_false(bm_efi_path_serial(path.bytes, path.length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read),       cmocka_unit_test(options_that_are_no_text_are_refused),
        cmocka_unit_test(file_is_read),           cmocka_unit_test(neighbours_of_a_file_are_found),
        cmocka_unit_test(long_paths_are_refused), cmocka_unit_test(serial_consoles_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
