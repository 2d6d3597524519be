// Saving registers, for assembly.
// SPDX-License-Identifier: MIT
#pragma once
// clang-format off

// Those that a C function may change, but no vector registers. 72 bytes.
        .macro push_call_registers
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        .endm

        .macro pop_call_registers       // POP changes no flags
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rax
        .endm

// All general ones, as struct bm_fault_frame begins. 120 bytes.
        .macro push_registers
        .irp    register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        pushq   %\register
        .endr
        .endm

        .macro pop_registers
        .irp    register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
        popq    %\register
        .endr
        .endm

// x87 and vector registers, onto the stack, below a frame of %rbp; %rax, %rcx and %rdx are changed. How much that is says wait/slice.h.
        .macro push_vectors
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
        jmp     2f
1:      fxsave64 (%rsp)
2:
        .endm

        .macro pop_vectors              // of the same %rsp, which the caller sets behind it; %rax and %rdx are changed
        cmpb    $0, bm_slice_xsave(%rip)
        je      1f
        movl    $-1, %eax
        movl    %eax, %edx
        xrstor64 (%rsp)
        jmp     2f
1:      fxrstor64 (%rsp)
2:
        .endm
