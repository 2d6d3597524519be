// Entry of exceptions that somebody may take (fault_take.c): what interrupt.S does, and a way back.
// SPDX-License-Identifier: MIT

#include "registers.h"

        .text
        // One of vector `number`: pushes what the processor did not, so that all have the same frame (struct bm_fault_frame).
        .macro entry number, error=0
        .balign 16
        .if \error == 0
        pushq   $0
        .endif
        pushq   $\number
        jmp     taken
        .endm

        .global bm_fault_entries        // of 16 bytes each, in the order of `vectors` in fault_take.c
        .hidden bm_fault_entries
        .balign 16
bm_fault_entries:
        entry   0
        entry   1
        entry   3
        entry   4
        entry   5
        entry   6
        entry   11, 1
        entry   12, 1
        entry   13, 1
        entry   14, 1
        entry   16
        entry   17, 1
        entry   19

taken:
        push_registers
        cld
        movq    %rsp, %rdi
        movq    %rsp, %rbx
        andq    $-16, %rsp
        call    bm_fault_take           // reports what nobody takes, and does not return then
        movq    %rbx, %rsp
        pop_registers
        addq    $16, %rsp               // vector, error code
        iretq

        .section .note.GNU-stack, "", @progbits
