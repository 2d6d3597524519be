// From the identity map to the kernel's own: information, random layout, page tables, relocation, the jump.
// SPDX-License-Identifier: MIT
//
// This file runs at the image's link address, before relocation: pointers in initialised data are not valid
// yet for the code that runs later, and are changed by bm_boot_relocate as the very last step. Nothing here
// returns.
#include "../libbaremetal/base/early.h"

#include "../libbaremetal/memory/paging.h"
#include "../libbaremetal/random/chacha.h"
#include "protocol.h"
#include "relocate.h"

#include <baremetal/cpu.h>

extern char bm_image_begin[], bm_constants_begin[], bm_relro_begin[], bm_data_begin[], bm_image_end[];
// entry.S: a sentence, and where the numbers in it end
extern char bm_boot_memory_text[], bm_boot_memory_needed[],
    bm_boot_memory_there[] __attribute__((visibility("hidden")));

void bm_boot_early(uint32_t loader, uint64_t information) __attribute__((noreturn));
void bm_boot_switch(uint64_t cr3, uint64_t entry, uint64_t stack) __attribute__((noreturn));
// Hidden, so that its address is computed and not read from the GOT, which relocation has changed by then.
void bm_start_main(void) __attribute__((visibility("hidden")));

enum { STACK_MAX = 1 << 20, STACK_MIN = 64 << 10 };

// A page table for every GiB of RAM, the image's and the layout's own: taken from one run of frames, next to
// the stack.
static struct {
    uint64_t next, end;
} early;

static struct bm_boot_early *const state = &bm_boot_early_state;

// There is no console yet: a word on the serial line, then the end.
static void __attribute__((noreturn)) give_up(const char *text)
{
    for (; *text; text++) {
        for (int i = 0; i < 0x10000 && !(bm_port_in8(0x3fd) & 0x20); i++)
            ;
        bm_port_out8(0x3f8, (uint8_t)*text);
    }
    for (;;)
        __asm__ volatile("hlt");
}

static uint64_t ram_size(void)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < bm_boot_info.region_count; i++)
        size += bm_boot_info.regions[i].length;
    return size;
}

static void put_number(char *end, uint64_t number)
{
    do
        *--end = (char)('0' + number % 10);
    while (number /= 10);
}

// Memory holds the image, but no more, or nothing in one piece: entry.S has the sentence.
static void __attribute__((noreturn)) give_up_memory(void)
{
    enum { MIB = 1 << 20 };
    uint64_t there = (ram_size() + MIB - 1) / MIB;
    put_number(bm_boot_memory_needed, there + 1);
    put_number(bm_boot_memory_there, there);
    give_up(bm_boot_memory_text);
}

static uint64_t early_page(void)
{
    if (early.next == early.end)
        give_up_memory();
    uint64_t page = early.next;
    early.next += 4096;
    __builtin_memset((void *)page, 0, 4096);
    return page;
}

// Shrinks [*begin, *end) to its longer part outside of [base, base + length).
static void avoid(uint64_t *begin, uint64_t *end, uint64_t base, uint64_t length)
{
    uint64_t hole_end = (base + length + 4095) & ~4095ull;
    base &= ~4095ull;
    if (base >= *end || hole_end <= *begin)
        return;
    uint64_t left = base > *begin ? base - *begin : 0;
    uint64_t right = hole_end < *end ? *end - hole_end : 0;
    if (left > right)
        *end = base;
    else
        *begin = *end - right;
}

// The largest free run of frames that the identity map reaches. The first MiB is left to the starting of
// cores.
static void find_early_frames(void)
{
    for (uint32_t i = 0; i < bm_boot_info.region_count; i++) {
        const struct bm_boot_region *region = &bm_boot_info.regions[i];
        uint64_t begin = region->base, end = begin + region->length;
        if (begin < 0x100000)
            begin = 0x100000;
        if (end > BM_BOOT_REACH)
            end = BM_BOOT_REACH;
        if (begin >= end)
            continue;
        avoid(&begin, &end, state->image_physical, state->image_length);
        for (uint32_t m = 0; m < bm_boot_info.module_count; m++)
            avoid(&begin, &end, bm_boot_info.modules[m].base, bm_boot_info.modules[m].length);
        if (end > begin && end - begin > early.end - early.next) {
            early.next = begin;
            early.end = end;
        }
    }
    state->early_physical = early.next;
}

// One number from the CPU's generator. Returns false when it has none or it fails ten times (Intel SDM volume
// 1, section 7.3.17).
static bool hardware_random(uint64_t *value)
{
    if (!(bm_cpu_id(1, 0).ecx >> 30 & 1))
        return false;
    for (int i = 0; i < 10; i++) {
        bool good;
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(good));
        if (good)
            return true;
    }
    return false;
}

