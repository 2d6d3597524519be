// The watchdog's way into a core that takes no interrupts, and back out.
// SPDX-License-Identifier: MIT

        .text
        .global bm_watchdog_nmi_entry
        .hidden bm_watchdog_nmi_entry
        .type bm_watchdog_nmi_entry, @function
bm_watchdog_nmi_entry:                  // on the stack of NMIs, which is aligned once the registers are saved
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        movq    72(%rsp), %rdi          // %rip
        movq    %rbp, %rsi
        cld
        call    bm_watchdog_nmi
        testb   %al, %al
        popq    %r11                    // POP changes no flags
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rax
        jz      1f
        iretq
1:      jmp     bm_interrupt_stubs + 2 * 4 // not the watchdog's: a fault

        .section .note.GNU-stack, "", @progbits
