// At fixed addresses for BareMetal's programs: memory that belongs to nobody, and the table of calls.
// SPDX-License-Identifier: MIT
//
// Linked by baremetal::exokernel_window. A page of the window gets its memory, all zeros, when it is touched.
#include "exokernel.h"

#include "../base/start.h"
#include "../cpu/fault_take.h"
#include "../memory/paging.h"
#include "../space/space.h"

#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/memory.h>

#define WINDOW 0xffff800000000000ull
enum { WINDOW_SIZE = 512 << 20, CALLS = 0x100000, FIRST_CALL = 0x10, PAGE_FAULT = 14, PRESENT = 1 };

extern const void *const bm_exokernel_calls[]; // calls.S: up to NULL

static struct bm_spinlock lock = BM_SPINLOCK_INIT;

// The program alone touches the window, while no lock of the kernel's is held.
static bool take(struct bm_fault_frame *frame)
{
    uint64_t address, size;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    if (frame->vector != PAGE_FAULT || frame->error & PRESENT || address - WINDOW >= WINDOW_SIZE)
        return false;
    uint64_t page = address & ~(BM_PAGE_SIZE - 1);
    bm_spinlock_acquire(&lock);
    bool there = bm_paging_lookup(page, &size); // by another core meanwhile
    void *memory = there ? NULL : bm_frame_allocate(0);
    if (memory) {
        __builtin_memset(memory, 0, BM_PAGE_SIZE);
        there = bm_paging_map(page, bm_memory_physical(memory), BM_PAGE_SIZE,
                              BM_PTE_PRESENT | BM_PTE_WRITE | (BM_PTE_NO_EXECUTE & bm_paging_supported));
    }
    bm_spinlock_release(&lock);
    return there;
}

static void calls_write(const void **table)
{
    for (unsigned i = 0; bm_exokernel_calls[i]; i++)
        table[FIRST_CALL / sizeof *table + i] = bm_exokernel_calls[i];
}

void bm_exokernel_window_start(void);

// Behind the page of facts, before main.
__attribute__((constructor)) void bm_exokernel_window_start(void)
{
    static struct bm_fault_taker taker = {.take = take};
    // Once in 2^15 boots the direct map begins there.
    if (bm_paging_layout.direct - WINDOW >= WINDOW_SIZE)
        bm_fault_taker_add(&taker);
    else
        bm_log_warn("exokernel", "there is no memory at 0x%llx in this boot: start the machine again",
                    WINDOW);
    bm_exokernel_page_make(); // which places the space
    if (bm_space_map(CALLS, BM_PAGE_SIZE, BM_SPACE_READ | BM_SPACE_WRITE, true) != CALLS) {
        bm_log_warn("exokernel", "the calls at 0x100010 cannot be had");
        return;
    }
    calls_write((const void **)CALLS);
    bm_space_protect(CALLS, BM_PAGE_SIZE, BM_SPACE_READ);
}