// Layout, canary and the pool's seed: words of one block of ChaCha20, of which some tell nothing about the
// others. Its key is 256 random bits, so that a layout that leaked cannot be tried for.
static void draw(void)
{
    enum { KEY = 4, NONCE = 14 }; // 32-bit words of the input
    union {
        uint32_t words[16];
        uint64_t numbers[8];
    } input = {0}, output;
    for (unsigned i = 0; i < 4; i++)
        // Without a generator the time since power-on is all there is; bm_random_check says so.
        if (!hardware_random(&input.numbers[KEY / 2 + i]))
            input.numbers[KEY / 2 + i] = bm_cpu_tsc();
    input.numbers[NONCE / 2] = bm_cpu_tsc();
    bm_chacha_block(input.words, output.words);
    bm_paging_layout = (struct bm_paging_layout){
        .direct = 0xffff800000000000ull + (output.numbers[0] & 0x7fff) * (1ull << 30),
        .device = 0xffffc00000000000ull + (output.numbers[1] & 0xffffff) * 4096,
        .heap = 0xffffd00000000000ull + (output.numbers[2] & 0xfffff) * (1ull << 21),
        .image = 0xffffe00000000000ull + (output.numbers[3] & 0x3fffffff) * 4096,
    };
    state->canary = output.numbers[4] & ~0xffull; // a zero byte stops string functions
    state->seed = output.numbers[5];
    // This stack lies at a known distance in the image for ever.
    __builtin_memset(&input, 0, sizeof input);
    __builtin_memset(&output, 0, sizeof output);
    __asm__ volatile("" : : "r"(&input), "r"(&output) : "memory");
}

static void map_image_part(const char *begin, const char *end, uint64_t flags)
{
    uint64_t offset = (uint64_t)(begin - bm_image_begin);
    bm_paging_map(bm_paging_layout.image + offset, (uint64_t)begin, (uint64_t)(end - begin), flags);
}

static void map_image(void)
{
    map_image_part(bm_image_begin, bm_constants_begin, 0);
    map_image_part(bm_constants_begin, bm_data_begin, BM_PTE_NO_EXECUTE);
    map_image_part(bm_data_begin, bm_image_end, BM_PTE_NO_EXECUTE | BM_PTE_WRITE);
    state->identity_page = (uint64_t)bm_boot_switch & ~4095ull;
    bm_paging_map(state->identity_page, state->identity_page, 2 * 4096,
                  0); // the routine may cross into the next page
}

static void map_direct_range(uint64_t begin, uint64_t end)
{
    if (begin < end)
        bm_paging_map(bm_paging_layout.direct + begin, begin, end - begin, BM_PTE_NO_EXECUTE | BM_PTE_WRITE);
}

// All RAM but the image's frames: no page is reachable both writable and executable.
static void map_direct(void)
{
    uint64_t image_end = state->image_physical + state->image_length;
    for (uint32_t i = 0; i < bm_boot_info.region_count; i++) {
        const struct bm_boot_region *region = &bm_boot_info.regions[i];
        uint64_t begin = region->base, end = begin + region->length;
        if (begin >= 1ull << BM_PAGING_DIRECT_BITS)
            continue;
        if (end > 1ull << BM_PAGING_DIRECT_BITS)
            end = 1ull << BM_PAGING_DIRECT_BITS;
        map_direct_range(begin, end < state->image_physical ? end : state->image_physical);
        map_direct_range(begin > image_end ? begin : image_end, end);
        bm_paging_layout.direct_length = end; // the map is sorted
    }
}

// Main's stack, with an unmapped page on either side.
static void map_stack(void)
{
    uint64_t size = ram_size() / 16, room = early.end - early.next;
    if (size > STACK_MAX)
        size = STACK_MAX;
    if (size > room / 4) // a large image leaves little of much RAM
        size = room / 4;
    size = size < STACK_MIN ? STACK_MIN : size & ~4095ull;
    if (room < size)
        give_up_memory();
    uint64_t physical = early.next;
    early.next += size;
    state->stack_bottom = bm_paging_layout.device + 4096;
    state->stack_top = state->stack_bottom + size;
    state->device_next = state->stack_top + 4096;
    bm_paging_map(state->stack_bottom, physical, size, BM_PTE_NO_EXECUTE | BM_PTE_WRITE);
}

static void build_tables(void)
{
    bm_paging_source = early_page;
    bm_paging_1g = bm_cpu_id(0x80000001, 0).edx >> 26 & 1;
    if (!(bm_cpu_id(0x80000001, 0).edx >> 20 & 1))
        bm_paging_supported &= ~BM_PTE_NO_EXECUTE;
    bm_paging_root = early_page();
    map_image();
    map_direct();
    map_stack();
}

// Returns the loader's protocol as a word for the log.
static const char *read_information(uint32_t loader, uint64_t information)
{
    bool known = false;
    const char *protocol = "pvh";
    if (loader == BM_BOOT_PVH) {
        known = bm_boot_read_pvh(&bm_boot_info, information);
    } else if (loader == BM_BOOT_LINUX) {
        protocol = "linux";
        known = bm_boot_read_linux(&bm_boot_info, information);
    } else if (loader == BM_BOOT_MULTIBOOT2) {
        protocol = "multiboot2";
        known = bm_boot_read_multiboot2(&bm_boot_info, information);
    }
    if (!known)
        give_up("error: boot: unknown protocol; use a loader for PVH, Multiboot2 or Linux\r\n");
    bm_boot_map_finish(&bm_boot_info);
    if (!ram_size())
        give_up(
            "error: boot: the loader gave no memory map; use another loader or a newer version of it\r\n");
    return protocol;
}

void bm_boot_early(uint32_t loader, uint64_t information)
{
    state->image_physical = (uint64_t)bm_image_begin;
    state->image_length = (uint64_t)(bm_image_end - bm_image_begin);
    const char *source = read_information(loader, information);
    find_early_frames();
    draw();
    build_tables();
    state->early_length = early.next - state->early_physical;
    uint64_t delta = bm_paging_layout.image - state->image_physical;
    bm_boot_info.source = source + delta;
    bm_paging_offset = bm_paging_layout.direct;
    bm_boot_relocate(delta);
    bm_boot_switch(bm_paging_root, (uint64_t)bm_start_main + delta, state->stack_top);
}
