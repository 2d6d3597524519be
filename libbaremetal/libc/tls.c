// Thread-local storage, variant II of the x86-64 psABI (Drepper, "ELF Handling For TLS", section 3.4.6).
// SPDX-License-Identifier: MIT
// @optimize size
//
// The block with the variables ends at the thread pointer (%fs); the control block begins there.
#include "../base/early.h"
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

extern const char bm_tls_begin[], bm_tls_data_end[]; // boot/image.ld: the initial values

// A thread-local variable whose distance from the block's beginning and from the thread pointer tells how
// long the block is, rounded up to its alignment, as the linker reckons it.
extern _Thread_local char bm_tls_anchor;
_Thread_local char bm_tls_anchor = 1;

// In a section of data: in code the linker would turn the first of the two into the second.
__asm__(".pushsection .rodata.bm_tls_anchor_offset, \"a\"\n"
        "bm_tls_anchor_offset: .long bm_tls_anchor@dtpoff\n"
        ".popsection");
extern const int32_t bm_tls_anchor_offset;

__attribute__((no_stack_protector)) static size_t block_size(void)
{
    intptr_t from_pointer;
    __asm__("movq $bm_tls_anchor@tpoff, %0" : "=r"(from_pointer));
    return (size_t)(bm_tls_anchor_offset - from_pointer);
}

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

void *bm_tls_make(void **end, size_t size)
{
    size_t block = block_size();
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
    size_t size = block_size();
    // The thread pointer stands on a page, which satisfies any alignment that a variable may have.
    size_t space = (size + BM_PAGE_SIZE - 1) & ~(BM_PAGE_SIZE - 1);
    char *area = bm_frame_allocate(bm_frame_order(space + sizeof(struct control_block)));
    if (!area)
        bm_panic("not enough memory for thread-local storage; give the machine more memory");
    struct control_block *block = (struct control_block *)(void *)(area + space);
    fill(block, size);
    bm_msr_write((uint32_t)MSR_FS_BASE, (uint64_t)(uintptr_t)block);
}
