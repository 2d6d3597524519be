// The first instructions: from the loader's 32-bit protected mode (PVH, Multiboot2) or long mode (Linux's protocol) to C.
// SPDX-License-Identifier: MIT
//
// State at entry, by both protocols: 32-bit protected mode, flat segments, paging off, interrupts off, %ebx = physical address of
// the loader's information. PVH: Xen's docs/misc/pvh.pandoc. Multiboot2: specification 2.0, section 3.3.
//
// The ELF header's own entry address is that of Linux's 64-bit boot protocol: long mode, identity map of at least the image and what
// the loader passes, %rsi = physical address of the boot parameters (arch/x86/boot.rst). Loaders of the other two ways do not use it.
//
// A position-independent image has no relocation for a 32-bit address. What is 32-bit stands in one section at the image's beginning,
// whose link address is known: image.ld and LINK_BASE say the same, and image.ld checks it.

#define MULTIBOOT2_MAGIC 0xe85250d6
#define COM1             0x3f8
#define BM_BOOT_MIN    (0x80000 + 0xfffff) // half a MiB behind the image at least, rounded up
#ifndef LINK_BASE                       // boot/uefi assembles this with another one, to see what depends on it
#define LINK_BASE        0x100000
#endif
#define PHYSICAL(symbol) (LINK_BASE + symbol - bm_boot_begin)

        .section .boot, "ax"
        .global bm_boot_begin
        .hidden bm_boot_begin
        .balign 8
bm_boot_begin:
multiboot2_header: // section 3.1.2
        .long MULTIBOOT2_MAGIC, 0, multiboot2_header_end - multiboot2_header
        .long -(MULTIBOOT2_MAGIC + 0 + (multiboot2_header_end - multiboot2_header))
        .short 3, 0 // entry address tag (section 3.1.7)
        .long 12, PHYSICAL(bm_boot_entry_multiboot2)
        .balign 8
        .short 6, 0 // modules are loaded on page boundaries
        .long 8
        .short 0, 0 // end
        .long 8
multiboot2_header_end:

        .code32
        .global bm_boot_entry_pvh
        .hidden bm_boot_entry_pvh
        .type bm_boot_entry_pvh, @function
bm_boot_entry_pvh:
        xorl    %esi, %esi              // BM_BOOT_PVH
        jmp     enter

        .code64
        .global bm_boot_entry_linux
        .hidden bm_boot_entry_linux
        .type bm_boot_entry_linux, @function
bm_boot_entry_linux: // back to 32-bit mode without paging: the loader's tables need not map more than the image
        cli
        movl    %esi, %ebx
        lgdt    gdt_pointer(%rip)
        leaq    bm_boot_stack_top(%rip), %rsp
        pushq   $24
        leaq    1f(%rip), %rax
        pushq   %rax
        lretq
        .code32
1:      movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %cr0, %eax
        btrl    $31, %eax
        movl    %eax, %cr0
        movl    $1, %esi                // BM_BOOT_LINUX
        jmp     enter

        .global bm_boot_entry_multiboot2
        .hidden bm_boot_entry_multiboot2
        .type bm_boot_entry_multiboot2, @function
bm_boot_entry_multiboot2:
        movl    %eax, %esi              // the loader's magic number, checked in C

// %ebx: loader's information, %esi: which loader.
enter:
        cli
        cld

// Does the machine's memory hold all of the image? The map that tells it is read by C, which needs that memory: so by trying, downwards
// from the image's end in %edi; %edx is then the end of what there is. The last bytes of a page, where none of these instructions are.
        movl    $(bm_image_end - 1f), %edi
1:      addl    $PHYSICAL(1b), %edi
        movl    %edi, %edx
2:      movl    -4(%edx), %eax
        notl    -4(%edx)
        movl    -4(%edx), %ecx
        notl    %ecx
        notl    -4(%edx)
        cmpl    %eax, %ecx
        je      3f
        subl    $0x10000, %edx
        jmp     2b
3:      cmpl    %edi, %edx
        jne     no_memory

        movl    $(bm_boot_stack_top - 1f), %esp
1:      addl    $PHYSICAL(1b), %esp
        pushl   $2                      // a known state of the flags
        popfl
        movl    %ebx, %ebp              // cpuid changes %ebx

        movl    $0x80000000, %eax       // long mode? (Intel SDM volume 2, CPUID)
        cpuid
        cmpl    $0x80000001, %eax
        jb      no_long_mode
        movl    $0x80000001, %eax
        cpuid
        btl     $29, %edx
        jnc     no_long_mode

// The identity map of the first 4 GiB by 2 MiB pages: PML4, PDPT, four page directories, in six pages of zeros.
        movl    $(bm_boot_tables - 1f), %edi
1:      addl    $PHYSICAL(1b), %edi
        leal    0x1003(%edi), %eax
        movl    %eax, (%edi)            // PML4[0]: present, writable
        leal    0x1000(%edi), %ecx
        movl    $4, %eax
        leal    0x2003(%edi), %ebx
