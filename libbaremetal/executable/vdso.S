// The shared object that every Linux program finds in its memory (AT_SYSINFO_EHDR): clocks without SYSCALL.
// SPDX-License-Identifier: MIT
//
// An ELF image of one page, written out: addresses in it are offsets. Behind it stands a page of vdso.c's with the kernel's own functions,
// which run on the program's stack: they wait for nobody and use general registers alone. What is written to the program's memory is
// written here, so that an address which is none is the program's fault.

#define SYS_CLOCK_GETTIME 228
#define FUNCTIONS   4096                // on the second page: bm_time_monotonic, bm_time_wall
#define WALL        8
#define CORE_ID     16                  // struct bm_core
#define WALL_CLOCKS 0x21                // CLOCK_REALTIME and …_COARSE; the others up to CLOCK_BOOTTIME are monotonic (linux/time.c)
#define CLOCKS_MAX  7
#define SECOND      1000000000

        .macro symbol name, text
        .long   \text - strings
        .byte   0x12, 0                 // STB_GLOBAL, STT_FUNC
        .short  1                       // defined
        .quad   \name - bm_executable_vdso, \name\()_end - \name
        .endm

        .section .rodata.bm_executable_vdso, "a"
        .global bm_executable_vdso
        .hidden bm_executable_vdso
        .balign 4096
bm_executable_vdso:
        .byte   0x7f, 'E', 'L', 'F', 2, 1, 1
        .balign 16
        .short  3, 62                   // ET_DYN, EM_X86_64
        .long   1
        .quad   0, headers - bm_executable_vdso, 0
        .long   0
        .short  64, 56, 2, 64, 0, 0
headers:
        .long   1, 5                    // PT_LOAD, readable and executable
        .quad   0, 0, 0, end - bm_executable_vdso, end - bm_executable_vdso, 4096
        .long   2, 4                    // PT_DYNAMIC
        .quad   dynamics - bm_executable_vdso, dynamics - bm_executable_vdso, dynamics - bm_executable_vdso
        .quad   dynamics_end - dynamics, dynamics_end - dynamics, 8
dynamics:                               // DT_SONAME, HASH, STRTAB, SYMTAB, STRSZ, SYMENT, VERDEF, VERDEFNUM, VERSYM
        .quad   14, soname - strings
        .quad   4, hashes - bm_executable_vdso
        .quad   5, strings - bm_executable_vdso
        .quad   6, symbols - bm_executable_vdso
        .quad   10, strings_end - strings
        .quad   11, 24
        .quad   0x6ffffffc, versions - bm_executable_vdso
        .quad   0x6ffffffd, 2
        .quad   0x6ffffff0, version_of - bm_executable_vdso
        .quad   0, 0
dynamics_end:
hashes: .long   1, 5, 1, 0, 2, 3, 4, 0  // one bucket, in which are all
symbols:
        .fill   24
        symbol  clock_gettime, clock_gettime_text
        symbol  gettimeofday, gettimeofday_text
        symbol  time, time_text
        symbol  getcpu, getcpu_text
version_of:
        .short  0, 2, 2, 2, 2
        .balign 4
versions:                               // Elf64_Verdef: version, flags, index, count, hash, names, next; then the name
        .short  1, 1, 1, 1
        .long   0x0deebfa1, 20, 28, soname - strings, 0
        .short  1, 0, 2, 1
        .long   0x03ae75f6, 20, 0, version - strings, 0
strings:
        .byte   0
soname: .asciz  "linux-vdso.so.1"
version:
        .asciz  "LINUX_2.6"
clock_gettime_text:
        .asciz  "__vdso_clock_gettime"
gettimeofday_text:
        .asciz  "__vdso_gettimeofday"
time_text:
        .asciz  "__vdso_time"
getcpu_text:
        .asciz  "__vdso_getcpu"
strings_end:

        .balign 16
clock_gettime:                          // %edi: the clock, %rsi: struct timespec
        cmpl    $CLOCKS_MAX, %edi
        ja      1f
        movl    $WALL_CLOCKS, %eax
        btl     %edi, %eax
        pushq   %rsi
        jc      2f
        call    *bm_executable_vdso+FUNCTIONS(%rip)
        jmp     3f
2:      call    *bm_executable_vdso+FUNCTIONS+WALL(%rip)
3:      popq    %rsi
        xorl    %edx, %edx
        movl    $SECOND, %ecx
        divq    %rcx
        movq    %rax, (%rsi)
        movq    %rdx, 8(%rsi)
        xorl    %eax, %eax
        ret
1:      movl    $SYS_CLOCK_GETTIME, %eax // the rest is the call's to answer
        syscall
        ret
clock_gettime_end:

gettimeofday:                           // %rdi: struct timeval, %rsi: struct timezone, or NULL
        pushq   %rdi
        pushq   %rsi
        subq    $8, %rsp
        call    *bm_executable_vdso+FUNCTIONS+WALL(%rip)
        addq    $8, %rsp
        popq    %rsi
        popq    %rdi
        testq   %rsi, %rsi
        jz      1f
        movq    $0, (%rsi)
1:      testq   %rdi, %rdi
        jz      2f
        xorl    %edx, %edx
        movl    $SECOND, %ecx
        divq    %rcx
        movq    %rax, (%rdi)
        movq    %rdx, %rax
        xorl    %edx, %edx
        movl    $1000, %ecx
        divq    %rcx
        movq    %rax, 8(%rdi)
2:      xorl    %eax, %eax
        ret
gettimeofday_end:

time:                                   // %rdi: where the time goes, too, or NULL
        pushq   %rdi
        call    *bm_executable_vdso+FUNCTIONS+WALL(%rip)
        popq    %rdi
        xorl    %edx, %edx
        movl    $SECOND, %ecx
        divq    %rcx
        testq   %rdi, %rdi
        jz      1f
        movq    %rax, (%rdi)
1:      ret
time_end:

getcpu:                                 // %rdi: the core, %rsi: its node, or NULL
        movl    %gs:CORE_ID, %eax
        testq   %rdi, %rdi
        jz      1f
        movl    %eax, (%rdi)
1:      testq   %rsi, %rsi
        jz      2f
        movl    $0, (%rsi)
2:      xorl    %eax, %eax
        ret
getcpu_end:
end:
        .balign 4096

        .section .note.GNU-stack, "", @progbits
