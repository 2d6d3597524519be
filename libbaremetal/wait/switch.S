// From one fiber's stack to another's: what a function has to keep (System V ABI, section 3.2.1), and the rounding modes.
// SPDX-License-Identifier: MIT

        .text
        .global bm_fiber_switch
        .hidden bm_fiber_switch
        .type bm_fiber_switch, @function
bm_fiber_switch:                        // %rdi: from, %rsi: to; each begins with its stack pointer
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $8, %rsp
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        movq    %rdi, %rax
        ret

        .global bm_fiber_entry
        .hidden bm_fiber_entry
        .type bm_fiber_entry, @function
bm_fiber_entry:                         // a new fiber: %rax as bm_fiber_switch returns it, %r12 its function, %r13 its argument
        movq    %rax, %rdi
        movq    %r12, %rsi
        movq    %r13, %rdx
        call    bm_fiber_begin
        ud2

        .section .note.GNU-stack, "", @progbits
