// How long the block of thread-local variables is, as the linker reckons it.
// SPDX-License-Identifier: MIT
//
// For the one file of a program that makes thread-local storage.
#pragma once

#include <stddef.h>
#include <stdint.h>

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

__attribute__((no_stack_protector)) static inline size_t bm_tls_block_size(void)
{
    intptr_t from_pointer;
    __asm__("movq $bm_tls_anchor@tpoff, %0" : "=r"(from_pointer));
    return (size_t)(bm_tls_anchor_offset - from_pointer);
}
