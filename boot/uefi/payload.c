// Checks the image that the EFI file carries, copies its segments, and fits them to another place.
// SPDX-License-Identifier: MIT
//
// PE format: Microsoft's PE/COFF specification, sections "COFF File Header" and "Section Table". ELF: System
// V ABI, chapters 4 and 5. Multiboot2: specification 2.0, section 3.1.
#include "payload.h"

#include <baremetal/log.h>

enum {
    PE_OFFSET_AT = 0x3c,
    PE_SECTIONS_AT = 6,       // from "PE\0\0": number of sections
    PE_OPTIONAL_SIZE_AT = 20, // size of the optional header
    PE_OPTIONAL = 24,
    PE_SECTION_SIZE = 40,
    MULTIBOOT2_SEARCH = 32768,
    MULTIBOOT2_TAG_ENTRY = 3,
    PAGE = 4096
};
#define MULTIBOOT2_MAGIC 0xe85250d6u
#define FOUR_GIB         (1ull << 32)
#define LOWEST_ADDRESS   0x100000ull // below stand the firmware's and the cores' first instructions

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments, sections;
    uint32_t flags;
    uint16_t header_size, segment_size, segment_count, section_size, section_count, names;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, virtual, physical, file_size, memory_size, align;
};

enum { ELF_MACHINE_X86_64 = 62, ELF_EXECUTABLE = 2, ELF_SHARED = 3, ELF_LOAD = 1, ELF_FLAG_EXECUTE = 1 };

static uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t read32(const uint8_t *at)
{
    return read16(at) | (uint32_t)read16(at + 2) << 16;
}

static bool within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

uint32_t bm_payload_crc(const void *bytes, uint64_t size)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++)
                value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
            table[i] = value;
        }
    uint32_t crc = ~0u;
    for (const uint8_t *at = bytes, *end = at + size; at < end; at++)
        crc = crc >> 8 ^ table[(crc ^ *at) & 0xff];
    return ~crc;
}

const uint8_t *bm_payload_find(const uint8_t *base, uint64_t size, uint64_t *section_size)
{
    if (size < PE_OFFSET_AT + 4)
        return NULL;
    uint64_t pe = read32(base + PE_OFFSET_AT);
    if (!within(pe, PE_OPTIONAL, size) || __builtin_memcmp(base + pe, "PE\0\0", 4) != 0)
        return NULL;
    unsigned count = read16(base + pe + PE_SECTIONS_AT);
    uint64_t table = pe + PE_OPTIONAL + read16(base + pe + PE_OPTIONAL_SIZE_AT);
    if (!within(table, (uint64_t)count * PE_SECTION_SIZE, size))
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *section = base + table + i * PE_SECTION_SIZE;
        uint32_t length = read32(section + 8), address = read32(section + 12);
        if (__builtin_memcmp(section, BM_PAYLOAD_SECTION, 8) != 0)
            continue;
        if (!within(address, length, size))
            return NULL;
        *section_size = length;
        return base + address;
    }
    return NULL;
}

// Multiboot2's header tells the entry, since that of the ELF header speaks another protocol.
static bool find_entry(const uint8_t *elf, uint64_t size, uint32_t *entry)
{
    uint64_t search = size < MULTIBOOT2_SEARCH ? size : MULTIBOOT2_SEARCH;
    for (uint64_t at = 0; within(at, 16, search); at += 8) {
        const uint8_t *header = elf + at;
        uint32_t length = read32(header + 8);
        if (read32(header) != MULTIBOOT2_MAGIC ||
            read32(header) + read32(header + 4) + length + read32(header + 12) != 0 ||
            !within(at, length, search))
            continue;
        for (uint32_t tag = 16; within(tag, 8, length);) {
            uint32_t tag_size = read32(header + tag + 4);
            if (tag_size < 8 || !within(tag, tag_size, length))
                break;
            if (read16(header + tag) == MULTIBOOT2_TAG_ENTRY && tag_size >= 12) {
                *entry = read32(header + tag + 8);
                return true;
            }
            tag += (tag_size + 7) & ~7u;
        }
    }
    return false;
}

