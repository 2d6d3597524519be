// SYSCALL in ring 0, and the ways out of the kernel into a Linux program.
// SPDX-License-Identifier: MIT
//
// The instruction puts %rip into %rcx and the flags into %r11, clears the flags of FMASK and comes here (AMD64 manual volume 3, SYSCALL).
// The program's stack is never used: its red zone is live, and a goroutine's has a few hundred bytes left. There is no SYSRET, which would
// go to ring 3. Linux changes no register but %rax, %rcx and %r11.

#include "../cpu/registers.h"

#define CORE_FIBER   56 // of struct bm_core and struct bm_fiber, compared in call.c
#define CORE_STACK   96
#define KERNEL_STACK 16
#define NUMBERS      512 // BM_EXECUTABLE_NUMBERS
#define QUICK        1   // BM_EXECUTABLE_QUICK

        .macro leave_call               // %rsp at the saved %rip
        popq    %rcx
        movq    (%rsp), %r11
        popfq
        popq    %rsp
        jmp     *%rcx
        .endm

        .text
        .global bm_executable_entry
        .hidden bm_executable_entry
        .type bm_executable_entry, @function
bm_executable_entry:
        movq    %rsp, %gs:CORE_STACK    // no other thread comes in between: the kernel's text is never torn apart
        movq    %gs:CORE_FIBER, %rsp
        movq    KERNEL_STACK(%rsp), %rsp
        pushq   %gs:CORE_STACK
        pushq   %r11
        pushq   %rcx
        pushq   %rax
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %r10
        pushq   %r8
        pushq   %r9
        cmpq    $NUMBERS, %rax
        jae     1f
        leaq    bm_executable_classes(%rip), %rcx
        testb   $QUICK, (%rcx,%rax)
        jz      1f
        leaq    bm_linux_table(%rip), %r11
        call    *(%r11,%rax,8)
        popq    %r9
        popq    %r8
        popq    %r10
        popq    %rdx
        popq    %rsi
        popq    %rdi
        addq    $8, %rsp
        leave_call

1:      pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        xorl    %ebp, %ebp              // a backtrace ends here
        movq    %rsp, %rdi
        call    bm_executable_call
leave:  popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        popq    %r9
        popq    %r8
        popq    %r10
        popq    %rdx
        popq    %rsi
        popq    %rdi
        addq    $8, %rsp
        leave_call

        .global bm_executable_call_saved
        .hidden bm_executable_call_saved
        .type bm_executable_call_saved, @function
bm_executable_call_saved:                    // %rdi: the frame
        pushq   %rbp
        movq    %rsp, %rbp
        push_vectors
        call    bm_executable_answer
        movq    %rax, %rcx
        pop_vectors
        movq    %rcx, %rax
        leave
        ret

        .global bm_executable_enter
        .hidden bm_executable_enter
        .type bm_executable_enter, @function
bm_executable_enter:                         // %rdi: where it begins, %rsi: its stack pointer; psABI section 3.4.1
        movq    %rsi, %rax
        pushq   $0x1f80                 // MXCSR of a new program
        fninit
        ldmxcsr (%rsp)
        call    set_kernel_stack
        movq    %rax, %rsp
        pushq   %rdi
        .irp    register, eax, ebx, ecx, edx, esi, edi, ebp, r8d, r9d, r10d, r11d, r12d, r13d, r14d, r15d
        xorl    %\register, %\register
        .endr
        ret

        .global bm_executable_enter_frame
        .hidden bm_executable_enter_frame
        .type bm_executable_enter_frame, @function
bm_executable_enter_frame:                   // %rdi: the frame, on this stack
        call    set_kernel_stack
        movq    %rdi, %rsp
        xorl    %eax, %eax
        jmp     leave

        .global bm_executable_leave
        .hidden bm_executable_leave
        .type bm_executable_leave, @function
bm_executable_leave:                    // %rdi: struct bm_fault_frame; interrupts are off until the program goes on
        movq    %rdi, %rsp
        pop_registers
        addq    $16, %rsp               // vector, error code
        iretq

set_kernel_stack:                       // below what stands on the stack now, a multiple of 16
        movq    %rsp, %rcx
        andq    $-16, %rcx
        movq    %gs:CORE_FIBER, %rdx
        movq    %rcx, KERNEL_STACK(%rdx)
        ret

        .section .note.GNU-stack, "", @progbits
