// What an emulated CPU runs faster by; linked with programs on musl that have a heap.
// SPDX-License-Identifier: MIT
// @optimize size
#include "emulator.h"

#include "../memory/frame.h"

#include <baremetal/cpu.h>
#include <baremetal/memory.h>

// QEMU's emulator keeps translations in a table of 256 entries, which it doubles or halves when they are all
// dropped, by how many were used (accel/tcg/cputlb.c, tlb_mmu_resize_locked). Here nobody drops them: there
// is one address space. So a program that touches more than 1 MiB would have its page tables walked again and
// again. Pages of unused frames are read, more each time, and all dropped.
// Other cores get nothing of it: they drop all when mappings change, and their tables would shrink again.
enum { ENTRIES_MIN = 64, ORDER = 11 }; // 2^12 entries in the end: 16 MiB

static bool is_emulated(void)
{
    const struct bm_cpu_features *cpu = bm_cpu_features_get();
    return cpu->hypervisor && !__builtin_memcmp(cpu->hypervisor_name, "TCGT", 4); // "TCGTCGTCGTCG"
}

static void drop(void)
{
    uint64_t root;
    __asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r"(root)::"memory");
}

void bm_emulator_prepare(void)
{
    if (!is_emulated() || bm_frame_free_bytes() < 4 * (BM_PAGE_SIZE << ORDER))
        return;
    char *block = bm_frame_allocate(ORDER);
    if (!block)
        return;
    for (unsigned entries = ENTRIES_MIN; entries <= 1u << ORDER; entries *= 2) {
        for (unsigned i = 0; i < entries; i++)
            (void)*(volatile char *)(block + i * BM_PAGE_SIZE);
        drop();
    }
    bm_frame_free(block, ORDER);
}
