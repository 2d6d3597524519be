// Maps the executable of the image: its text and constants where they stand in the image, copies of what it
// writes.
// SPDX-License-Identifier: MIT
//
// The low half of the addresses is the program's: an executable at its own addresses, or anywhere from
// MOVABLE on; its heap behind it; from MAPPINGS on what it maps, its stack first. The page tables have a
// place each for random bits.
#include "../linux/linux.h"
#include "../space/space.h"
#include "executable.h"

#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/random.h>

#define MOVABLE     (1ull << 38)
#define MAPPINGS    (3ull << 37)
#define RANDOM_MASK (((1ull << 25) - 1) * BM_PAGE_SIZE)
#define BREAK_MASK  (((1ull << 13) - 1) * BM_PAGE_SIZE)

enum { STACK_SIZE = 1 << 20, GUARD_SIZE = 64 << 10 };

void bm_executable_refuse(const char *why)
{
    bm_log_error("executable", "the program %s", why);
    bm_linux_exit_group(127);
}

static uint64_t page_of(uint64_t address)
{
    return address & ~(BM_PAGE_SIZE - 1);
}

static uint64_t page_end(uint64_t address)
{
    return page_of(address + BM_PAGE_SIZE - 1);
}

// Also what stands before it in the file on its first page, as Linux has it; behind it are zeros.
static bool map_copy(const struct bm_elf_segment *segment, uint64_t address)
{
    uint64_t begin = page_of(address), before = address - begin;
    uint64_t length = page_end(address + segment->memory_size) - begin;
    if (bm_space_map(begin, length, BM_SPACE_READ | BM_SPACE_WRITE, true) != (int64_t)begin)
        return false;
    __builtin_memcpy((void *)begin, bm_executable_begin + (segment->offset - before),
                     segment->file_size + before);
    return segment->write || bm_space_protect(begin, length, BM_SPACE_READ) == 0;
}

static bool map_segment(const struct bm_elf_segment *segment, uint64_t base)
{
    uint64_t address = base + segment->address, begin = page_of(address);
    uint64_t end = page_end(address + segment->memory_size);
    if (segment->write || segment->memory_size != segment->file_size)
        return map_copy(segment, address);
    return bm_space_map_image(begin, bm_executable_begin + (segment->offset - (address - begin)), end - begin,
                              segment->execute) == 0;
}

static uint64_t make_stack(void)
{
    int64_t guard = bm_space_map(0, GUARD_SIZE + STACK_SIZE, BM_SPACE_NONE, false);
    if (guard < 0 ||
        bm_space_protect((uint64_t)guard + GUARD_SIZE, STACK_SIZE, BM_SPACE_READ | BM_SPACE_WRITE))
        bm_executable_refuse("has no memory for its stack; give the machine more memory");
    return (uint64_t)guard + GUARD_SIZE + STACK_SIZE;
}

void bm_executable_load(struct bm_executable_loaded *loaded)
{
    struct bm_elf *elf = &loaded->elf;
    const char *wrong =
        bm_elf_read(bm_executable_begin, (uint64_t)(bm_executable_end - bm_executable_begin), elf);
    if (wrong)
        bm_executable_refuse(wrong);
    if (elf->interpreter)
        bm_executable_refuse("is linked dynamically; link it with -static");
    if (bm_space_place(BM_ELF_LOWEST, MAPPINGS + (bm_random_u64() & RANDOM_MASK)))
        bm_executable_refuse("has no interrupt vector left for its memory");
    loaded->base = elf->movable ? MOVABLE + (bm_random_u64() & RANDOM_MASK) - elf->begin : 0;
    for (unsigned i = 0; i < elf->count; i++)
        if (!map_segment(&elf->segments[i], loaded->base))
            bm_executable_refuse("does not fit into the memory; give the machine more memory");
    bm_executable_break_start(loaded->base + elf->end + (bm_random_u64() & BREAK_MASK));
    loaded->stack_end = make_stack();
}
