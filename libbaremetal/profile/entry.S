// The way into a core that is to be sampled, and back out.
// SPDX-License-Identifier: MIT

#include "../cpu/registers.h"

        .text
        .global bm_profile_entry
        .hidden bm_profile_entry
        .type bm_profile_entry, @function
bm_profile_entry:                       // on the stack of interrupts, which is aligned once the registers are saved
        push_call_registers
        leaq    72(%rsp), %rdi          // what the processor pushed
        movq    %rbp, %rsi
        cld
        call    bm_profile_sample
        pop_call_registers
        iretq

        .section .note.GNU-stack, "", @progbits
