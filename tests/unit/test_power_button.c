// What the power button's driver takes from a FADT, whole and damaged.
// SPDX-License-Identifier: MIT
// @sources drivers/power/power_button/power_button_parse.c
#include "../../drivers/power/power_button/power_button.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 116 }; // of ACPI 1.0, without anything behind the flags

// On the heap, so that the sanitizer sees every byte beyond.
static uint8_t *table;

static struct bm_acpi_header *fresh(void)
{
    free(table);
    table = calloc(1, LENGTH);
    assert_non_null(table);
    struct bm_acpi_header *header = (void *)table;
    header->length = LENGTH;
    table[46] = 9;                         // SCI_INT
    memcpy(table + 48, "\xb2\0\0\0", 4);   // SMI_CMD
    table[52] = 2;                         // ACPI_ENABLE
    memcpy(table + 56, "\0\x06\0\0", 4);   // PM1a_EVT_BLK 0x600
    memcpy(table + 64, "\x04\x06\0\0", 4); // PM1a_CNT_BLK 0x604
    memcpy(table + 80, "\x20\x06\0\0", 4); // GPE0_BLK 0x620
    table[88] = 4;                         // PM1_EVT_LEN
    table[92] = 16;                        // GPE0_BLK_LEN
    return header;
}

static void reads_what_is_there(void **state)
{
    (void)state;
    struct power_button_ports ports;
    assert_true(bm_power_button_parse(fresh(), &ports));
    assert_int_equal(ports.event_a, 0x600);
    assert_int_equal(ports.event_b, 0);
    assert_int_equal(ports.event_size, 4);
    assert_int_equal(ports.control, 0x604);
    assert_int_equal(ports.smi_command, 0xb2);
    assert_int_equal(ports.acpi_enable, 2);
    assert_int_equal(ports.general[0], 0x620);
    assert_int_equal(ports.general_size[0], 16);
    assert_int_equal(ports.general[1], 0);
    assert_int_equal(ports.interrupt, 9);
}

static void refuses(unsigned offset, uint32_t value)
{
    struct power_button_ports ports;
    struct bm_acpi_header *header = fresh();
    memcpy(table + offset, &value, sizeof value);
    assert_false(bm_power_button_parse(header, &ports));
}

static void refuses_what_is_not(void **state)
{
    (void)state;
    refuses(4, LENGTH - 1); // too short
    refuses(112, 1 << 4);   // the button is a device of AML
    refuses(112, 1 << 20);  // hardware-reduced
    refuses(56, 0);         // no event block
    refuses(56, 0xfffd);    // … that does not lie among the ports
    refuses(56, 0x10600);
    refuses(56, 0xfffffffe);
    refuses(64, 0);  // no control block
    refuses(88, 3);  // an event block without two registers
    refuses(46, 16); // no ISA interrupt
}

static void leaves_out_what_does_not_fit(void **state)
{
    (void)state;
    struct power_button_ports ports;
    struct bm_acpi_header *header = fresh();
    memcpy(table + 80, "\xf8\xff\0\0", 4); // 16 ports from 0xfff8
    assert_true(bm_power_button_parse(header, &ports));
    assert_int_equal(ports.general[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(refuses_what_is_not),
        cmocka_unit_test(leaves_out_what_does_not_fit),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(table);
    return failed;
}
