// Interrupt lines of virtio devices: where the status is found, and what an interrupt does.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtio_line.c tests/unit/memory_host/permanent.c
#include "../../drivers/virtio/virtio_line.h"

#include <baremetal/error.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The kernel: a device with a configuration space and one base address register ---

static uint8_t space[256], isr;
static struct bm_pci_bar bar;
static bool mappable;
static int line_error;
static bm_interrupt_handler handler;
static void *handler_arg;

void *bm_frame_allocate(unsigned order)
{
    static _Alignas(BM_PAGE_SIZE) unsigned char frames[16][BM_PAGE_SIZE];
    static unsigned used;
    assert_true(order == 0 && used < 16);
    return frames[used++];
}

void bm_frame_free(void *block, unsigned order)
{
    (void)block;
    (void)order;
}

static uint32_t fake_read(const struct bm_pci_host *bus_host, uint8_t bus, uint8_t function, unsigned offset,
                          unsigned size)
{
    uint32_t value = 0;
    (void)bus_host, (void)bus, (void)function;
    assert_true(offset % size == 0 && offset + size <= sizeof space);
    memcpy(&value, space + offset, size);
    return value;
}

static const struct bm_pci_host host = {.read = fake_read};

// As the real one: of a list that may be a loop.
unsigned bm_pci_capability_find(const struct bm_pci_device *device, uint8_t id, unsigned after)
{
    (void)device;
    unsigned at = after ? space[after + 1] & ~3u : space[0x34];
    for (unsigned i = 0; at >= 64 && i < 48; i++, at = space[at + 1] & ~3u)
        if (space[at] == id)
            return at;
    return 0;
}

int bm_pci_bar_get(struct bm_pci_device *device, unsigned index, struct bm_pci_bar *found)
{
    (void)device;
    if (index > 5)
        return -BM_EINVAL;
    *found = bar;
    return 0;
}

volatile void *bm_pci_bar_map(struct bm_pci_device *device, unsigned index, uint64_t offset, size_t size)
{
    (void)device;
    (void)index;
    assert_int_equal(size, 1);
    return mappable && offset < bar.size ? &isr : NULL;
}

int bm_pci_line_set(struct bm_pci_device *device, bm_interrupt_handler function, void *arg)
{
    (void)device;
    handler = function;
    handler_arg = arg;
    return line_error;
}

// --- Tests ---

static struct bm_virtio_device device;
static struct bm_pci_device pci = {.host = &host};

static int set_up(void **state)
{
    (void)state;
    memset(space, 0, sizeof space);
    device = (struct bm_virtio_device){0};
    bar = (struct bm_pci_bar){.size = 4096};
    mappable = true;
    line_error = 0;
    handler = NULL;
    return 0;
}

static void capability(unsigned at, unsigned next, uint8_t type, uint8_t index, uint32_t offset,
                       uint32_t length)
{
    const uint8_t head[5] = {BM_PCI_CAP_VENDOR, (uint8_t)next, 16, type, index};
    memcpy(space + at, head, sizeof head);
    memcpy(space + at + 8, &offset, 4);
    memcpy(space + at + 12, &length, 4);
}

static void interrupts_count_once_one_has_come(void **state)
{
    (void)state;
    space[0x34] = 64;
    capability(64, 80, 1, 0, 0, 56);    // of another kind
    capability(80, 96, 3, 7, 0, 1);     // a register that there is not
    capability(96, 112, 3, 0, 9999, 1); // beyond its end
    capability(112, 0, 3, 0, 16, 1);
    assert_int_equal(bm_virtio_line_start(&device, &pci), 0);
    assert_true(device.line);
    assert_int_equal(device.interrupts, 0);
    isr = 0; // another's
    handler(handler_arg);
    assert_int_equal(device.interrupts, 0);
    isr = 0xff; // nobody there
    handler(handler_arg);
    assert_int_equal(device.interrupts, 0);
    assert_false(atomic_load(&device.config_changed));
    isr = 1;
    handler(handler_arg);
    assert_int_equal(device.interrupts, 1);
    assert_false(atomic_load(&device.config_changed));
    isr = 2;
    handler(handler_arg);
    assert_true(atomic_load(&device.config_changed));
}

static void lines_that_cannot_be_are_none(void **state)
{
    (void)state;
    assert_true(bm_virtio_line_start(&device, &pci) < 0); // no status
    space[0x34] = 64;
    capability(64, 64, 3, 0, 9999, 1); // a loop of capabilities that are none
    assert_true(bm_virtio_line_start(&device, &pci) < 0);
    capability(64, 248, 1, 0, 0, 1);
    space[248] = BM_PCI_CAP_VENDOR; // over the end
    assert_true(bm_virtio_line_start(&device, &pci) < 0);
    capability(64, 0, 3, 0, 16, 1);
    bar.io = true;
    assert_true(bm_virtio_line_start(&device, &pci) < 0);
    bar.io = false;
    line_error = -BM_ENOSPC;
    assert_int_equal(bm_virtio_line_start(&device, &pci), -BM_ENOSPC);
    device.legacy = true;
    line_error = 0;
    assert_true(bm_virtio_line_start(&device, &pci) < 0); // memory, not ports
    bar.io = true;
    bar.size = 16;
    assert_true(bm_virtio_line_start(&device, &pci) < 0);
    assert_false(device.line);
    bar.size = 64;
    assert_int_equal(bm_virtio_line_start(&device, &pci), 0);
    assert_true(device.line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(interrupts_count_once_one_has_come, set_up),
        cmocka_unit_test_setup(lines_that_cannot_be_are_none, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
