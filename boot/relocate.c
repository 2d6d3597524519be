// Relocation of the image to its random base.
// SPDX-License-Identifier: MIT
//
// RELR: System V ABI, generic, "Relocation" (SHT_RELR); RELA: x86-64 psABI section 4.4, of which a static PIE
// has only R_X86_64_RELATIVE. The link checks that there is no other kind.
#include "relocate.h"

struct rela {
    uint64_t offset, info;
    int64_t addend;
};

extern const uint64_t bm_relr_begin[], bm_relr_end[];
extern const struct rela bm_rela_begin[], bm_rela_end[];

enum { R_X86_64_RELATIVE = 8 };

// An even word is the address of a word to change; an odd one is a bitmap of the 63 words that follow.
static void relocate_relr(uint64_t delta)
{
    uint64_t *where = 0;
    for (const uint64_t *entry = bm_relr_begin; entry < bm_relr_end; entry++) {
        if (!(*entry & 1)) {
            where = (uint64_t *)*entry;
            *where++ += delta;
            continue;
        }
        for (unsigned i = 0; i < 63; i++)
            if (*entry >> (i + 1) & 1)
                where[i] += delta;
        where += 63;
    }
}

void bm_boot_relocate(uint64_t delta)
{
    relocate_relr(delta);
    for (const struct rela *rela = bm_rela_begin; rela < bm_rela_end; rela++)
        if ((uint32_t)rela->info == R_X86_64_RELATIVE)
            *(uint64_t *)rela->offset = (uint64_t)rela->addend + delta;
}
