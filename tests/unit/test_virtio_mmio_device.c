// The memory-mapped virtio transport against registers in memory: what is taken, written, believed.
// SPDX-License-Identifier: MIT
// @sources drivers/virtio/virtio_config.c drivers/virtio/virtio_mmio.c drivers/virtio/virtio_mmio_word.c
// @sources libbaremetal/base/format.c tests/unit/memory_host/permanent.c
#include "../../drivers/virtio/virtio_mmio.h"

#include <baremetal/error.h>
#include <baremetal/interrupt.h>
#include <baremetal/log.h>
#include <baremetal/virtio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// --- The machine ---

enum { BASE = 0xfeb00e00, SIZE = 512 };
static uint32_t *registers; // of exactly SIZE bytes, so that the sanitizer sees every access beyond
static char said[256];
static struct bm_device *added;
static bool in_ram;
static bm_interrupt_handler handler;
static void *handler_argument;
static int route_error, vectors;
static char route[64];

void bm_log(enum bm_log_level level, const char *subject, const char *format, ...)
{
    (void)level;
    (void)subject;
    va_list arguments;
    va_start(arguments, format);
    bm_format_list(said, sizeof said, format, arguments);
    va_end(arguments);
}

bool bm_device_is_ram(uint64_t base, uint64_t size)
{
    (void)base;
    (void)size;
    return in_ram;
}

volatile void *bm_memory_map_device(uint64_t physical, size_t length, unsigned flags)
{
    assert_int_equal(physical, BASE);
    assert_int_equal(length, SIZE);
    assert_int_equal(flags, BM_MEMORY_WRITE | BM_MEMORY_UNCACHED);
    return registers;
}

void bm_memory_unmap_device(volatile void *address, size_t length)
{
    assert_ptr_equal(address, registers);
    assert_int_equal(length, SIZE);
}

void *bm_frame_allocate(unsigned order)
{
    static _Alignas(4096) unsigned char page[BM_PAGE_SIZE];
    assert_int_equal(order, 0);
    return page;
}

uint64_t bm_dma_address(const void *address)
{
    return (uint64_t)(uintptr_t)address;
}

void bm_device_add(struct bm_device *device)
{
    added = device;
}

int bm_interrupt_allocate(bm_interrupt_handler function, void *arg)
{
    handler = function;
    handler_argument = arg;
    vectors++;
    return 0x30;
}

void bm_interrupt_free(int vector)
{
    assert_int_equal(vector, 0x30);
    vectors--;
}

int bm_interrupt_route_isa(unsigned irq, int vector)
{
    bm_format(route, sizeof route, "isa %u at %x", irq, (unsigned)vector);
    return route_error;
}

int bm_interrupt_route(uint32_t input, bool level, bool active_low, int vector)
{
    bm_format(route, sizeof route, "input %u %s %s at %x", input, level ? "level" : "edge",
              active_low ? "low" : "high", (unsigned)vector);
    return route_error;
}

int bm_interrupt_route_aim(int vector, unsigned core)
{
    bm_format(route, sizeof route, "%x at core %u", (unsigned)vector, core);
    return core < 4 ? 0 : -BM_EINVAL;
}

static int machine_new(void **state)
{
    (void)state;
    registers = calloc(1, SIZE);
    registers[0] = 0x74726976; // "virt"
    registers[1] = 2;
    registers[2] = BM_VIRTIO_NET;
    registers[3] = 0x554d4551;
    said[0] = route[0] = 0;
    added = NULL;
    in_ram = false;
    route_error = 0;
    vectors = 0;
    return 0;
}

static int machine_end(void **state)
{
    (void)state;
    free(registers);
    return 0;
}

static const struct virtio_mmio_place place = {
    .base = BASE, .size = SIZE, .interrupt = 12, .wired = true, .isa = true};

static struct bm_virtio_device *take(const struct virtio_mmio_place *where)
{
    bm_virtio_mmio_add(where);
    assert_non_null(added);
    assert_string_equal(said, "");
    return bm_virtio_device_of(added);
}

static void refuse(const char *reason)
{
    said[0] = 0;
    bm_virtio_mmio_add(&place);
    assert_null(added);
    assert_string_equal(said, reason);
}

// --- Tests ---

static void device_is_added(void **state)
{
    (void)state;
    struct bm_virtio_device *device = take(&place);
    assert_int_equal(device->device.bus, BM_BUS_VIRTIO);
    assert_int_equal(device->device.device, BM_VIRTIO_NET);
    assert_string_equal(device->device.name, "virtio feb00e00");
    assert_false(device->legacy);
}

static void others_are_not(void **state)
{
    (void)state;
    registers[0] = 0xffffffff;
    refuse("the device at feb00e00 has not the registers of a virtio device");
    registers[0] = 0x74726976;
    registers[1] = 3;
    refuse("the device at feb00e00 has a version that is not known");
    registers[1] = 2;
    registers[2] = 0; // a place without a device is no error
    refuse("");
    in_ram = true;
    refuse("the device at feb00e00 claims to be in RAM");
}

static void huge_type_is_none_that_is_known(void **state)
{
    (void)state;
    registers[2] = 0x10001;
    assert_int_equal(take(&place)->device.device, 0);
}

