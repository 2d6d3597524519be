// Entry of every interrupt and exception. Each runs on a stack of the interrupt stack table.
// SPDX-License-Identifier: MIT

#include "registers.h"

#define VECTOR_COUNT 128 // BM_VECTOR_COUNT of apic.h, compared there

        .text
        .global bm_interrupt_stubs
        .hidden bm_interrupt_stubs
        .balign 8
// One stub of 4 bytes a vector: pushes the vector's number and jumps to the end of its group of 16, which jumps on. Exceptions that push an
// error code (Intel SDM volume 3, table 6-1) and those that do not get the same frame: `fault` looks at the vector.
bm_interrupt_stubs:
        .set vector, 0
        .rept VECTOR_COUNT / 16
        .rept 16
        pushq   $vector
        jmp     1f
        .set vector, vector + 1
        .endr
1:
        .if vector <= 32
        jmp     fault
        .else
        jmp     interrupt
        .endif
        .balign 8
        .endr
        .weak   bm_nmi_other            // an NMI that nobody has asked for: in images with baremetal::nmi it is wait/nmi.S's
        .hidden bm_nmi_other
        .set    bm_nmi_other, bm_interrupt_stubs + 2 * 4

// An interrupt: saves what C may change, no vector registers (the handlers are compiled without them).
interrupt:
        push_call_registers
        subq    $8, %rsp                // aligned to 16 for C
        movq    80(%rsp), %rdi
        cld
        call    bm_interrupt_dispatch
        addq    $8, %rsp
        pop_call_registers
        addq    $8, %rsp
        iretq

// An exception: builds struct bm_fault_frame and never comes back.
fault:                                  // vectors 8, 10 to 14, 17, 21, 29, 30 have pushed an error code below the number
        pushq   %rax
        movl    8(%rsp), %eax
        btl     %eax, error_codes(%rip)
        popq    %rax
        jc      2f
        pushq   (%rsp)                  // none: the number moves down, zero takes its place
        movq    $0, 8(%rsp)
2:      push_registers
        cld
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    bm_fault_report
        ud2

        .section .rodata
        .balign 4
error_codes:
        .long 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30

        .section .note.GNU-stack, "", @progbits