1:      movl    %ebx, (%ecx)            // PDPT[0…3]
        addl    $8, %ecx
        addl    $0x1000, %ebx
        decl    %eax
        jnz     1b
        leal    0x2000(%edi), %ecx
        movl    $0x83, %eax             // present, writable, 2 MiB
2:      movl    %eax, (%ecx)
        addl    $8, %ecx
        addl    $0x200000, %eax
        jnc     2b

        movl    %edi, %cr3
        movl    $0x620, %eax            // PAE, OSFXSR, OSXMMEXCPT: C code uses SSE registers
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       // EFER
        btl     $20, %edx               // NX, from CPUID above
        rdmsr
        jnc     3f
        btsl    $11, %eax               // NXE
3:      btsl    $8, %eax                // LME
        wrmsr
        movl    $0x80010033, %eax       // PG, WP, NE, ET, MP, PE
        movl    %eax, %cr0
        lgdtl   PHYSICAL(gdt_pointer)
        ljmpl   $8, $PHYSICAL(long_mode)

// Puts what is needed and what is there into the sentence, in MiB.
no_memory:
        orl     $0xffff, %edx           // the end was tried in steps of 64 KiB
        leal    1(%edx), %ebp
        leal    BM_BOOT_MIN(%edi), %eax
        movl    $PHYSICAL(bm_boot_memory_needed), %edi
        movl    $PHYSICAL(2f), %esi
        jmp     5f
2:      movl    %ebp, %eax
        movl    $PHYSICAL(bm_boot_memory_there), %edi
        movl    $PHYSICAL(3f), %esi
5:      shrl    $20, %eax
        movl    $10, %ecx
6:      xorl    %edx, %edx
        divl    %ecx
        addb    $'0', %dl
        decl    %edi
        movb    %dl, (%edi)
        testl   %eax, %eax
        jnz     6b
        jmp     *%esi
3:      movl    $PHYSICAL(bm_boot_memory_text), %esi
        jmp     print

// A sentence on the serial line and on the VGA screen, then the end.
no_long_mode:
        movl    $PHYSICAL(no_long_mode_text), %esi
print:  movl    $0xb8000, %edi
4:      lodsb
        testb   %al, %al
        jz      6f
        movb    %al, (%edi)
        movb    $0x4f, 1(%edi)
        addl    $2, %edi
        movb    %al, %ah
        movl    $0x10000, %ecx          // bounded: there may be no serial port
        movw    $COM1 + 5, %dx
5:      inb     %dx, %al
        testb   $0x20, %al
        loopz   5b
        movw    $COM1, %dx
        movb    %ah, %al
        outb    %al, %dx
        jmp     4b
6:      hlt
        jmp     6b

        .code64
long_mode:
        movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %esi, %edi              // bm_boot_early(loader, information)
        movl    %ebp, %esi
        leaq    bm_boot_stack_top(%rip), %rsp
        xorl    %ebp, %ebp              // backtraces end here
        call    bm_boot_early
        ud2

// void bm_boot_switch(uint64_t cr3, uint64_t entry, uint64_t stack): leaves the identity map. This page is mapped at its physical
// address in the new tables too, until bm_memory_start removes it.
        .global bm_boot_switch
        .hidden bm_boot_switch
        .type bm_boot_switch, @function
bm_boot_switch:
        movq    %rdi, %cr3
        movq    %rdx, %rsp
        xorl    %ebp, %ebp
        pushq   $0                      // a return address of nobody: the stack is aligned as after a call
        jmp     *%rsi

        .balign 8
gdt:
        .quad 0
        .quad 0x00af9b000000ffff        // 64-bit code
        .quad 0x00cf93000000ffff        // data
        .quad 0x00cf9b000000ffff        // 32-bit code, on the way from Linux's entry
gdt_pointer:
        .short 31
        .long PHYSICAL(gdt), 0
no_long_mode_text:
        .asciz "error: boot: this CPU has no 64-bit long mode; use a 64-bit machine (QEMU: qemu-system-x86_64)\r\n"
        .global bm_boot_memory_text, bm_boot_memory_needed, bm_boot_memory_there // early.c says it, too
        .hidden bm_boot_memory_text, bm_boot_memory_needed, bm_boot_memory_there
bm_boot_memory_text:
        .ascii  "error: boot: not enough memory: this image needs at least     0"
bm_boot_memory_needed:
        .ascii  " MiB, the machine has     0"
bm_boot_memory_there:
        .asciz  " MiB; give the machine more\r\n"

        .set    entry_pvh_physical, PHYSICAL(bm_boot_entry_pvh)
        .section .note.Xen, "a", @note
        .balign 4
        .long 4, 4, 18 // XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long entry_pvh_physical

        .section .bss.boot, "aw", @nobits
        .global bm_boot_tables, bm_boot_stack_top
        .hidden bm_boot_tables, bm_boot_stack_top
bm_boot_tables: // on a page: image.ld places this section first
        .skip 6 * 4096
        .skip 8192
bm_boot_stack_top:

        .section .note.GNU-stack, "", @progbits
