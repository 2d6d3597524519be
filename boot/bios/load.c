// The stage's second part: memory map, the ELF file to its place above 1 MiB, and the jump by Multiboot2.
// SPDX-License-Identifier: MIT
//
// ACPI 6.4 section 15 (INT 15h E820h); Multiboot2 2.0 section 3.6 (information), 3.3 (machine state); System
// V ABI, ELF-64.
#include "bios.h"

enum { REGIONS_MAX = 128, SEGMENTS_MAX = 16, ADDRESS_MIN = 0x100000, SMAP = 0x534d4150, LINE_MAX = 1024 };

static const uint32_t ADDRESS_MAX = 0xfffff000;

// 64-bit numbers in halves: the high ones must be 0 for what is loaded here.
struct wide {
    uint32_t low, high;
};

struct region {
    struct wide base, length;
    uint32_t type, attributes;
};

struct elf {
    uint32_t identity[4];
    uint16_t type, machine;
    uint32_t version;
    struct wide entry, segments, sections;
    uint32_t flags;
    uint16_t size, segment_size, segment_count;
};

struct segment {
    uint32_t type, flags;
    struct wide offset, virtual, physical, file_size, memory_size, align;
};

// The Multiboot2 information: header, command line, loader's name, memory map, framebuffer, end.
static uint32_t information[(128 + LINE_MAX + sizeof(struct region) * REGIONS_MAX) / 4]
    __attribute__((aligned(8)));
static struct region regions[REGIONS_MAX];
static uint32_t region_count;

static void put_number(char *end, uint32_t number)
{
    do
        *--end = (char)('0' + number % 10);
    while (number /= 10);
}

// `needed` and `end`, of what there is, in bytes.
static void __attribute__((noreturn)) fail_memory(uint32_t needed, uint32_t end)
{
#define NEEDED "not enough memory: this image needs at least     0"
#define THERE  " MiB, the machine has     0"
    enum { MIB_SHIFT = 20, ROUND = (1 << MIB_SHIFT) - 1 };
    static char text[] = NEEDED THERE " MiB; give the machine more";
    put_number(text + sizeof NEEDED - 1, (needed + ROUND) >> MIB_SHIFT);
    put_number(text + sizeof NEEDED THERE - 1, (end + ROUND) >> MIB_SHIFT);
    bm_bios_fail(text);
}

static uint32_t cpu_id(uint32_t leaf, uint32_t *edx)
{
    uint32_t eax = leaf, ebx, ecx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(*edx));
    return eax;
}

static bool has_long_mode(void)
{
    uint32_t kept, changed, edx;
    __asm__("pushfl; popl %0; movl %0, %1; xorl $0x200000, %1; pushl %1; popfl; pushfl; popl %1"
            : "=&r"(kept), "=&r"(changed));
    if (kept == changed) // the ID flag is fixed: there is no CPUID
        return false;
    if (cpu_id(0x80000000, &edx) <= 0x80000000)
        return false;
    cpu_id(0x80000001, &edx);
    return edx >> 29 & 1;
}

static void read_memory_map(void)
{
    bm_bios_registers.ebx = 0;
    do {
        struct region *region = &regions[region_count];
        region->attributes = 1; // what ACPI 3.0 means by absent
        bm_bios_registers.eax = 0xe820;
        bm_bios_registers.edx = SMAP;
        bm_bios_registers.ecx = sizeof *region;
        bm_bios_registers.edi = (uint32_t)region;
        bm_bios_call(0x15);
        if (bm_bios_registers.flags & BM_BIOS_CARRY || bm_bios_registers.eax != SMAP)
            break;
        if (region->attributes & 1)
            region_count++;
    } while (bm_bios_registers.ebx && region_count < REGIONS_MAX);
    if (!region_count)
        bm_bios_fail("this BIOS tells no memory map (E820)");
}

// The end of the RAM below 4 GiB that reaches from 1 MiB on without a hole.
static uint32_t memory_end(void)
{
    uint32_t end = ADDRESS_MIN;
    for (const struct region *region = regions; region < regions + region_count; region++) {
        if (region->type != 1 || region->base.high || region->base.low > ADDRESS_MIN)
            continue;
        uint32_t after = region->base.low + region->length.low;
        if (region->length.high || after < region->base.low)
            after = ADDRESS_MAX;
        if (after > end)
            end = after;
    }
    return end;
}

