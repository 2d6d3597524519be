// The display of Bochs, which QEMU has as its standard VGA: graphics modes without a loader's help.
// SPDX-License-Identifier: MIT
//
// QEMU: -device VGA, -device secondary-vga, -device bochs-display; the mode is video=1024x768
//
// Registers are those of QEMU's docs/specs/standard-vga.txt. A screen that the loader has set up in this
// device, and whose driver is linked, stays as it is.
#include "../../../libbaremetal/display/mode.h"

#include <baremetal/error.h>
#include <baremetal/framebuffer.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/pci.h>
#include <stddef.h>

enum {
    MEMORY_REGISTERS = 2, // of the base address registers
    REGISTERS_SIZE = 0x600,
    VGA_PORTS = 0x400, // 0x3c0 and following
    VGA_ATTRIBUTE_INDEX = VGA_PORTS,
    VGA_SCREEN_ON = 0x20, // PAS, IBM VGA: the palette is the screen's again
    DISPI = 0x500         // the registers below, 2 bytes each
};
enum {
    ID,
    X_RESOLUTION,
    Y_RESOLUTION,
    BITS_PER_PIXEL,
    ENABLE,
    BANK,
    VIRTUAL_WIDTH,
    VIRTUAL_HEIGHT,
    X_OFFSET,
    Y_OFFSET,
    MEMORY_64K
};
enum {
    ID_MIN = 0xb0c0,
    ID_MASK = 0xfff0,
    ENABLED = 1,
    LINEAR = 0x40,
    PIXEL_SIZE = 4,
    WIDTH = 1024,
    HEIGHT = 768
};

struct bochs_display {
    volatile uint8_t *registers;
    struct bm_framebuffer framebuffer;
};

static uint16_t dispi_read(const struct bochs_display *self, unsigned index)
{
    return *(volatile uint16_t *)(self->registers + DISPI + 2 * index);
}

static void dispi_write(const struct bochs_display *self, unsigned index, unsigned value)
{
    *(volatile uint16_t *)(self->registers + DISPI + 2 * index) = (uint16_t)value;
}

// Sets the mode and reads back what the device has made of it.
static bool mode_set(const struct bochs_display *self, uint32_t width, uint32_t height)
{
    dispi_write(self, ENABLE, 0);
    dispi_write(self, BITS_PER_PIXEL, PIXEL_SIZE * 8);
    dispi_write(self, X_RESOLUTION, width);
    dispi_write(self, Y_RESOLUTION, height);
    dispi_write(self, BANK, 0);
    dispi_write(self, VIRTUAL_WIDTH, width);
    dispi_write(self, VIRTUAL_HEIGHT, height);
    dispi_write(self, X_OFFSET, 0);
    dispi_write(self, Y_OFFSET, 0);
    dispi_write(self, ENABLE, ENABLED | LINEAR);
    self->registers[VGA_ATTRIBUTE_INDEX] = VGA_SCREEN_ON;
    return dispi_read(self, X_RESOLUTION) == width && dispi_read(self, Y_RESOLUTION) == height &&
           dispi_read(self, BITS_PER_PIXEL) == PIXEL_SIZE * 8;
}

// Whether the loader's screen is this device's.
static bool is_in_use(const struct bm_pci_bar *memory)
{
    const struct bm_framebuffer *other = bm_framebuffer_first();
    for (; other; other = other->next)
        if (other->physical >= memory->base && other->physical < memory->base + memory->size)
            return true;
    return false;
}

static int screen_add(struct bochs_display *self, const struct bm_pci_bar *memory)
{
    uint32_t width = WIDTH, height = HEIGHT;
    bm_display_mode_wanted(&width, &height);
    uint64_t room = (uint64_t)dispi_read(self, MEMORY_64K) << 16;
    if (room > memory->size)
        room = memory->size;
    size_t size = (size_t)width * height * PIXEL_SIZE;
    if (size > room || !mode_set(self, width, height)) {
        bm_log_error("bochs_display", "the display has no mode of %u by %u pixels", (unsigned)width,
                     (unsigned)height);
        return -BM_EINVAL;
    }
    self->framebuffer = (struct bm_framebuffer){
        .name = "bochs_display",
        .physical = memory->base,
        .bytes = bm_memory_map_device(memory->base, size, BM_MEMORY_WRITE | BM_MEMORY_WRITE_COMBINING),
        .width = width,
        .height = height,
        .pitch = width * PIXEL_SIZE,
        .pixel_size = PIXEL_SIZE,
        .red = {16, 8},
        .green = {8, 8},
        .blue = {0, 8}};
    return bm_framebuffer_add(&self->framebuffer);
}

static int bochs_display_attach(struct bm_device *device)
{
    struct bm_pci_device *pci = bm_pci_device_of(device);
    struct bm_pci_bar memory;
    struct bochs_display *self = bm_memory_permanent(sizeof *self, _Alignof(struct bochs_display));
    if (!self)
        return -BM_ENOMEM;
    if (bm_pci_bar_get(pci, 0, &memory) || memory.io || !memory.base ||
        bm_device_is_ram(memory.base, memory.size))
        return -BM_ENODEV;
    if (is_in_use(&memory))
        return 0;
    self->registers = bm_pci_bar_map(pci, MEMORY_REGISTERS, 0, REGISTERS_SIZE);
    if (!self->registers)
        return -BM_ENODEV;
    bm_pci_enable(pci);
    if ((dispi_read(self, ID) & ID_MASK) != ID_MIN)
        return -BM_ENODEV;
    return screen_add(self, &memory);
}

static const struct bm_device_id bochs_display_ids[] = {
    {.bus = BM_BUS_PCI, .vendor = 0x1234, .device = 0x1111},
    BM_DEVICE_ID_END,
};

BM_DRIVER(bochs_display) = {
    .name = "bochs_display", .ids = bochs_display_ids, .attach = bochs_display_attach};
