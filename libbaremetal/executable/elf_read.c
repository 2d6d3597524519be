// Reading an ELF executable (System V ABI, generic, chapters 4 and 5; x86-64 psABI, chapter 4).
// SPDX-License-Identifier: MIT
#include "elf_read.h"

enum { PAGE = 4096 };

struct header {
    uint8_t magic[4], class, data, version, abi, abi_version, pad[7];
    uint16_t type, machine;
    uint32_t file_version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t size, program_header_size, program_header_count, section_header_size, section_header_count,
        names;
};
_Static_assert(sizeof(struct header) == 64, "Elf64_Ehdr");

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct program_header) == 56, "Elf64_Phdr");

enum { CLASS_64 = 2, DATA_LITTLE = 1, TYPE_FIXED = 2, TYPE_MOVABLE = 3, MACHINE_X86_64 = 62 };
enum { PT_LOAD = 1, PT_INTERP = 3, PF_EXECUTE = 1, PF_WRITE = 2, HEADERS_MAX = 128 };

static bool lies_in(uint64_t offset, uint64_t size, uint64_t whole)
{
    return offset <= whole && size <= whole - offset;
}

static const char *read_header(const struct header *header, uint64_t size, struct bm_elf *elf)
{
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};
    if (size < sizeof *header || __builtin_memcmp(header->magic, magic, sizeof magic) != 0)
        return "is no ELF file";
    if (header->class != CLASS_64 || header->data != DATA_LITTLE || header->machine != MACHINE_X86_64)
        return "is not for x86-64";
    if (header->type != TYPE_FIXED && header->type != TYPE_MOVABLE)
        return "is no executable";
    if (header->program_header_size != sizeof(struct program_header) || !header->program_header_count ||
        header->program_header_count > HEADERS_MAX || header->program_headers % sizeof(uint64_t) ||
        !lies_in(header->program_headers, header->program_header_count * sizeof(struct program_header), size))
        return "has no valid program headers";
    *elf = (struct bm_elf){.movable = header->type == TYPE_MOVABLE,
                           .entry = header->entry,
                           .headers_offset = header->program_headers,
                           .header_count = header->program_header_count};
    return NULL;
}

static uint64_t page_end(uint64_t address)
{
    return (address + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static const char *read_segment(const struct program_header *header, uint64_t size, struct bm_elf *elf)
{
    struct bm_elf_segment segment = {.address = header->address,
                                     .offset = header->offset,
                                     .file_size = header->file_size,
                                     .memory_size = header->memory_size,
                                     .write = header->flags & PF_WRITE,
                                     .execute = header->flags & PF_EXECUTE};
    if (!header->memory_size)
        return NULL;
    if (header->file_size > header->memory_size || !lies_in(header->offset, header->file_size, size))
        return "has a segment that is not in the file";
    if (header->address >= BM_ELF_HIGHEST || header->memory_size > BM_ELF_HIGHEST - header->address ||
        (!elf->movable && header->address < BM_ELF_LOWEST))
        return "has a segment at an address that programs do not have";
    if ((header->address ^ header->offset) & (PAGE - 1))
        return "has a segment that cannot be mapped by pages";
    if (elf->count && (header->address & ~(uint64_t)(PAGE - 1)) < elf->end)
        return "has segments that share a page, or are not sorted";
    if (segment.write && segment.execute)
        return "has a segment that is writable and executable";
    if (segment.execute && segment.memory_size != segment.file_size)
        return "has text that is not in the file";
    if (elf->count == BM_ELF_SEGMENTS_MAX)
        return "has too many segments";
    if (!elf->count)
        elf->begin = header->address & ~(uint64_t)(PAGE - 1);
    elf->end = page_end(header->address + header->memory_size);
    elf->segments[elf->count++] = segment;
    return NULL;
}

// The dynamic loader's path, terminated within the file.
static const char *read_interpreter(const char *file, const struct program_header *header, uint64_t size,
                                    struct bm_elf *elf)
{
    if (!header->file_size || !lies_in(header->offset, header->file_size, size) ||
        file[header->offset + header->file_size - 1])
        return "names its dynamic loader wrongly";
    elf->interpreter = file + header->offset;
    return NULL;
}

static const char *read_program_header(const char *file, const struct program_header *header, uint64_t size,
                                       struct bm_elf *elf)
{
    switch (header->type) {
    case PT_LOAD:
        return read_segment(header, size, elf);
    case PT_INTERP:
        return read_interpreter(file, header, size, elf);
    default:
        return NULL;
    }
}

// The address at which the program finds its own program headers, and whether it begins in its text.
static const char *find_places(struct bm_elf *elf)
{
    bool begins = false;
    for (unsigned i = 0; i < elf->count; i++) {
        const struct bm_elf_segment *segment = &elf->segments[i];
        begins |= segment->execute && elf->entry - segment->address < segment->file_size;
        if (elf->headers_offset >= segment->offset &&
            lies_in(elf->headers_offset - segment->offset, elf->header_count * sizeof(struct program_header),
                    segment->file_size))
            elf->headers = segment->address + (elf->headers_offset - segment->offset);
    }
    return begins ? NULL : "does not begin in its text";
}

const char *bm_elf_read(const char *file, uint64_t size, struct bm_elf *elf)
{
    const char *wrong = read_header((const void *)file, size, elf);
    for (unsigned i = 0; !wrong && i < elf->header_count; i++) {
        const struct program_header *headers = (const void *)(file + elf->headers_offset);
        wrong = read_program_header(file, &headers[i], size, elf);
    }
    return wrong ? wrong : find_places(elf);
}
