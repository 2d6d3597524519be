// Where the other cores begin: real mode, below 1 MiB, and from there to long mode and core_run of cores.c.
// SPDX-License-Identifier: MIT
//
// The code is copied to a page below 1 MiB, whose number the start-up interrupt carries (Intel SDM volume 3, section 9.4). All cores run
// it at once: nothing in it is written but the counter that gives each a stack.

#define OFFSET(symbol) (symbol - bm_trampoline_begin)

        .section .rodata.trampoline, "a"
        .global bm_trampoline_begin, bm_trampoline_data, bm_trampoline_end
        .hidden bm_trampoline_begin, bm_trampoline_data, bm_trampoline_end
        .balign 16
bm_trampoline_begin:
        .code16
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   OFFSET(gdt_pointer)
        movl    OFFSET(table), %eax
        movl    %eax, %cr3
        movl    $0x620, %eax            // PAE, OSFXSR, OSXMMEXCPT
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       // EFER, as the first core has it
        movl    OFFSET(efer), %eax
        xorl    %edx, %edx
        wrmsr
        movl    $0x80010033, %eax       // PG, WP, NE, ET, MP, PE: long mode at once (section 10.8.5)
        movl    %eax, %cr0
        ljmpl   *OFFSET(jump)

        .code64
long_mode:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        movl    $1, %edi
        lock xaddl %edi, arrived(%rip)  // how many came before: which stack is free
        cmpl    slots(%rip), %edi
        jae     1f
        leal    1(%rdi), %eax
        shlq    $12, %rax               // a page of stack each
        addq    stacks(%rip), %rax
        movq    %rax, %rsp
        xorl    %ebp, %ebp
        pushq   $0                      // aligned as after a call
        jmp     *entry(%rip)
1:      hlt                             // more cores than were called: not ours
        jmp     1b

        .balign 8
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
// struct bm_trampoline of cores.c
bm_trampoline_data:
entry:  .quad 0                         // core_run
stacks: .quad 0
table:  .long 0
efer:   .long 0
arrived: .long 0
slots:  .long 0
jump:   .long OFFSET(long_mode)         // plus the page's address
        .short 8, 0
gdt_pointer:
        .short 23
        .long OFFSET(gdt)               // plus the page's address
bm_trampoline_end:

        .section .note.GNU-stack, "", @progbits
