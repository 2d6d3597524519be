// The stage's first instructions, its way into 32-bit mode, and the gate through which C calls the BIOS.
// SPDX-License-Identifier: MIT
//
// The boot record (disk) or the firmware itself (El Torito without emulation) loads the first 2,048 bytes to 0x7c00 and jumps there in
// real mode, the drive's number in %dl.
#include "layout.h"

#define CODE32 8
#define DATA32 16
#define CODE16 24
#define DATA16 32

        .code16
        .section .start, "ax"
        .global bm_bios_start
bm_bios_start:
        jmp     1f
        .org    BM_BIOS_HEADER_OFFSET
        .global bm_bios_header
bm_bios_header: // struct bm_bios_header
        .long   BM_BIOS_MAGIC_LOW, BM_BIOS_MAGIC_HIGH
        .space  40
1:      cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movl    $BM_BIOS_STACK, %esp
        ljmp    $0, $2f                 // some firmware jumps to 0x7c0:0
2:      movb    %dl, bm_bios_drive
        movl    $begin, %ecx

// From real mode with %ds = 0 to 32-bit mode, at %ecx.
protect:
        lgdtl   gdt_pointer             // the BIOS may have loaded its own
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $CODE32, $1f
        .code32
1:      movl    $DATA32, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        cld
        jmp     *%ecx

begin:  movl    $BM_BIOS_BSS, %edi
        movl    $bm_bios_bss_end - BM_BIOS_BSS, %ecx
        xorl    %eax, %eax
        movb    bm_bios_drive, %dl      // it lies in what is cleared
        rep stosb
        movb    %dl, bm_bios_drive
        jmp     bm_bios_main

// void bm_bios_call(uint32_t vector): %al. With what stands in bm_bios_registers, and leaves there what comes of it.
        .global bm_bios_call
bm_bios_call:
        pushal
        movl    (, %eax, 4), %eax
        movl    %eax, service
        movl    %esp, stack
        ljmpl   $CODE16, $1f
        .code16
1:      movw    $DATA16, %ax            // the limits of real mode
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    %cr0, %eax
        andb    $~1, %al
        movl    %eax, %cr0
        ljmp    $0, $2f
2:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        lidtl   real_interrupts
        movw    $bm_bios_registers, %sp
        popal
        movl    stack, %esp
        sti                             // what INT does, without writing its number into the code
        pushfw
        cli
        lcall   *%cs:service
        cli
        movl    $registers_end, %esp
        pushfl
        pushal
        xorw    %cx, %cx
        movw    %cx, %ds
        movl    $1f, %ecx
        jmp     protect
        .code32
1:      movl    stack, %esp
        popal
        ret

// void bm_bios_enter(uint32_t entry, const void *information): the state of Multiboot2, section 3.3.
        .global bm_bios_enter
bm_bios_enter:
        movl    %edx, %ebx
        xchgl   %eax, %ecx
        movl    $BM_BIOS_MULTIBOOT2, %eax
        jmp     *%ecx

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      // CODE32: flat
        .quad   0x00cf93000000ffff      // DATA32
        .quad   0x00009b000000ffff      // CODE16: 64 KiB
        .quad   0x000093000000ffff      // DATA16
gdt_pointer:
        .short  39
        .long   gdt
real_interrupts:
        .short  0x3ff
        .long   0

        .section .bss.start, "aw", @nobits
        .balign 4
        .global bm_bios_registers
bm_bios_registers:
        .space  36
registers_end:
stack:  .space  4
service:
        .space  4
        .global bm_bios_drive
bm_bios_drive:
        .space  4

        .section .note.GNU-stack, "", @progbits