static void configuration_ends_where_the_registers_do(void **state)
{
    (void)state;
    struct bm_virtio_device *device = take(&place);
    registers[0x100 / 4] = 0x44332211;
    registers[0x1fc / 4] = 0x88776655;
    assert_int_equal(device->transport->config_read(device, 0, 4), 0x44332211);
    assert_int_equal(device->transport->config_read(device, 2, 1), 0x33);
    assert_int_equal(device->transport->config_read(device, 0xfc, 4), 0x88776655);
    assert_int_equal(device->transport->config_read(device, 0xfe, 2), 0x8877);
    assert_int_equal(device->transport->config_read(device, 0xff, 2), 0xffff);
    assert_int_equal(device->transport->config_read(device, 0x100, 1), 0xff);
    bm_virtio_config_write(device, 0, 4, 0xaabbccdd);
    bm_virtio_config_write(device, 2, 1, 0x22);
    bm_virtio_config_write(device, 0xfe, 2, 0x1234);
    bm_virtio_config_write(device, 0xff, 1, 0x56);
    bm_virtio_config_write(device, 0x100, 1, 0xff); // beyond
    assert_int_equal(registers[0x100 / 4], 0xaa22ccdd);
    assert_int_equal(registers[0x1fc / 4], 0x56346655);
}

static struct bm_virtqueue queue_new(void)
{
    return (struct bm_virtqueue){.number = 1,
                                 .size = 64,
                                 .descriptors = (void *)0x123456789000,
                                 .available = (void *)0x123456789400,
                                 .used = (void *)0x12345678a000};
}

static void queue_is_told(void **state)
{
    (void)state;
    struct bm_virtio_device *device = take(&place);
    struct bm_virtqueue queue = queue_new();
    assert_int_equal(device->transport->queue_enable(device, &queue, 0), 0);
    assert_int_equal(registers[0x30 / 4], 1);
    assert_int_equal(registers[0x38 / 4], 64);
    assert_int_equal(registers[0x44 / 4], 1);
    assert_int_equal(registers[0x80 / 4], 0x56789000);
    assert_int_equal(registers[0x84 / 4], 0x1234);
    assert_int_equal(registers[0x90 / 4], 0x56789400);
    assert_int_equal(registers[0xa0 / 4], 0x5678a000);
    device->transport->notify(&queue);
    assert_int_equal(registers[0x50 / 4], 1);
    // In use already: refused.
    assert_int_equal(device->transport->queue_enable(device, &queue, 0), -BM_EIO);
}

static void old_interface(void **state)
{
    (void)state;
    registers[1] = 1;
    registers[0x10 / 4] = 0x30008000;
    struct bm_virtio_device *device = take(&place);
    assert_true(device->legacy);
    assert_true(device->transport->features_get(device) == (0x30008000 | BM_VIRTIO_F_VERSION_1));
    device->transport->features_set(device, BM_VIRTIO_F_VERSION_1 | 0x8000);
    assert_int_equal(registers[0x20 / 4], 0x8000);
    registers[0xfc / 4] = 7; // no register of this version
    assert_int_equal(device->transport->config_generation(device), 0);
    struct bm_virtqueue queue = queue_new();
    assert_int_equal(device->transport->queue_enable(device, &queue, 0),
                     -BM_EIO); // page number beyond 32 bits
    queue.descriptors = (void *)0x56789000;
    assert_int_equal(device->transport->queue_enable(device, &queue, 0), 0);
    assert_int_equal(registers[0x28 / 4], 4096);
    assert_int_equal(registers[0x3c / 4], 4096);
    assert_int_equal(registers[0x40 / 4], 0x56789);
}

static void interrupt_ways(void **state)
{
    (void)state;
    struct bm_virtio_device *device = take(&place);
    assert_int_equal(device->transport->interrupt_start(device, 3), 1);
    assert_string_equal(route, "isa 12 at 30");
    assert_int_equal(device->transport->interrupt_aim(device, 0, 3), 0);
    assert_string_equal(route, "30 at core 3");
    assert_int_equal(device->transport->interrupt_aim(device, 0, 4), -BM_EINVAL);
    struct virtio_mmio_place other = place;
    other.isa = false;
    other.interrupt = 24;
    other.level = true;
    device = take(&other);
    assert_int_equal(device->transport->interrupt_start(device, 3), 1);
    assert_string_equal(route, "input 24 level high at 30");
    vectors = 0;
    route_error = -BM_ENODEV;
    assert_int_equal(device->transport->interrupt_start(device, 3), -BM_ENODEV);
    assert_int_equal(vectors, 0); // given back
    other.wired = false;
    device = take(&other);
    assert_int_equal(device->transport->interrupt_start(device, 3), -BM_ENODEV);
}

// Registers in memory do not clear what is acknowledged: the handler must end all the same.
static void interrupt_is_acknowledged(void **state)
{
    (void)state;
    struct bm_virtio_device *device = take(&place);
    atomic_bool changed = false;
    assert_int_equal(device->transport->interrupt_start(device, 3), 1);
    assert_int_equal(device->transport->interrupt_set(device, 0, &changed), 0);
    assert_int_equal(device->transport->interrupt_set(device, 1, NULL), -BM_EINVAL);
    registers[0x60 / 4] = 0xfffffff1; // bits that nobody knows are not acknowledged
    handler(handler_argument);
    assert_int_equal(registers[0x64 / 4], 1);
    assert_false(changed);
    registers[0x60 / 4] = 3;
    handler(handler_argument);
    assert_int_equal(registers[0x64 / 4], 3);
    assert_true(changed);
    registers[0x60 / 4] = registers[0x64 / 4] = 0;
    handler(handler_argument);
    assert_int_equal(registers[0x64 / 4], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, machine_new, machine_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(device_is_added),
        TEST(others_are_not),
        TEST(huge_type_is_none_that_is_known),
        TEST(configuration_ends_where_the_registers_do),
        TEST(queue_is_told),
        TEST(old_interface),
        TEST(interrupt_ways),
        TEST(interrupt_is_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
