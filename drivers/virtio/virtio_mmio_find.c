// Where memory-mapped virtio devices are: words of the command line, and the machine's AML.
// SPDX-License-Identifier: MIT
// @optimize size
//
// QEMU: -machine microvm adds `virtio_mmio.device=512@0xfeb02e00:12` to the command line of a machine with
// acpi=off, and describes the devices in the DSDT otherwise. Firecracker does both for the same device.
#include "virtio_mmio.h"

#include <baremetal/acpi.h>
#include <baremetal/device.h>
#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

static const char key[] = "virtio_mmio.device";
static const char *const bm_option_virtio_mmio
    __attribute__((used, section(".bm_options.virtio_mmio"), aligned(8))) = key;

enum { PLACES_MAX = 32 };
static uint64_t places[PLACES_MAX]; // base addresses that were looked at
static unsigned place_count;

static void place_add(const struct virtio_mmio_place *place)
{
    for (unsigned i = 0; i < place_count; i++)
        if (places[i] == place->base)
            return;
    if (place_count == PLACES_MAX) {
        bm_log_warn("virtio_mmio", "more than %u devices; the one at %lx is left out", (unsigned)PLACES_MAX,
                    place->base);
        return;
    }
    places[place_count++] = place->base;
    bm_virtio_mmio_add(place);
}

static void acpi_add(const struct bm_acpi_device *device, void *arg)
{
    (void)arg;
    struct virtio_mmio_place place = {.base = device->base,
                                      .size = device->size,
                                      .interrupt = device->interrupt,
                                      .wired = device->wired,
                                      .level = !device->edge,
                                      .active_low = device->active_low};
    const char *wrong = bm_virtio_mmio_place_check(&place);
    if (wrong)
        bm_log_error("virtio_mmio", "the device that ACPI names at %lx, %lu bytes, %s", place.base,
                     place.size, wrong);
    else
        place_add(&place);
}

static void words_add(void)
{
    char text[64];
    for (unsigned i = 0;; i++) {
        int length = bm_option_get_nth(key, i, text, sizeof text);
        if (length < 0)
            return;
        struct virtio_mmio_place place;
        const char *wrong = length < (int)sizeof text ? bm_virtio_mmio_word(text, &place)
                                                      : "goes on behind what belongs to it";
        if (wrong)
            bm_log_error("virtio_mmio",
                         "%s=%s %s; the device is left out (as it should be: 512@0xfeb02e00:12)", key, text,
                         wrong);
        else
            place_add(&place);
    }
}

// ACPI comes first: it knows how the interrupt is wired.
static int virtio_mmio_attach(struct bm_device *machine)
{
    (void)machine;
    bm_acpi_devices_each("LNRO0005", acpi_add, NULL);
    words_add();
    return 0;
}

static const struct bm_device_id virtio_mmio_ids[] = {{.bus = BM_BUS_ROOT}, BM_DEVICE_ID_END};

BM_DRIVER(virtio_mmio) = {.name = "virtio_mmio", .ids = virtio_mmio_ids, .attach = virtio_mmio_attach};
