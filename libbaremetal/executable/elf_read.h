// Reading an ELF executable that is not trusted: which parts of it go where. No other state than the
// caller's, so that host tests can run it.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BM_ELF_SEGMENTS_MAX = 32 };

// Addresses of executables: above what a null pointer with an offset reaches, below what a kernel has.
#define BM_ELF_LOWEST  0x10000ull
#define BM_ELF_HIGHEST (1ull << 39)

// A part of the file that is mapped (a program header of type PT_LOAD). Addresses are those of the file.
struct bm_elf_segment {
    uint64_t address, offset, file_size, memory_size;
    bool write, execute;
};

struct bm_elf {
    bool movable;            // may stand anywhere: a position-independent executable
    uint64_t begin, end;     // of all segments, whole pages
    uint64_t entry;          // where it begins
    uint64_t headers;        // address of the program headers; 0: no segment has them
    uint64_t headers_offset; // in the file
    unsigned header_count;   // of all kinds
    const char *interpreter; // the dynamic loader that it wants; NULL: none
    unsigned count;          // of segments
    struct bm_elf_segment segments[BM_ELF_SEGMENTS_MAX]; // by address
};

// Reads file[size], whose first byte is aligned as a page is. Returns NULL, or what is wrong with it, as a
// part of a sentence.
const char *bm_elf_read(const char *file, uint64_t size, struct bm_elf *elf);
