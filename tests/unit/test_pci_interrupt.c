// Interrupts of PCI devices by message: MSI-X entries and MSI, aimed at cores and aimed again.
// SPDX-License-Identifier: MIT
// @sources drivers/bus/pci_interrupt.c drivers/bus/pci_parse.c
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CAPABILITY = 0x40, CORES = 4, VECTOR_FIRST = 0x30, VECTORS = 64, ENTRIES = 128 };

static uint8_t space[256];
static uint32_t table[ENTRIES * 4];
static unsigned vectors_taken;
static struct bm_pci_device device;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level, (void)subject, (void)format;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    (void)format;
    return snprintf(buffer, size, "pci");
}

int bm_interrupt_allocate(bm_interrupt_handler handler, void *arg)
{
    (void)handler, (void)arg;
    return vectors_taken < VECTORS ? VECTOR_FIRST + (int)vectors_taken++ : -BM_ENOSPC;
}

void bm_interrupt_free(int vector)
{
    assert_int_equal(vector, VECTOR_FIRST + (int)vectors_taken - 1);
    vectors_taken--;
}

int bm_interrupt_message_get(int vector, unsigned core, struct bm_interrupt_message *message)
{
    if (core >= CORES)
        return -BM_EINVAL;
    *message = (struct bm_interrupt_message){0xfee00000 | core << 12, (uint32_t)vector};
    return 0;
}

volatile void *bm_pci_bar_map(struct bm_pci_device *self, unsigned index, uint64_t offset, size_t length)
{
    (void)self;
    assert_int_equal(index, 0);
    assert_int_equal(offset, 0);
    assert_true(length <= sizeof table);
    return table;
}

static uint32_t fake_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                          unsigned size)
{
    (void)host, (void)bus, (void)function;
    uint32_t value = 0;
    memcpy(&value, space + offset, size);
    return value;
}

static void fake_write(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                       unsigned size, uint32_t value)
{
    (void)host, (void)bus, (void)function;
    memcpy(space + offset, &value, size);
}

static const struct bm_pci_host host = {.read = fake_read, .write = fake_write};

static void put(unsigned offset, unsigned size, uint32_t value)
{
    memcpy(space + offset, &value, size);
}

static uint32_t get(unsigned offset, unsigned size)
{
    uint32_t value = 0;
    memcpy(&value, space + offset, size);
    return value;
}

static int set_up(void **state)
{
    (void)state;
    memset(space, 0, sizeof space);
    memset(table, 0xff, sizeof table);
    vectors_taken = 0;
    put(BM_PCI_STATUS, 2, 1 << 4);
    put(BM_PCI_CAPABILITIES, 1, CAPABILITY);
    device = (struct bm_pci_device){.host = &host};
    return 0;
}

static void start_msix(unsigned entries, unsigned wanted, int expected)
{
    put(CAPABILITY, 1, BM_PCI_CAP_MSIX);
    put(CAPABILITY + 2, 2, entries - 1);
    assert_int_equal(bm_pci_interrupt_start(&device, wanted), expected);
    for (unsigned i = 0; i < entries; i++)
        assert_int_equal(table[4 * i + 3], 1);         // masked
    assert_int_equal(get(CAPABILITY + 2, 2) >> 14, 2); // on
}

static void check_entry(unsigned index, unsigned vector, unsigned core)
{
    assert_int_equal(table[4 * index], 0xfee00000 | core << 12);
    assert_int_equal(table[4 * index + 1], 0);
    assert_int_equal(table[4 * index + 2], vector);
    assert_int_equal(table[4 * index + 3], 0);
}

static void entries_are_aimed_one_by_one(void **state)
{
    (void)state;
    start_msix(8, 3, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(bm_pci_interrupt_set(&device, i, NULL, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        check_entry(i, VECTOR_FIRST + i, 0);
    assert_int_equal(bm_pci_interrupt_aim(&device, 1, 3), 0);
    check_entry(0, VECTOR_FIRST, 0);
    check_entry(1, VECTOR_FIRST + 1, 3);
    assert_int_equal(bm_pci_interrupt_aim(&device, 1, 2), 0);
    check_entry(1, VECTOR_FIRST + 1, 2);
    table[6] = 0xdeadbeef; // the device's memory is not what tells the vector
    assert_int_equal(bm_pci_interrupt_aim(&device, 1, 1), 0);
    check_entry(1, VECTOR_FIRST + 1, 1);
    check_entry(2, VECTOR_FIRST + 2, 0);
    assert_int_equal(vectors_taken, 3);
}

static void what_cannot_be_aimed_is_refused(void **state)
{
    (void)state;
    start_msix(4, 4, 4);
    assert_int_equal(bm_pci_interrupt_aim(&device, 0, 0), -BM_EINVAL); // not set
    assert_int_equal(bm_pci_interrupt_set(&device, 0, NULL, NULL), 0);
    assert_int_equal(bm_pci_interrupt_aim(&device, 0, CORES), -BM_EINVAL);
    check_entry(0, VECTOR_FIRST, 0);
    assert_int_equal(bm_pci_interrupt_set(&device, 4, NULL, NULL), -BM_EINVAL);
    assert_int_equal(bm_pci_interrupt_aim(&device, 4, 0), -BM_EINVAL);
    vectors_taken = VECTORS;
    assert_int_equal(bm_pci_interrupt_set(&device, 1, NULL, NULL), -BM_ENOSPC);
    assert_int_equal(bm_pci_interrupt_aim(&device, 1, 0), -BM_EINVAL);
}

static void no_more_than_there_are_vectors(void **state)
{
    (void)state;
    start_msix(ENTRIES, 100, BM_PCI_INTERRUPTS_MAX);
}

static void msi_is_aimed(void **state)
{
    (void)state;
    put(CAPABILITY, 1, BM_PCI_CAP_MSI);
    put(CAPABILITY + 2, 2, 1 << 7); // addresses of 64 bits
    assert_int_equal(bm_pci_interrupt_start(&device, 5), 1);
    assert_int_equal(bm_pci_interrupt_set(&device, 0, NULL, NULL), 0);
    assert_int_equal(get(CAPABILITY + 2, 2) & 1, 1);
    assert_int_equal(get(CAPABILITY + 4, 4), 0xfee00000);
    assert_int_equal(bm_pci_interrupt_aim(&device, 0, 2), 0);
    assert_int_equal(get(CAPABILITY + 4, 4), 0xfee02000);
    assert_int_equal(get(CAPABILITY + 12, 2), VECTOR_FIRST);
}

static void without_messages_there_are_none(void **state)
{
    (void)state;
    put(CAPABILITY, 1, BM_PCI_CAP_VENDOR);
    assert_int_equal(bm_pci_interrupt_start(&device, 1), -BM_ENODEV);
    assert_int_equal(bm_pci_interrupt_set(&device, 0, NULL, NULL), -BM_EINVAL);
    assert_int_equal(bm_pci_interrupt_aim(&device, 0, 0), -BM_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(entries_are_aimed_one_by_one, set_up),
        cmocka_unit_test_setup(what_cannot_be_aimed_is_refused, set_up),
        cmocka_unit_test_setup(no_more_than_there_are_vectors, set_up),
        cmocka_unit_test_setup(msi_is_aimed, set_up),
        cmocka_unit_test_setup(without_messages_there_are_none, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
