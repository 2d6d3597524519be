// The master boot record: loads the first part of the stage from the sector that is written into it, checks it, jumps there.
// SPDX-License-Identifier: MIT
//
// 440 bytes: the disk's signature and the partition table follow. Firmware loads it at 0x7c00 with the drive's number in %dl.
#include "layout.h"

        .code16
        .section .text
        .global bm_mbr_start
bm_mbr_start:
        jmp     begin
        nop
        .org    62                      // some firmware takes a stick for a large floppy and writes its geometry in here
begin:
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $BM_BIOS_STAGE, %sp
        movw    %sp, %si
        movw    $BM_BIOS_MBR, %di
        movw    $256, %cx
        rep movsw
        ljmp    $0, $1f
1:      sti
        movb    $0x41, %ah              // are there INT 13h extensions?
        movw    $0x55aa, %bx
        pushw   %dx
        int     $0x13
        popw    %dx
        movw    $no_extensions, %si
        jc      fail
        cmpw    $0xaa55, %bx
        jne     fail
        testb   $1, %cl
        jz      fail
        movw    $BM_BIOS_RETRIES, %di
2:      movw    $4, packet + 2          // the BIOS writes back how many it read
        movw    $packet, %si
        movb    $0x42, %ah
        pushw   %dx
        int     $0x13
        popw    %dx
        jnc     3f
        xorw    %ax, %ax                // reset, once more
        int     $0x13
        decw    %di
        jnz     2b
        movw    $read_error, %si
        jmp     fail
3:      movw    $BM_BIOS_STAGE, %si     // its words add up to 0, and the magic number is there
        xorl    %ebx, %ebx
        movw    $BM_BIOS_PART / 4, %cx
4:      lodsl
        addl    %eax, %ebx
        loop    4b
        movw    $damaged, %si
        jnz     fail
        cmpl    $BM_BIOS_MAGIC_LOW, BM_BIOS_STAGE + BM_BIOS_HEADER_OFFSET
        jne     fail
        ljmp    $0, $BM_BIOS_STAGE

// A sentence on the screen and on the serial line, then the end.
fail:
        movw    $BM_BIOS_COM1 + 3, %dx  // 115,200 baud, 8 bits, no parity
        movb    $0x80, %al
        outb    %al, %dx
        movw    $BM_BIOS_COM1, %dx
        movb    $1, %al
        outb    %al, %dx
        incw    %dx
        decw    %ax
        outb    %al, %dx
        movw    $BM_BIOS_COM1 + 3, %dx
        movb    $3, %al
        outb    %al, %dx
        call    print
5:      hlt
        jmp     5b
print:  pushw   %si
        movw    $prefix, %si
        call    6f
        popw    %si
6:      lodsb
        testb   %al, %al
        jz      8f
        movw    $7, %bx
        movb    $0x0e, %ah
        pushw   %ax
        int     $0x10
        popw    %ax
        movw    $BM_BIOS_COM1 + 5, %dx
        movb    %al, %ah
        xorw    %cx, %cx                // bounded: there may be no serial port
7:      inb     %dx, %al
        testb   $0x20, %al
        loopz   7b
        movb    %ah, %al
        movw    $BM_BIOS_COM1, %dx
        outb    %al, %dx
        jmp     6b
8:      ret

prefix:        .asciz "error: boot: "
no_extensions: .asciz "this BIOS has no INT 13h extensions (LBA)\r\n"
read_error:    .asciz "disk read error in the first sectors\r\n"
damaged:       .asciz "the image on this disk is damaged\r\n"

        .org    424
packet: .byte   16, 0
        .short  4, BM_BIOS_STAGE, 0
first:  .quad   0                       // toolchain/tools/baremetal_tools/disk/payload.py writes the payload's first sector here, at 432
