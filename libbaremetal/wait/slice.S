// What a thread does whose time slice has ended: it gives the core to others, and goes on as if nothing had been.
// SPDX-License-Identifier: MIT

#include "../cpu/registers.h"

        .text
// slice.c makes an interrupted thread go on here, on its own stack, below the 128 bytes that a function may use beyond its stack pointer
// (psABI section 3.2.2): the interrupted %rip is on top. Every register is the program's.
        .global bm_slice_entry
        .hidden bm_slice_entry
        .type bm_slice_entry, @function
bm_slice_entry:
        pushq   %rbp
        movq    %rsp, %rbp
        pushfq
        push_call_registers             // the others are kept by what is called
        cld
        movl    bm_slice_state_size(%rip), %ecx
        subq    %rcx, %rsp
        andq    $-64, %rsp
        cmpb    $0, bm_slice_xsave(%rip)
        je      1f
        xorl    %eax, %eax              // XSAVE's header: XRSTOR refuses what XSAVE does not write
        .set word, 0
        .rept 8
        movq    %rax, 512 + 8 * word(%rsp)
        .set word, word + 1
        .endr
        decl    %eax
        movl    %eax, %edx              // all components that are enabled
        xsave64 (%rsp)
        fninit                          // whoever runs next expects an empty stack of x87 registers
        call    bm_fiber_slice_end
        movl    $-1, %eax
        movl    %eax, %edx
        xrstor64 (%rsp)
        jmp     2f
1:      fxsave64 (%rsp)
        fninit
        call    bm_fiber_slice_end
        fxrstor64 (%rsp)
2:      leaq    -80(%rbp), %rsp         // flags and nine registers
        pop_call_registers
        popfq
        popq    %rbp
        ret     $128

        .section .note.GNU-stack, "", @progbits
