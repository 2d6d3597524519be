// A boot sector that turns the BIOS into another one, by the bits of its byte `habits`, and goes on with the boot record that
// disk_bios.py has moved to sector 39. 1: address line 20 is masked. 2: INT 15h 2401h, which would open it, is refused. 4: INT 15h E820h
// answers with 24-byte entries (ACPI 3.0), one of which says that it does not count. 8: INT 15h E820h is refused.
// SPDX-License-Identifier: MIT
#define BASE 0x5000
        .code16
        .section .text
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movw    %sp, %si
        movw    $BASE, %di
        movw    $256, %cx
        cld
        rep movsw
        ljmp    $0, $BASE + 1f
1:      testb   $14, BASE + habits
        jz      2f
        cli
        movl    0x15 * 4, %eax
        movl    %eax, BASE + old
        movl    $BASE + handler, 0x15 * 4
        sti
2:      movb    $0x42, %ah
        movw    $BASE + packet, %si
        int     $0x13
        jc      4f
        testb   $1, BASE + habits
        jz      3f
        inb     $0x92, %al
        andb    $0xfc, %al
        outb    %al, $0x92
3:      ljmp    $0, $0x7c00
4:      hlt
        jmp     4b

handler:
        cmpw    $0x2401, %ax
        je      open_a20
        cmpl    $0xe820, %eax
        je      tell_memory
pass_on:
        ljmp    *%cs:BASE + old
open_a20:
        testb   $2, %cs:BASE + habits
        jz      pass_on
refuse: pushw   %bp
        movw    %sp, %bp
        orb     $1, 6(%bp)
        popw    %bp
        movb    $0x86, %ah
        iret
tell_memory:
        testb   $8, %cs:BASE + habits
        jnz     refuse
        testb   $4, %cs:BASE + habits
        jz      pass_on
        pushw   %si
        pushw   %di
        imulw   $24, %bx, %si
        addw    $BASE + table, %si
        movw    $12, %cx
        rep movsw                       // %ds and %es are 0 in the stage's calls
        popw    %di
        popw    %si
        incl    %ebx
        cmpb    $(table_end - table) / 24, %bl
        jb      5f
        xorl    %ebx, %ebx
5:      movl    $24, %ecx
        movl    $0x534d4150, %eax
        pushw   %bp
        movw    %sp, %bp
        andb    $0xfe, 6(%bp)
        popw    %bp
        iret

        .balign 4
packet: .byte   16, 0
        .short  1, 0x7c00, 0
        .quad   39
old:    .long   0
table:  .quad   0, 0x9f000
        .long   1, 1
        .quad   0x100000, 0x3e00000     // 62 MiB
        .long   1, 1
        .quad   0x100000, 0x3e00000     // none of it: this entry does not count
        .long   2, 0
table_end:
        .org    508
habits: .byte   0
