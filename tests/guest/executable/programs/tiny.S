// A program without any C library, linked at a fixed address: writes its arguments, and ends with their number.
// SPDX-License-Identifier: MIT
        .globl _start
        .text
_start: testq   $15, %rsp
        jnz     wrong
        testq   %rdx, %rdx              // no function to be called at the end
        jnz     wrong
        leaq    8(%rsp), %rbx
next:   movq    (%rbx), %rsi
        testq   %rsi, %rsi
        jz      end
        movq    %rsi, %rdi
        xorl    %eax, %eax
        movq    $-1, %rcx
        repne   scasb
        movb    $10, -1(%rdi)           // the stack's strings can be written
        movq    %rdi, %rdx
        subq    %rsi, %rdx
        movl    $1, %edi
        movl    $1, %eax
        syscall
        addq    $8, %rbx
        jmp     next
end:    movl    (%rsp), %edi
        movl    $231, %eax
        syscall
wrong:  movl    $100, %edi
        movl    $60, %eax
        syscall
        .section .note.GNU-stack, "", @progbits