#define REFUSE(...) (bm_format(reason, BM_PAYLOAD_REASON_MAX, __VA_ARGS__), false)

static bool add_segment(struct bm_payload *payload, const struct elf_segment *segment, unsigned number,
                        uint64_t size, char *reason)
{
    if (!within(segment->offset, segment->file_size, size))
        return REFUSE("segment %u (file offset 0x%lx, %lu bytes) reaches beyond the image's %lu bytes",
                      number, segment->offset, segment->file_size, size);
    if (segment->file_size > segment->memory_size)
        return REFUSE("segment %u has more bytes in the file (%lu) than in memory (%lu)", number,
                      segment->file_size, segment->memory_size);
    if (segment->physical < LOWEST_ADDRESS ||
        !within(segment->physical, segment->memory_size, FOUR_GIB - PAGE))
        return REFUSE("segment %u (address 0x%lx, %lu bytes) lies outside of 1 MiB to 4 GiB", number,
                      segment->physical, segment->memory_size);
    if (payload->segment_count == BM_PAYLOAD_SEGMENTS_MAX)
        return REFUSE("there are more than %u segments", BM_PAYLOAD_SEGMENTS_MAX);
    for (uint32_t i = 0; i < payload->segment_count; i++) {
        const struct bm_payload_segment *other = &payload->segments[i];
        if (segment->physical < other->physical + other->memory_size &&
            other->physical < segment->physical + segment->memory_size)
            return REFUSE("segment %u overlaps another one", number);
    }
    payload->segments[payload->segment_count++] = (struct bm_payload_segment){
        segment->offset, segment->file_size, segment->physical, segment->memory_size};
    uint64_t end = (segment->physical + segment->memory_size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (segment->physical < payload->begin)
        payload->begin = segment->physical & ~(uint64_t)(PAGE - 1);
    if (end > payload->end)
        payload->end = end;
    return true;
}

// Every offset, size and address of the ELF file; the entry must lie in code that is there.
static bool read_elf(struct bm_payload *payload, const uint8_t *elf, uint64_t size, char *reason)
{
    struct elf_header header;
    if (size < sizeof(header))
        return REFUSE("the image is too short (%lu bytes)", size);
    __builtin_memcpy(&header, elf, sizeof(header));
    if (__builtin_memcmp(header.ident, "\177ELF\2\1\1", 7) != 0)
        return REFUSE("the image is no 64-bit ELF file");
    if (header.machine != ELF_MACHINE_X86_64 || (header.type != ELF_EXECUTABLE && header.type != ELF_SHARED))
        return REFUSE("the image is no x86-64 program (ELF machine %u, type %u)", header.machine,
                      header.type);
    if (header.segment_size != sizeof(struct elf_segment) ||
        !within(header.segments, (uint64_t)header.segment_count * sizeof(struct elf_segment), size))
        return REFUSE("the image's table of segments reaches beyond its end");
    if (!find_entry(elf, size, &payload->entry))
        return REFUSE("the image has no Multiboot2 header with an entry address");
    bool entered = false;
    for (unsigned i = 0; i < header.segment_count; i++) {
        struct elf_segment segment;
        __builtin_memcpy(&segment, elf + header.segments + i * sizeof(segment), sizeof(segment));
        if (segment.type != ELF_LOAD || !segment.memory_size)
            continue;
        if (!add_segment(payload, &segment, i, size, reason))
            return false;
        entered |= segment.flags & ELF_FLAG_EXECUTE && payload->entry >= segment.physical &&
                   payload->entry - segment.physical < segment.file_size;
    }
    if (!entered)
        return REFUSE("the entry 0x%x lies in none of the image's %u segments", payload->entry,
                      payload->segment_count);
    return true;
}

bool bm_payload_read(struct bm_payload *payload, const uint8_t *bytes, uint64_t size,
                     char reason[BM_PAYLOAD_REASON_MAX])
{
    struct bm_payload_header header;
    *payload = (struct bm_payload){.begin = UINT64_MAX};
    if (size < sizeof(header))
        return REFUSE("the part that holds the image is too short (%lu bytes)", size);
    __builtin_memcpy(&header, bytes, sizeof(header));
    uint32_t crc = header.header_crc;
    header.header_crc = 0;
    if (__builtin_memcmp(header.magic, BM_PAYLOAD_MAGIC, 8) != 0 ||
        bm_payload_crc(&header, sizeof(header)) != crc)
        return REFUSE("the header before the image is damaged");
    if (header.image_size > size - sizeof(header))
        return REFUSE("the image is cut off: %lu of its %lu bytes are there", size - sizeof(header),
                      header.image_size);
    payload->elf = bytes + sizeof(header);
    payload->header = header;
    crc = bm_payload_crc(payload->elf, header.image_size);
    if (crc != header.image_crc)
        return REFUSE("the image is damaged: its checksum is 0x%08x instead of 0x%08x", crc,
                      header.image_crc);
    return read_elf(payload, payload->elf, header.image_size, reason);
}

void bm_payload_load(const struct bm_payload *payload, uint8_t *memory)
{
    __builtin_memset(memory, 0, payload->end - payload->begin);
    for (uint32_t i = 0; i < payload->segment_count; i++) {
        const struct bm_payload_segment *segment = &payload->segments[i];
        __builtin_memcpy(memory + (segment->physical - payload->begin), payload->elf + segment->offset,
                         segment->file_size);
    }
}

// What bm_payload_relocate works on.
struct place {
    uint8_t *memory;
    uint64_t begin, size, delta;
};

static bool read_word(const struct place *place, uint64_t address, uint64_t *value)
{
    if (!within(address - place->begin, sizeof(*value), place->size)) // also what lies before it
        return false;
    __builtin_memcpy(value, place->memory + (address - place->begin), sizeof(*value));
    return true;
}

static bool add_delta(const struct place *place, uint64_t address)
{
    uint64_t value;
    if (!read_word(place, address, &value))
        return false;
    value += place->delta;
    __builtin_memcpy(place->memory + (address - place->begin), &value, sizeof(value));
    return true;
}

// An even word is the address of a word to change; an odd one is a bitmap of the 63 words that follow.
static bool relocate_relr(const struct place *place, uint64_t begin, uint64_t end)
{
    uint64_t where = 0, entry;
    for (uint64_t at = begin; at < end; at += sizeof(entry)) {
        if (!read_word(place, at, &entry))
            return false;
        if (!(entry & 1)) {
            if (!add_delta(place, entry) || !add_delta(place, at))
                return false;
            where = entry + sizeof(entry);
            continue;
        }
        for (unsigned i = 0; i < 63; i++)
            if (entry >> (i + 1) & 1 && !add_delta(place, where + i * sizeof(entry)))
                return false;
        where += 63 * sizeof(entry);
    }
    return true;
}

// Each entry: address, type, value. The image itself will write the value.
static bool relocate_rela(const struct place *place, uint64_t begin, uint64_t end)
{
    for (uint64_t at = begin; at < end; at += 24)
        if (!add_delta(place, at) || !add_delta(place, at + 16))
            return false;
    return true;
}

bool bm_payload_relocate(const struct bm_payload *payload, uint8_t *memory, uint64_t to,
                         const uint32_t *fixups, uint32_t fixup_count)
{
    const struct bm_payload_header *header = &payload->header;
    struct place place = {memory, payload->begin, payload->end - payload->begin, to - payload->begin};
    for (uint32_t i = 0; i < fixup_count; i++) {
        uint32_t value;
        if (!within(fixups[i], sizeof(value), place.size))
            return false;
        __builtin_memcpy(&value, memory + fixups[i], sizeof(value));
        if (value < payload->begin || value >= payload->end)
            return false; // the image is of another version than this program
        value += (uint32_t)place.delta;
        __builtin_memcpy(memory + fixups[i], &value, sizeof(value));
    }
    return relocate_relr(&place, header->relr_begin, header->relr_end) &&
           relocate_rela(&place, header->rela_begin, header->rela_end);
}
