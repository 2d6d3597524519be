// Saving the registers that a C function may change, for assembly. 72 bytes; no vector registers.
// SPDX-License-Identifier: MIT
#pragma once
// clang-format off

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
