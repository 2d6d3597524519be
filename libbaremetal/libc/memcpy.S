// memcpy, in place of the C library's: packets are copied by it.
// SPDX-License-Identifier: MIT
//
// General registers only: interrupt handlers may call it, and nobody saves vector registers for them. What does
// not fill the last round is copied first from the end, so that both ends may overlap in the middle.
    .section .text.hot.memcpy, "ax" // BM_HOT of <baremetal/compiler.h>
    .global memcpy
    .type memcpy, @function
    .hidden memcpy
memcpy:
    mov %rdi, %rax
    cmp $16, %rdx
    jb 3f
    mov -16(%rsi,%rdx), %r8
    mov -8(%rsi,%rdx), %r9
    lea -16(%rdi,%rdx), %r10
    cmp $128, %rdx
    jae 2f
1:  mov (%rsi), %rcx
    mov 8(%rsi), %r11
    add $16, %rsi
    mov %rcx, (%rdi)
    mov %r11, 8(%rdi)
    add $16, %rdi
    cmp %r10, %rdi
    jb 1b
    mov %r8, (%r10)
    mov %r9, 8(%r10)
    ret
    // Long enough for the processor's own string copy to pay.
2:  lea -9(%rdx), %rcx
    shr $3, %rcx
    rep movsq
    mov %r8, (%r10)
    mov %r9, 8(%r10)
    ret
3:  cmp $8, %edx
    jb 4f
    mov (%rsi), %rcx
    mov -8(%rsi,%rdx), %r8
    mov %rcx, (%rdi)
    mov %r8, -8(%rdi,%rdx)
    ret
4:  cmp $4, %edx
    jb 5f
    mov (%rsi), %ecx
    mov -4(%rsi,%rdx), %r8d
    mov %ecx, (%rdi)
    mov %r8d, -4(%rdi,%rdx)
    ret
5:  test %edx, %edx
    jz 6f
    mov %rdx, %r9
    shr %r9
    movzbl (%rsi), %ecx
    movzbl (%rsi,%r9), %r10d
    movzbl -1(%rsi,%rdx), %r8d
    mov %cl, (%rdi)
    mov %r10b, (%rdi,%r9)
    mov %r8b, -1(%rdi,%rdx)
6:  ret
    .size memcpy, . - memcpy
    .section .note.GNU-stack, "", @progbits
