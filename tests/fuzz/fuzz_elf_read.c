// Fuzzer of executables: whatever the file says, segments lie in it, on pages of their own, among the
// addresses of programs, and none is writable and executable.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/executable/elf_read.c
// @includes libbaremetal/executable
// @max_len 16384
#include "elf_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool what)
{
    if (!what)
        abort();
}

static void check(const struct bm_elf *elf, uint64_t size)
{
    uint64_t end = 0;
    want(elf->count >= 1 && elf->count <= BM_ELF_SEGMENTS_MAX);
    for (unsigned i = 0; i < elf->count; i++) {
        const struct bm_elf_segment *segment = &elf->segments[i];
        uint64_t begin = segment->address & ~4095ull;
        want(segment->file_size <= segment->memory_size && segment->memory_size);
        want(segment->offset <= size && segment->file_size <= size - segment->offset);
        want(segment->address < BM_ELF_HIGHEST && segment->memory_size <= BM_ELF_HIGHEST - segment->address);
        want(!((segment->address ^ segment->offset) & 4095));
        want(!i || begin >= end);
        want(!(segment->write && segment->execute));
        end = (segment->address + segment->memory_size + 4095) & ~4095ull;
        want(begin >= elf->begin && end <= elf->end);
    }
    want(elf->movable || elf->begin >= BM_ELF_LOWEST);
    want(elf->headers_offset + elf->header_count * 56ull <= size);
    want(!elf->interpreter || strlen(elf->interpreter) < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bm_elf elf;
    char *file = aligned_alloc(4096, (size + 4095) & ~4095ul ? (size + 4095) & ~4095ul : 4096);
    char *end = file + ((size + 4095) & ~4095ul) - size; // so that its end is that of the memory
    memmove(end - (uintptr_t)end % 8, data, size);
    if (!bm_elf_read(end - (uintptr_t)end % 8, size, &elf))
        check(&elf, size);
    free(file);
    return 0;
}
