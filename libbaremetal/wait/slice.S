// What a thread does whose time slice has ended: it gives the core to others, and goes on as if nothing had been.
// SPDX-License-Identifier: MIT

#include "../cpu/registers.h"

        .text
// slice.c makes an interrupted thread go on here, on its own stack, below the 128 bytes that a function may use beyond its stack pointer
// (psABI section 3.2.2), or on its kernel stack if it has one: what the processor pushed for the interrupt is on top. Every other register
// is the program's.
        .global bm_slice_entry
        .hidden bm_slice_entry
        .type bm_slice_entry, @function
bm_slice_entry:
        pushq   %rbp
        movq    %rsp, %rbp
        push_call_registers             // the others are kept by what is called
        cld
        push_vectors
        fninit                          // whoever runs next expects an empty stack of x87 registers
        call    bm_fiber_slice_end
        pop_vectors
        leaq    -72(%rbp), %rsp         // nine registers
        pop_call_registers
        popq    %rbp
        iretq

        .section .note.GNU-stack, "", @progbits
