// A linear graphics mode by VBE, when the image asks for one (baremetal_add_image: VIDEO 1024x768).
// SPDX-License-Identifier: MIT
//
// VESA BIOS Extension 3.0: 4.3 (function 00h), 4.4 (01h), 4.5 (02h). The framebuffer tag: Multiboot2 2.0,
// section 3.6.12.
#include "bios.h"

struct controller {
    uint32_t signature;
    uint16_t version;
    uint32_t vendor, capabilities;
    uint16_t mode_offset, mode_segment;
    uint8_t rest[494];
} __attribute__((packed));

struct mode {
    uint16_t attributes;
    uint8_t windows[14];
    uint16_t pitch, width, height;
    uint8_t character[2], planes, bits_per_pixel, banks, model, bank_size, pages, reserved;
    uint8_t red_size, red_position, green_size, green_position, blue_size, blue_position;
    uint8_t reserved_size, reserved_position, direct;
    uint32_t base, offscreen;
    uint16_t offscreen_size, linear_pitch;
    uint8_t banked_pages, linear_pages;
    uint8_t linear_red_size, linear_red_position, linear_green_size, linear_green_position;
    uint8_t linear_blue_size, linear_blue_position;
    uint8_t rest[512 - 60];
} __attribute__((packed));

enum { USABLE = 0x99, DIRECT_COLOUR = 6, MODES_MAX = 256, LINEAR = 0x4000, LAST = 0xffff };

static struct controller controller;
static struct mode mode;

static bool call_video(uint32_t function, uint32_t argument, void *buffer)
{
    bm_bios_registers.eax = 0x4f00 | function;
    bm_bios_registers.ebx = bm_bios_registers.ecx = argument;
    bm_bios_registers.edi = (uint32_t)buffer;
    bm_bios_call(0x10);
    return (uint16_t)bm_bios_registers.eax == 0x004f;
}

// The number of the mode of the wanted size with 32 bits a pixel; LAST when there is none.
static uint16_t find_mode(void)
{
    controller.signature = 0x32454256; // "VBE2": asks for version 2.0 and later
    if (!call_video(0, 0, &controller))
        return LAST;
    const uint16_t *number = (void *)(controller.mode_segment * 16u + controller.mode_offset);
    for (int i = 0; i < MODES_MAX && number[i] != LAST; i++)
        if (call_video(1, number[i], &mode) && (mode.attributes & USABLE) == USABLE &&
            mode.model == DIRECT_COLOUR && mode.bits_per_pixel == 32 &&
            mode.width == bm_bios_header.video_width && mode.height == bm_bios_header.video_height)
            return number[i];
    return LAST;
}

uint32_t *bm_bios_set_video(uint32_t *tag)
{
    if (!bm_bios_header.video_width)
        return tag;
    uint16_t number = find_mode();
    if (number == LAST || !call_video(2, number | LINEAR, 0)) {
        bm_bios_print("warning: boot: there is no such graphics mode\r\n");
        return tag;
    }
    bool linear = controller.version >= 0x300 && mode.linear_pitch; // since 3.0, if the firmware cares
    tag[0] = 8;
    tag[1] = 38;
    tag[2] = mode.base;
    tag[3] = 0;
    tag[4] = linear ? mode.linear_pitch : mode.pitch;
    tag[5] = mode.width;
    tag[6] = mode.height;
    uint8_t *bytes = (uint8_t *)(tag + 7);
    const uint8_t *colours = linear ? &mode.linear_red_size : &mode.red_size;
    bytes[0] = mode.bits_per_pixel;
    bytes[1] = 1; // direct colour
    for (int i = 0; i < 6; i++)
        bytes[4 + i] = colours[i ^ 1]; // VBE: size, position; Multiboot2: position, size
    return tag + 10;
}
