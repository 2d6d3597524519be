// Thread-local storage, variant II of the x86-64 psABI (Drepper, "ELF Handling For TLS", section 3.4.6).
// SPDX-License-Identifier: MIT
// @optimize size
//
// The block with the variables ends at the thread pointer (%fs); the control block begins there.
#include "../base/early.h"
#include "../base/tls_block.h"
#include "libc.h"

#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <string.h>

enum { MSR_FS_BASE = (int)0xc0000100, STACK_MIN = 1024 };

struct control_block {
    struct control_block *self; // %fs:0
    uint64_t unused[4];
    uint64_t canary; // %fs:0x28, where compiled code looks for it
};

// A thread's canary comes from the random pool in images that link it.
uint64_t bm_random_u64(void) __attribute__((weak));

// Fills in the block that ends at `block`, and the control block.
__attribute__((no_stack_protector)) static void fill(struct control_block *block, size_t size)
{
    char *variables = (char *)block - size;
    size_t data = (size_t)(bm_tls_data_end - bm_tls_begin);
    memset(variables + data, 0, size - data);
    memcpy(variables, bm_tls_begin, data);
    uint64_t canary = bm_random_u64 ? bm_random_u64() : bm_boot_early_state.seed;
    *block = (struct control_block){.self = block,
                                    .canary = canary & ~0xffull}; // a zero byte stops string functions
}

void *bm_tls_make(void **end, size_t size, unsigned number)
{
    (void)number;
    size_t block = bm_tls_block_size();
    // The block is as long as its alignment is large, or a multiple of that.
    size_t alignment = block & -block;
    alignment = alignment < 16 ? 16 : alignment > BM_PAGE_SIZE ? BM_PAGE_SIZE : alignment;
    if (size < block + sizeof(struct control_block) + alignment + STACK_MIN)
        return NULL;
    uintptr_t at = ((uintptr_t)*end - sizeof(struct control_block)) & ~(alignment - 1);
    fill((struct control_block *)at, block);
    *end = (void *)((at - block) & ~15ul);
    return (void *)at;
}

__attribute__((no_stack_protector)) void bm_tls_start(void)
{
    size_t size = bm_tls_block_size();
    // The thread pointer stands on a page, which satisfies any alignment that a variable may have.
    size_t space = (size + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    char *area = bm_frame_allocate(bm_frame_order(space + sizeof(struct control_block)));
    if (!area)
        bm_panic("not enough memory for thread-local storage; give the machine more memory");
    struct control_block *block = (struct control_block *)(void *)(area + space);
    fill(block, size);
    bm_msr_write((uint32_t)MSR_FS_BASE, (uint64_t)(uintptr_t)block);
}
