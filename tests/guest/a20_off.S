// A boot sector that masks address line 20 as old firmware left it, hides the BIOS' own way to open it, and goes on with the
// boot record that disk_a20.py has moved to sector 39.
// SPDX-License-Identifier: MIT
        .code16
        .section .text
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movw    %sp, %si
        movw    $0x500, %di
        movw    $256, %cx
        cld
        rep movsw
        ljmp    $0, $0x500 + 1f
1:      cmpb    $0, 0x500 + hide
        je      2f
        cli
        movl    0x15 * 4, %eax          // the new INT 15h hands on all but 2401h
        movl    %eax, 0x500 + old
        movl    $0x500 + refuse, 0x15 * 4
        sti
2:      movb    $0x42, %ah
        movw    $0x500 + packet, %si
        int     $0x13
        jc      3f
        inb     $0x92, %al
        andb    $0xfc, %al
        outb    %al, $0x92
        ljmp    $0, $0x7c00
3:      hlt
        jmp     3b
refuse: cmpw    $0x2401, %ax
        je      4f
        ljmp    *%cs:0x500 + old
4:      pushw   %bp
        movw    %sp, %bp
        orb     $1, 6(%bp)
        popw    %bp
        movb    $0x86, %ah
        iret
        .balign 4
packet: .byte   16, 0
        .short  1, 0x7c00, 0
        .quad   39
old:    .long   0
        .org    508
hide:   .byte   0
