// Which of a PCI device's virtio structures are taken: those that can be used, wherever in the list they
// stand.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtio_config.c drivers/bus/pci_parse.c tests/unit/memory_host/permanent.c
#include "../../drivers/virtio/virtio_pci.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The invented device: a configuration space, its registers, and what is asked of the kernel ---

enum { IO_BAR = 0, MEMORY_BAR = 4, BAR_SIZE = 0x4000 };
enum { COMMON = 1, NOTIFY = 2, ISR = 3, DEVICE = 4, PCI_ACCESS = 5 };

static uint8_t space[256];
static uint32_t decoded[6];
static uint8_t registers[BAR_SIZE];
static unsigned next_capability, errors;
static struct bm_device *child;
static struct bm_pci_device pci;

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)subject;
    (void)format;
    errors += level == BM_LOG_ERROR;
}

int bm_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

static uint32_t fake_read(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                          unsigned size)
{
    (void)host, (void)bus, (void)function;
    uint32_t value = 0;
    assert_true(offset % size == 0 && offset + size <= sizeof space);
    memcpy(&value, space + offset, size);
    return value;
}

static void fake_write(const struct bm_pci_host *host, uint8_t bus, uint8_t function, unsigned offset,
                       unsigned size, uint32_t value)
{
    (void)host, (void)bus, (void)function;
    assert_true(offset + size <= sizeof space);
    if (offset >= BM_PCI_BAR0 && offset < BM_PCI_BAR0 + 24) {
        uint32_t mask = decoded[(offset - BM_PCI_BAR0) / 4], old;
        memcpy(&old, space + offset, 4);
        value = (old & ~mask) | (value & mask);
    }
    memcpy(space + offset, &value, size);
}

static const struct bm_pci_host host = {.read = fake_read, .write = fake_write};

volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t length)
{
    struct bm_pci_bar bar;
    assert_int_equal(bm_pci_bar_get(device, index, &bar), 0);
    assert_false(bar.io); // it would be told as an error
    return offset < bar.size && length <= bar.size - offset ? registers + offset : NULL;
}

void bm_pci_enable(struct bm_pci_device *device)
{
    (void)device;
}

void bm_pci_disable(struct bm_pci_device *device)
{
    (void)device;
}

int bm_pci_interrupt_start(struct bm_pci_device *device, unsigned most)
{
    (void)device, (void)most;
    return -BM_ENODEV;
}

int bm_pci_interrupt_set(struct bm_pci_device *device, unsigned index, bm_interrupt_handler handler,
                         void *arg)
{
    (void)device, (void)index, (void)handler, (void)arg;
    return -BM_EINVAL;
}

int bm_pci_interrupt_aim(struct bm_pci_device *device, unsigned index, unsigned core)
{
    (void)device, (void)index, (void)core;
    return -BM_EINVAL;
}

void *bm_frame_allocate(unsigned order)
{
    assert_int_equal(order, 0);
    static uint8_t page[BM_PAGE_SIZE] __attribute__((aligned(64)));
    return page;
}

uint64_t bm_dma_address(const void *address)
{
    return (uintptr_t)address;
}

void bm_device_add(struct bm_device *device)
{
    child = device;
}

static void put(unsigned offset, unsigned size, uint32_t value)
{
    memcpy(space + offset, &value, size);
}

// In front of those that are there, as QEMU does.
static unsigned add(uint8_t type, unsigned length, uint8_t bar, uint32_t offset, uint32_t size)
{
    unsigned at = next_capability;
    next_capability += length;
    put(at, 1, BM_PCI_CAP_VENDOR);
    put(at + 1, 1, space[BM_PCI_CAPABILITIES]);
    put(at + 2, 1, length);
    put(at + 3, 1, type);
    put(at + 4, 1, bar);
    put(at + 8, 4, offset);
    put(at + 12, 4, size);
    if (length >= 20)
        put(at + 16, 4, 4);
    put(BM_PCI_CAPABILITIES, 1, at);
    return at;
}

static int clear(void **state)
{
    (void)state;
    memset(space, 0, sizeof space);
    memset(decoded, 0, sizeof decoded);
    put(BM_PCI_STATUS, 2, 1 << 4);
    put(BM_PCI_BAR0 + 4 * IO_BAR, 4, 0xc001);
    decoded[IO_BAR] = 0xffffffe0;
    put(BM_PCI_BAR0 + 4 * MEMORY_BAR, 4, 0xfe000004);
    decoded[MEMORY_BAR] = ~(uint32_t)(BAR_SIZE - 1);
    decoded[MEMORY_BAR + 1] = 0xffffffff;
    next_capability = 0x40;
    errors = 0;
    child = NULL;
    pci = (struct bm_pci_device){.host = &host,
                                 .device = {.vendor = 0x1af4, .device = 0x1041, .name = "pci 00:03.0"}};
    return 0;
}

