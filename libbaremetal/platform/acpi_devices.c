// Devices that only the machine's AML names, found without an interpreter.
// SPDX-License-Identifier: MIT
//
// Virtual machines without PCI (microvm, Firecracker) list each device as constants:
//
//     Device (VR00) { Name (_HID, "LNRO0005")  Name (_CRS, ResourceTemplate () { Memory32Fixed …  Interrupt …
//     }) }
//
// That shape is searched for. What would need an interpreter is not seen: a _HID or _CRS that is a method or
// stands outside of its device's braces, a _STA method that says "absent". Whoever asks must therefore
// compare the registers with what they ought to be. Section numbers are those of the ACPI specification,
// version 6.4.
#include "acpi_devices.h"

#include "acpi_tables.h"

enum { NAME = 0x08, STRING = 0x0d, BUFFER = 0x11, EXTENDED = 0x5b, DEVICE = 0x82 };

struct bytes {
    const uint8_t *begin, *end;
};

static size_t size_of(struct bytes bytes)
{
    return (size_t)(bytes.end - bytes.begin);
}

static uint32_t read32(const uint8_t *p)
{
    uint32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}

// What follows DeviceOp at `p` (section 20.2.5.2), up to its closing brace or to the next device inside,
// which is one of its own. False: no device starts here.
static bool device_at(const uint8_t *p, const uint8_t *end, struct bytes *device)
{
    if (end - p < 3 || p[0] != EXTENDED || p[1] != DEVICE)
        return false;
    device->begin = p + 2;
    return bm_acpi_package_length(&device->begin, end, &device->end);
}

// Each byte is looked at once for all devices, as the next device begins where this look ends.
static void end_at_next_device(struct bytes *device, const uint8_t *end)
{
    struct bytes next;
    for (const uint8_t *p = device->begin; p < device->end; p++)
        if (device_at(p, end, &next)) {
            device->end = p;
            return;
        }
}

// Finds NameOp `name` (section 20.2.5.1) and returns what stands behind it, up to the device's end.
static bool name_find(struct bytes device, const char name[4], struct bytes *value)
{
    for (const uint8_t *p = device.begin; device.end - p >= 5; p++) {
        if (p[0] != NAME || !bm_acpi_is(p + 1, name))
            continue;
        *value = (struct bytes){p + 5, device.end};
        return true;
    }
    return false;
}

static bool is_string(struct bytes value, const char *text)
{
    if (size_of(value) < 1 || *value.begin++ != STRING)
        return false;
    for (; value.begin < value.end && *value.begin == (uint8_t)*text; value.begin++, text++)
        if (!*text)
            return true;
    return false;
}

// DefBuffer: BufferOp PkgLength BufferSize bytes (section 20.2.5.4).
static bool buffer_read(struct bytes value, struct bytes *buffer)
{
    uint16_t size; // that the initialiser is padded to: the bytes given are what counts
    if (size_of(value) < 1 || *value.begin++ != BUFFER)
        return false;
    *buffer = value;
    return bm_acpi_package_length(&buffer->begin, value.end, &buffer->end) &&
           bm_acpi_aml_integer(&buffer->begin, buffer->end, &size);
}

static void memory_read(const uint8_t *body, struct bm_acpi_device *device)
{
    enum { BASE = 1, LENGTH = 5 }; // section 6.4.3.4
    if (device->size)
        return;
    device->base = read32(body + BASE);
    device->size = read32(body + LENGTH);
}

static void interrupt_read(const uint8_t *body, struct bm_acpi_device *device)
{
    enum { FLAGS = 0, COUNT = 1, FIRST = 2, FLAG_EDGE = 2, FLAG_LOW = 4 }; // section 6.4.3.6
    if (device->wired || body[COUNT] == 0)
        return;
    device->wired = true;
    device->edge = body[FLAGS] & FLAG_EDGE;
    device->active_low = body[FLAGS] & FLAG_LOW;
    device->interrupt = read32(body + FIRST);
}

// Takes the first fixed memory range and the first interrupt of a resource template (section 6.4).
static void resources_read(struct bytes template, struct bm_acpi_device *device)
{
    enum { LARGE = 0x80, SMALL_LENGTH = 7, END_TAG = 0x79 >> 3, MEMORY_32_FIXED = 0x86, INTERRUPT = 0x89 };
    const uint8_t *p = template.begin;
    while (p < template.end) {
        uint8_t tag = *p++;
        size_t length = tag & SMALL_LENGTH, left = (size_t)(template.end - p);
        if (tag & LARGE) {
            if (left < 2)
                return;
            length = (size_t)(p[0] | p[1] << 8);
            p += 2;
            left -= 2;
        } else if (tag >> 3 == END_TAG) {
            return;
        }
        if (length > left)
            return;
        if (tag == MEMORY_32_FIXED && length >= 9)
            memory_read(p, device);
        else if (tag == INTERRUPT && length >= 6)
            interrupt_read(p, device);
        p += length;
    }
}

void bm_acpi_devices_parse(const uint8_t *aml, size_t size, const char *hid,
                           void (*each)(const struct bm_acpi_device *device, void *arg), void *arg)
{
    const uint8_t *end = aml + size;
    for (const uint8_t *p = aml; p < end; p++) {
        struct bytes device, value, template;
        if (!device_at(p, end, &device))
            continue;
        end_at_next_device(&device, end);
        struct bm_acpi_device found = {0};
        if (!name_find(device, "_HID", &value) || !is_string(value, hid) ||
            !name_find(device, "_CRS", &value) || !buffer_read(value, &template))
            continue;
        resources_read(template, &found);
        if (found.size)
            each(&found, arg);
        p = device.begin; // a device starts inside of another, not inside of its own length
    }
}
