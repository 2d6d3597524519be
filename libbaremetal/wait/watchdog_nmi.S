// The watchdog's way into a core that takes no interrupts, and back out.
// SPDX-License-Identifier: MIT

#include "../cpu/registers.h"

        .text
        .global bm_watchdog_nmi_entry
        .hidden bm_watchdog_nmi_entry
        .type bm_watchdog_nmi_entry, @function
bm_watchdog_nmi_entry:                  // on the stack of NMIs, which is aligned once the registers are saved
        push_call_registers
        movq    72(%rsp), %rdi          // %rip
        movq    %rbp, %rsi
        cld
        call    bm_watchdog_nmi
        testb   %al, %al
        pop_call_registers
        jz      1f
        iretq
1:      jmp     bm_nmi_other            // not the watchdog's: nmi.S, or a fault

        .section .note.GNU-stack, "", @progbits