static const struct segment *segments_of(const struct elf *elf)
{
    return (const void *)((const char *)elf + elf->segments.low);
}

// Checks the program headers; every segment has to fit between ADDRESS_MIN and the file, which reaches to
// `end`.
static void check_elf(const struct elf *elf, uint32_t size, uint32_t end)
{
    uint32_t max = (uint32_t)elf;
    uint32_t entered = 0;
    if (size < sizeof(struct segment) * SEGMENTS_MAX || elf->identity[0] != 0x464c457f ||
        elf->machine != 62 || elf->segment_size != sizeof(struct segment) ||
        elf->segment_count > SEGMENTS_MAX || elf->segments.high ||
        elf->segments.low > size - sizeof(struct segment) * SEGMENTS_MAX)
        bm_bios_fail("the image is no ELF file of this machine");
    const struct segment *segment = segments_of(elf);
    for (uint32_t i = 0; i < elf->segment_count; i++, segment++) {
        uint32_t begin = segment->physical.low;
        if (segment->type != 1)
            continue;
        if (segment->physical.high | segment->memory_size.high | segment->file_size.high |
                segment->offset.high ||
            begin < ADDRESS_MIN || segment->file_size.low > segment->memory_size.low ||
            segment->offset.low > size || segment->file_size.low > size - segment->offset.low)
            bm_bios_fail("the image has a damaged segment");
        if (begin > max || segment->memory_size.low > max - begin)
            fail_memory(begin + segment->memory_size.low + (end - max), end);
        entered |= bm_bios_header.entry - begin < segment->file_size.low;
    }
    if (!entered)
        bm_bios_fail("the image lacks the segment that it starts in");
}

static void place_segments(const struct elf *elf)
{
    const struct segment *segment = segments_of(elf);
    for (uint32_t i = 0; i < elf->segment_count; i++, segment++) {
        if (segment->type != 1)
            continue;
        char *to = (char *)segment->physical.low;
        bm_bios_clear(to, segment->memory_size.low);
        bm_bios_copy(to, (const char *)elf + segment->offset.low, segment->file_size.low);
    }
}

static uint32_t *add_tag(uint32_t *tag, uint32_t type, const void *bytes, uint32_t size)
{
    tag[0] = type;
    tag[1] = 8 + size;
    bm_bios_copy(tag + 2, bytes, size);
    return tag + ((8 + size + 7) & ~7u) / 4;
}

static void build_information(const char *line)
{
    static const char name[] = "libbaremetal BIOS loader";
    uint32_t *tag = information + 2;
    if (bm_bios_header.line_size)
        tag = add_tag(tag, 1, line, bm_bios_header.line_size);
    tag = add_tag(tag, 2, name, sizeof name);
    tag[0] = 6;
    tag[1] = 16 + region_count * sizeof *regions;
    tag[2] = sizeof *regions;
    tag[3] = 0;
    bm_bios_copy(tag + 4, regions, region_count * sizeof *regions);
    tag = bm_bios_set_video(tag + tag[1] / 4);
    tag[0] = 0;
    tag[1] = 8;
    information[0] = (uint32_t)((char *)(tag + 2) - (char *)information);
}

void bm_bios_load(void)
{
    uint32_t size = bm_bios_header.elf_size + bm_bios_header.line_size;
    if (!has_long_mode())
        bm_bios_fail("this CPU has no 64-bit long mode; use a 64-bit machine");
    read_memory_map();
    // The file comes to the end of memory, from where its segments are copied down.
    uint32_t end = memory_end();
    if (size >= (end - ADDRESS_MIN) / 2) // the segments are as large as the file at least
        fail_memory(size < ADDRESS_MAX / 2 - ADDRESS_MIN ? ADDRESS_MIN + 2 * size : ADDRESS_MAX, end);
    const struct elf *elf = (const void *)((end - size) & ~4095u);
    bm_bios_read(BM_BIOS_CONTENT, size, (void *)elf);
    if (bm_bios_header.line_size > LINE_MAX || size < bm_bios_header.elf_size ||
        bm_bios_crc(elf, size) != bm_bios_header.content_crc)
        bm_bios_fail("the image is damaged: wrong checksum; write it anew");
    check_elf(elf, bm_bios_header.elf_size, end);
    build_information((const char *)elf + bm_bios_header.elf_size);
    bm_bios_open_a20(); // the last word of the BIOS has been spoken
    place_segments(elf);
    bm_bios_enter(bm_bios_header.entry, information);
}
