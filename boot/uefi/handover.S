// The last instructions of the loader: from the firmware's long mode to the state that Multiboot2 promises.
// SPDX-License-Identifier: MIT
//
// Copied to a page below 4 GiB that may be executed, and called there after boot services have ended:
// void bm_handover(const struct bm_handover *where). Leaving long mode: Intel SDM volume 3, section 10.8.5.4; with paging off, no
// page table and no protection of the firmware is left.

#define MULTIBOOT2_LOADED 0x36d76289
#define CR4_DROP          0x820080      // CET, PCIDE, PGE: must be off before CR0.WP or paging can be
#define CR0_DROP          0x8001000c    // PG, WP, TS, EM

        .section .text.bm_handover, "ax"
        .global bm_handover_begin, bm_handover_end
        .hidden bm_handover_begin, bm_handover_end
        .balign 16
bm_handover_begin:
        cli
        cld
        movq    %rdi, %rbp
        leaq    gdt(%rip), %rax
        subq    $16, %rsp
        movw    $gdt_end - gdt - 1, 6(%rsp)
        movq    %rax, 8(%rsp)
        lgdt    6(%rsp)
        movq    %cr4, %rax
        andq    $~CR4_DROP, %rax
        movq    %rax, %cr4
        leaq    compatible(%rip), %rax
        pushq   $8
        pushq   %rax
        lretq

        .code32
compatible:
        movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %eax, %ss
        movl    %cr0, %eax
        andl    $~CR0_DROP, %eax
        movl    %eax, %cr0              // the identity map is left: this page is mapped at its physical address
        movl    $0xc0000080, %ecx       // EFER: LME off
        rdmsr
        andl    $~0x100, %eax
        wrmsr
        xorl    %eax, %eax
        movl    %eax, %cr4

        movl    0(%ebp), %edx           // entry
        movl    4(%ebp), %ebx           // information
        movl    $MULTIBOOT2_LOADED, %eax
        jmp     *%edx

        .code64
        .balign 8
gdt: // "accessed" is set already: the page may be write-protected
        .quad 0
        .quad 0x00cf9b000000ffff        // 32-bit code
        .quad 0x00cf93000000ffff        // data
gdt_end:
bm_handover_end:

        .section .note.GNU-stack, "", @progbits
