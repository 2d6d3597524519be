// A loader that enters an image as Linux's 64-bit boot protocol has it, in the state that Firecracker makes.
// SPDX-License-Identifier: MIT
//
// QEMU starts this by PVH and has put the image where it is linked (-device loader). From the start information it makes boot
// parameters, then page tables of the first GiB alone, and jumps to ENTRY in long mode: what Firecracker's setup_regs and
// setup_page_tables do (addresses as there). linux_boot.py assembles it with ENTRY set.

#define ZERO_PAGE    0x7000
#define PML4         0x9000
#define COMMAND_LINE 0x20000

        .code32
        .section .text
        .global start
start:
        cld
        leal    start, %esp             // nothing below is needed
        movl    $ZERO_PAGE, %edi
        movl    $0x1000, %ecx
        xorl    %eax, %eax
        rep     stosb
        movl    $0x53726448, ZERO_PAGE + 0x202
        movw    $0xaa55, ZERO_PAGE + 0x1fe
        movb    $0xff, ZERO_PAGE + 0x210
        movl    $COMMAND_LINE, ZERO_PAGE + 0x228
        movl    32(%ebx), %eax          // start_info.rsdp
        movl    %eax, ZERO_PAGE + 0x70

        movl    24(%ebx), %esi          // the command line
        movl    $COMMAND_LINE, %edi
1:      lodsb
        stosb
        testb   %al, %al
        jnz     1b

        movl    40(%ebx), %esi          // memory map: 24 bytes an entry there, 20 here
        movl    48(%ebx), %ecx
        movb    %cl, ZERO_PAGE + 0x1e8
        movl    $ZERO_PAGE + 0x2d0, %edi
2:      movl    $5, %edx
3:      movsl
        decl    %edx
        jnz     3b
        addl    $4, %esi
        loop    2b

        movl    $PML4, %edi
        movl    $0x3000, %ecx
        xorl    %eax, %eax
        rep     stosb
        movl    $PML4 + 0x1003, PML4
        movl    $PML4 + 0x2003, PML4 + 0x1000
        movl    $PML4 + 0x2000, %edi
        movl    $0x83, %eax
4:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x200000, %eax
        cmpl    $0x40000083, %eax
        jne     4b

        movl    $PML4, %eax
        movl    %eax, %cr3
        movl    $0x20, %eax             // PAE
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       // EFER.LME
        rdmsr
        btsl    $8, %eax
        wrmsr
        movl    $0x80000011, %eax       // PG, ET, PE
        movl    %eax, %cr0
        lgdt    pointer
        ljmpl   $8, $5f
        .code64
5:      movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %eax, %ss
        movl    $0x8ff0, %esp
        movl    $0x8ff0, %ebp
        movl    $ZERO_PAGE, %esi
        xorl    %ebx, %ebx
        pushq   $2
        popfq
        movl    $ENTRY, %eax
        jmp     *%rax

        .balign 8
gdt:    .quad 0
        .quad 0x00af9b000000ffff        // 64-bit code
        .quad 0x00cf93000000ffff        // data
pointer:
        .short 23
        .long gdt

        .section .note.Xen, "a", @note
        .balign 4
        .long 4, 4, 18                  // XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long start
        .section .note.GNU-stack, "", @progbits
