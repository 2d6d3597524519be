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

// Reads the word at %rdi into *%rsi, whether or not there is memory: a page of another thread's stack, or of code, may go just now.
// Returns whether it was there. A fault at bm_profile_load goes on at bm_profile_load_failed.
        .global bm_profile_load, bm_profile_load_failed
        .hidden bm_profile_load, bm_profile_load_failed
        .type bm_profile_load, @function
bm_profile_load:
        movq    (%rdi), %rax
        movq    %rax, (%rsi)
        movl    $1, %eax
        ret
bm_profile_load_failed:
        xorl    %eax, %eax
        ret

        .section .note.GNU-stack, "", @progbits