static void add_structures(void)
{
    add(COMMON, 16, MEMORY_BAR, 0, 56);
    add(ISR, 16, MEMORY_BAR, 0x1000, 4);
    add(DEVICE, 16, MEMORY_BAR, 0x2000, 64);
    add(NOTIFY, 20, MEMORY_BAR, 0x3000, 0x1000);
}

static struct virtio_pci *attached(void)
{
    assert_int_equal(virtio_pci_attach(&pci.device), 0);
    assert_non_null(child);
    return (struct virtio_pci *)child;
}

static void check_structures(const struct virtio_pci *self)
{
    assert_ptr_equal(self->common, registers);
    assert_ptr_equal(self->notify, registers + 0x3000);
    assert_int_equal(self->notify_length, 0x1000);
    assert_int_equal(self->notify_multiplier, 4);
    assert_ptr_equal(self->config, registers + 0x2000);
    assert_int_equal(self->config_length, 64);
    assert_int_equal(errors, 0);
}

// --- The tests ---

static void structures_are_found(void **state)
{
    (void)state;
    add_structures();
    struct virtio_pci *self = attached();
    check_structures(self);
    bm_virtio_config_write(&self->virtio, 0, 4, 0x11223344);
    bm_virtio_config_write(&self->virtio, 2, 2, 0x5566);
    bm_virtio_config_write(&self->virtio, 1, 1, 0x77);
    assert_int_equal(virtio_pci_config_read(&self->virtio, 0, 4), 0x55667744);
    registers[0x2000 + 64] = 0;
    bm_virtio_config_write(&self->virtio, 64, 1, 0xff); // beyond
    assert_int_equal(registers[0x2000 + 64], 0);
}

// QEMU's modern-pio-notify=on: the first doorbell of the list is an I/O port.
static void structures_in_io_ports_are_passed_over(void **state)
{
    (void)state;
    add_structures();
    add(NOTIFY, 20, IO_BAR, 0, 4);
    add(COMMON, 16, IO_BAR, 0, 56);
    add(DEVICE, 16, IO_BAR, 0, 64);
    check_structures(attached());
}

static void structures_that_cannot_be_used_are_passed_over(void **state)
{
    static const struct {
        uint8_t type, length, bar;
        uint32_t offset, size;
    } wrong[] = {
        {NOTIFY, 16, MEMORY_BAR, 0x3000, 0x1000},    // no room for the multiplier
        {COMMON, 16, MEMORY_BAR, 0, 55},             // too short
        {COMMON, 16, MEMORY_BAR, 2, 56},             // askew
        {COMMON, 16, MEMORY_BAR, BAR_SIZE - 32, 56}, // beyond the register
        {COMMON, 16, MEMORY_BAR + 1, 0, 56},         // an upper half
        {COMMON, 16, 6, 0, 56},                      // reserved
        {COMMON, 16, 2, 0, 56},                      // a register that is not there
        {PCI_ACCESS, 20, 0, 0, 0},                   // not for us
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        clear(state);
        add_structures();
        add(wrong[i].type, wrong[i].length, wrong[i].bar, wrong[i].offset, wrong[i].size);
        check_structures(attached());
    }
}

static void lists_that_loop_end(void **state)
{
    (void)state;
    add_structures();
    put(0x41, 1, space[BM_PCI_CAPABILITIES]); // the last leads to the first
    check_structures(attached());
    clear(NULL);
    unsigned at = add(COMMON, 16, IO_BAR, 0, 56);
    put(at + 1, 1, at); // to itself
    assert_int_equal(virtio_pci_attach(&pci.device), -BM_EINVAL);
    assert_int_equal(errors, 1);
}

static void devices_without_a_doorbell_in_memory_are_refused(void **state)
{
    (void)state;
    add(COMMON, 16, MEMORY_BAR, 0, 56);
    add(NOTIFY, 20, IO_BAR, 0, 4);
    assert_int_equal(virtio_pci_attach(&pci.device), -BM_EINVAL);
    assert_int_equal(errors, 1);
    assert_null(child);
}

static void devices_without_a_configuration_are_taken(void **state)
{
    (void)state;
    add(COMMON, 16, MEMORY_BAR, 0, 56);
    add(NOTIFY, 20, MEMORY_BAR, 0x3000, 0x1000);
    const struct virtio_pci *self = attached();
    assert_null(self->config);
    assert_int_equal(self->config_length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(structures_are_found, clear),
        cmocka_unit_test_setup(structures_in_io_ports_are_passed_over, clear),
        cmocka_unit_test_setup(structures_that_cannot_be_used_are_passed_over, clear),
        cmocka_unit_test_setup(lists_that_loop_end, clear),
        cmocka_unit_test_setup(devices_without_a_doorbell_in_memory_are_refused, clear),
        cmocka_unit_test_setup(devices_without_a_configuration_are_taken, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
