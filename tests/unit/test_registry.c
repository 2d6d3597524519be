// The device registry: which driver is offered which device, and what the log says of those that none takes.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/device/registry.c libbaremetal/device/known_devices.c
#include "../../libbaremetal/base/start.h"

#include <baremetal/device.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char line[256];
static int level;

void bm_log(enum bm_log_level log_level, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = snprintf(line, sizeof line, "%s: ", subject);
    vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    level = (int)log_level;
}

static char calls[64]; // a letter for each attach
static int answer_of_first;
static struct bm_device child = {
    .bus = BM_BUS_VIRTIO, .vendor = 0x1af4, .device = 77, .name = "virtio 00:03.0"};

static int attach_bus(struct bm_device *device)
{
    assert_int_equal(device->bus, BM_BUS_ROOT);
    strcat(calls, "b");
    return 0;
}

static int attach_first(struct bm_device *device)
{
    (void)device;
    strcat(calls, "1");
    return answer_of_first;
}

static int attach_second(struct bm_device *device)
{
    device->state = calls;
    strcat(calls, "2");
    return 0;
}

static int attach_parent(struct bm_device *device)
{
    (void)device;
    strcat(calls, "p");
    bm_device_add(&child);
    return 0;
}

static const struct bm_device_id bus_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};
static const struct bm_device_id first_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x8086, .device = 0x1111},
    {.bus = BM_BUS_PCI, .vendor = 0x8086, .device = 0x2222},
    BM_DEVICE_ID_END,
};
static const struct bm_device_id second_ids[] = {
    {.bus = BM_BUS_PCI,
     .vendor = 0x8086,
     .device = BM_ID_ANY,
     .class_code = 0x010802,
     .class_mask = 0xffff00},
    BM_DEVICE_ID_END,
};
static const struct bm_device_id parent_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x1af4, .device = BM_ID_ANY},
    BM_DEVICE_ID_END,
};

// As the image's linker script lays them out.
extern const struct bm_driver bm_drivers_begin[4];
const struct bm_driver bm_drivers_begin[4] = {
    {"bus", bus_ids, attach_bus},
    {"first", first_ids, attach_first},
    {"parent", parent_ids, attach_parent},
    {"second", second_ids, attach_second},
};
_Static_assert(sizeof bm_drivers_begin == 96, "the end below is behind the last driver");
__asm__(".globl bm_drivers_end\n.set bm_drivers_end, bm_drivers_begin + 96\n");

static int clear(void **state)
{
    (void)state;
    calls[0] = line[0] = 0;
    answer_of_first = 0;
    return 0;
}

static struct bm_device pci(uint16_t vendor, uint16_t number, uint32_t class_code)
{
    return (struct bm_device){.bus = BM_BUS_PCI,
                              .vendor = vendor,
                              .device = number,
                              .class_code = class_code,
                              .name = "pci 00:05.0"};
}

static void machine_is_offered_to_buses(void **state)
{
    (void)state;
    bm_device_start();
    assert_string_equal(calls, "b");
}

static void driver_is_found_by_id_and_class(void **state)
{
    (void)state;
    static struct bm_device by_id, by_class;
    by_id = pci(0x8086, 0x2222, 0x020000);
    bm_device_add(&by_id);
    assert_string_equal(calls, "1");
    assert_string_equal(by_id.driver->name, "first");
    by_class = pci(0x8086, 0x9999, 0x010803); // the mask leaves the interface out
    bm_device_add(&by_class);
    assert_string_equal(calls, "12");
    assert_string_equal(by_class.driver->name, "second");
    assert_ptr_equal(by_class.state, calls);
    assert_string_equal(line, "");
}

static void next_driver_is_asked_when_it_is_not_mine(void **state)
{
    (void)state;
    static struct bm_device device;
    device = pci(0x8086, 0x1111, 0x010802);
    answer_of_first = -BM_ENODEV;
    bm_device_add(&device);
    assert_string_equal(calls, "12");
    assert_string_equal(device.driver->name, "second");
}

static void error_ends_the_search(void **state)
{
    (void)state;
    static struct bm_device device;
    device = pci(0x8086, 0x1111, 0x010802);
    answer_of_first = -BM_EIO;
    bm_device_add(&device);
    assert_string_equal(calls, "1");
    assert_null(device.driver);
    assert_int_equal(level, BM_LOG_ERROR);
    assert_string_equal(line, "first: pci 00:05.0: cannot be used (error 5)");
}

static void unclaimed_devices_are_named(void **state)
{
    (void)state;
    static struct bm_device nic, bridge, strange, virtio;
    nic = pci(0x10ec, 0x8168, 0x020000);
    bm_device_add(&nic);
    assert_int_equal(level, BM_LOG_WARN);
    assert_string_equal(line, "pci 00:05.0: network controller 10ec:8168: no driver");
    bridge = pci(0x8086, 0x29c0, 0x060000);
    bm_device_add(&bridge);
    assert_int_equal(level, BM_LOG_DEBUG); // nothing is missing
    strange = pci(0x1234, 0x5678, 0xff0000);
    bm_device_add(&strange);
    assert_int_equal(level, BM_LOG_WARN);
    assert_string_equal(line, "pci 00:05.0: unknown device 1234:5678: no driver");
    virtio =
        (struct bm_device){.bus = BM_BUS_VIRTIO, .vendor = 0x1af4, .device = 1, .name = "virtio 00:05.0"};
    bm_device_add(&virtio);
    assert_int_equal(level, BM_LOG_WARN);
    assert_string_equal(line, "virtio 00:05.0: virtio network device 1af4:0001 has no driver in this image: "
                              "link baremetal::virtio_net");
}

static void devices_behind_devices_come_after_them(void **state)
{
    (void)state;
    static struct bm_device parent;
    parent = pci(0x1af4, 0x1041, 0x020000);
    bm_device_add(&parent);
    assert_string_equal(calls, "p");
    const struct bm_device *device = bm_device_first();
    unsigned count = 0;
    while (device != &parent) {
        assert_true(++count < 100);
        device = device->next;
        assert_non_null(device);
    }
    assert_ptr_equal(device->next, &child);
    assert_null(child.next);
    assert_null(child.driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(machine_is_offered_to_buses, clear),
        cmocka_unit_test_setup(driver_is_found_by_id_and_class, clear),
        cmocka_unit_test_setup(next_driver_is_asked_when_it_is_not_mine, clear),
        cmocka_unit_test_setup(error_ends_the_search, clear),
        cmocka_unit_test_setup(unclaimed_devices_are_named, clear),
        cmocka_unit_test_setup(devices_behind_devices_come_after_them, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
