// What UEFI firmware said about the machine: its memory, and its screen, onto which this draws.
// SPDX-License-Identifier: MIT
// @script uefi_information.py
#include "check.h"

#include <baremetal/boot.h>
#include <baremetal/memory.h>
#include <stdio.h>

// So large an image does not fit at its own address under OVMF: the loader relocates it to another one.
static char ballast[24 << 20];
// Volatile, since clang would do without an array that nobody sees.
static char *volatile ballast_end = ballast + sizeof(ballast);

// A full intensity of one colour as a pixel.
static uint32_t pixel(unsigned position, unsigned size)
{
    return ((1u << size) - 1) << position;
}

// Three bands across the whole screen: red, green, blue.
static void draw(const struct bm_boot_framebuffer *screen)
{
    const uint32_t colours[] = {pixel(screen->red_position, screen->red_size),
                                pixel(screen->green_position, screen->green_size),
                                pixel(screen->blue_position, screen->blue_size)};
    volatile uint8_t *memory = bm_memory_map_device(screen->base, (size_t)screen->pitch * screen->height,
                                                    BM_MEMORY_WRITE | BM_MEMORY_WRITE_COMBINING);
    CHECK(memory);
    for (uint32_t y = 0; y < screen->height; y++)
        for (uint32_t x = 0; x < screen->width; x++)
            *(volatile uint32_t *)(memory + (size_t)y * screen->pitch + 4 * x) =
                colours[3 * y / screen->height];
}

int main(void)
{
    const struct bm_boot_info *info = bm_boot_info_get();
    uint64_t low = 0, high = 0;
    for (uint32_t i = 0; i < info->region_count; i++)
        if (info->regions[i].type == BM_BOOT_REGION_RAM)
            *(info->regions[i].base < 1ull << 32 ? &low : &high) += info->regions[i].length;
    printf("memory: %llu MiB below 4 GiB, %llu MiB above, %u regions\n", (unsigned long long)low >> 20,
           (unsigned long long)high >> 20, (unsigned)info->region_count);
    memset(ballast_end - sizeof(ballast), 0x5a, sizeof(ballast));
    CHECK(ballast_end[-1] == 0x5a);
    printf("image: at 0x%llx\n", (unsigned long long)bm_memory_physical((const void *)main));
    printf("acpi: %s\n", info->rsdp ? "told" : "not told");
    printf("screen: %ux%u, %u bits\n", (unsigned)info->framebuffer.width, (unsigned)info->framebuffer.height,
           (unsigned)info->framebuffer.bits_per_pixel);
    CHECK(info->framebuffer.bits_per_pixel == 32);
    draw(&info->framebuffer);
    printf("drawn\n");
    getchar();
    printf("PASS\n");
    return 0;
}
