// The way of a non-maskable interrupt from outside into bm_nmi_take, and back out.
// SPDX-License-Identifier: MIT

#include "../cpu/registers.h"

        .text
        .global bm_nmi_entry, bm_nmi_other // the latter in the place of interrupt.S's, which is a fault
        .hidden bm_nmi_entry, bm_nmi_other
        .type bm_nmi_entry, @function
bm_nmi_entry:
bm_nmi_other:                           // on the stack of NMIs, which is aligned once the registers are saved
        push_call_registers
        movq    72(%rsp), %rdi          // %rip
        movq    %rbp, %rsi
        cld
        call    bm_nmi_take
        pop_call_registers
        iretq

        .section .note.GNU-stack, "", @progbits
