// BareMetal's calls as its programs in assembly make them: arguments and results in registers of its own, all others kept.
// SPDX-License-Identifier: MIT

// Places of the caller's registers below %rbp.
#define RAX -8(%rbp)
#define RCX -16(%rbp)
#define RDI -40(%rbp)

        .macro begin
        pushq   %rbp
        movq    %rsp, %rbp
        .irp    register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
        pushq   %\register
        .endr
        subq    $512, %rsp
        andq    $-64, %rsp
        fxsave64 (%rsp)
        cld
        .endm

        .macro end
        fxrstor64 (%rsp)
        leaq    -72(%rbp), %rsp
        .irp    register, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
        popq    %\register
        .endr
        popq    %rbp
        ret
        .endm

        .text
input:  begin                           // %al
        call    b_input
        movb    %al, RAX
        end

output: begin                           // %rsi, %rcx
        movq    %rsi, %rdi
        movq    %rcx, %rsi
        call    b_output
        end

send:   begin                           // %rsi, %rcx, %rdx
        movq    %rsi, %rdi
        movq    %rcx, %rsi
        call    b_net_tx
        end

receive:
        begin                           // %rdx; %rdi, %rcx
        leaq    RDI, %rdi
        movq    %rdx, %rsi
        call    b_net_rx
        movq    %rax, RCX
        end

read:   begin                           // %rdi, %rax, %rcx, %rdx; %rcx
        movq    %rax, %rsi
        xchgq   %rcx, %rdx
        call    b_nvs_read
        movq    %rax, RCX
        end

write:  begin                           // %rsi, %rax, %rcx, %rdx; %rcx
        movq    %rsi, %rdi
        movq    %rax, %rsi
        xchgq   %rcx, %rdx
        call    b_nvs_write
        movq    %rax, RCX
        end

system: begin                           // %rcx, %rax, %rdx; %rax
        movq    %rcx, %rdi
        movq    %rax, %rsi
        call    b_system
        movq    %rax, RAX
        end

        .section .data.rel.ro, "aw", @progbits
        .global bm_exokernel_calls
        .hidden bm_exokernel_calls
        .balign 8
bm_exokernel_calls:                     // from 0x100010 on; the last one is where older programs look for b_system
        .quad   input, output, send, receive, read, write, system, system, 0

        .section .note.GNU-stack, "", @progbits
