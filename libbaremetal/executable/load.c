// Maps the executable of the image, and its dynamic loader if it wants one: text and constants where they
// stand in the image, copies of what they write.
// SPDX-License-Identifier: MIT
//
// The low half of the addresses is the program's: an executable at its own addresses, or anywhere from
// MOVABLE on; its heap behind it; from MAPPINGS on what it maps, its loader and its stack first. Each of
// these places has random bits.
#include "../linux/linux.h"
#include "../space/space.h"
#include "executable.h"

#include <baremetal/file.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>
#include <baremetal/random.h>

#define MOVABLE     (1ull << 38)
#define MAPPINGS    (3ull << 37)
#define RANDOM_MASK (((1ull << 25) - 1) * BM_PAGE_SIZE)
#define BREAK_MASK  (((1ull << 13) - 1) * BM_PAGE_SIZE)

enum { STACK_SIZE = 8 << 20, GUARD_SIZE = 64 << 10 }; // as RLIMIT_STACK tells

void bm_executable_refuse(const char *what, const char *why)
{
    bm_log_error("executable", "%s %s", what, why);
    bm_linux_exit_group(127);
}

static const char program[] = "the program";
static const char no_memory[] = "does not fit into the memory; give the machine more memory";

static uint64_t page_of(uint64_t address)
{
    return address & ~(BM_PAGE_SIZE - 1);
}

static uint64_t page_end(uint64_t address)
{
    return page_of(address + BM_PAGE_SIZE - 1);
}

// Also what stands before it in the file on its first page, as Linux has it; behind it are zeros.
static bool map_copy(const char *file, const struct bm_elf_segment *segment, uint64_t address)
{
    uint64_t begin = page_of(address), before = address - begin;
    uint64_t length = page_end(address + segment->memory_size) - begin;
    if (bm_space_map(begin, length, BM_SPACE_READ | BM_SPACE_WRITE, true) != (int64_t)begin)
        return false;
    __builtin_memcpy((void *)begin, file + (segment->offset - before), segment->file_size + before);
    return segment->write || bm_space_protect(begin, length, BM_SPACE_READ) == 0;
}

static bool map_segment(const char *file, const struct bm_elf_segment *segment, uint64_t base)
{
    uint64_t address = base + segment->address, begin = page_of(address);
    uint64_t end = page_end(address + segment->memory_size);
    if (segment->write || segment->memory_size != segment->file_size)
        return map_copy(file, segment, address);
    return bm_space_map_image(begin, file + (segment->offset - (address - begin)), end - begin,
                              segment->execute) == 0;
}

static void map(const char *file, const struct bm_elf *elf, uint64_t base, const char *what)
{
    for (unsigned i = 0; i < elf->count; i++)
        if (!map_segment(file, &elf->segments[i], base))
            bm_executable_refuse(what, no_memory);
}

static void read(const char *file, uint64_t size, struct bm_elf *elf, const char *what)
{
    const char *wrong = bm_elf_read(file, size, elf);
    if (wrong)
        bm_executable_refuse(what, wrong);
}

// Addresses that nobody else has, without memory. It comes when it is touched, once there is access.
static uint64_t reserve(uint64_t length, const char *what)
{
    int64_t begin = bm_space_map(0, length, BM_SPACE_LAZY, false);
    if (begin < 0)
        bm_executable_refuse(what, no_memory);
    return (uint64_t)begin;
}

static uint64_t make_stack(void)
{
    uint64_t begin = reserve(GUARD_SIZE + STACK_SIZE, program) + GUARD_SIZE;
    if (bm_space_protect(begin, STACK_SIZE, BM_SPACE_READ | BM_SPACE_WRITE))
        bm_executable_refuse(program, no_memory);
    return begin + STACK_SIZE;
}

// The dynamic loader, a file of the image, is what begins then; it maps the libraries by calls.
static void load_interpreter(struct bm_executable_loaded *loaded)
{
    static struct bm_elf elf;
    const char *path = loaded->elf.interpreter;
    const struct bm_embedded_file *file = bm_embedded_file_find(path);
    if (!file)
        bm_executable_refuse(
            path, "is not among the image's files, and the program wants it for its loader; add it, "
                  "and the program's libraries, or link the program with -static");
    if ((uint64_t)file->data % BM_PAGE_SIZE)
        bm_executable_refuse(path, "is no ELF file");
    read(file->data, file->size, &elf, path);
    if (!elf.movable || elf.interpreter)
        bm_executable_refuse(path, "is no dynamic loader");
    uint64_t length = elf.end - elf.begin, place = reserve(length, path);
    bm_space_unmap(place, length); // nobody else is there yet
    loaded->interpreter_base = place - elf.begin;
    map(file->data, &elf, loaded->interpreter_base, path);
    loaded->begin = loaded->interpreter_base + elf.entry;
}

uint64_t bm_executable_base;

void bm_executable_load(struct bm_executable_loaded *loaded)
{
    struct bm_elf *elf = &loaded->elf;
    read(bm_executable_begin, (uint64_t)(bm_executable_end - bm_executable_begin), elf, program);
    if (bm_space_place(BM_ELF_LOWEST, MAPPINGS + (bm_random_u64() & RANDOM_MASK)))
        bm_executable_refuse(program, "has no interrupt vector left for its memory");
    bm_space_fault_start(); // which mmap of files links
    loaded->base = elf->movable ? MOVABLE + (bm_random_u64() & RANDOM_MASK) - elf->begin : 0;
    bm_executable_base = loaded->base;
    loaded->begin = loaded->base + elf->entry;
    map(bm_executable_begin, elf, loaded->base, program);
    bm_executable_break_start(loaded->base + elf->end + (bm_random_u64() & BREAK_MASK));
    loaded->stack_end = make_stack();
    loaded->vdso = bm_executable_vdso_map();
    if (elf->interpreter)
        load_interpreter(loaded);
}
