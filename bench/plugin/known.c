// Code whose instructions are known, for a check of the counter: bench/lib/guard.py holds the numbers.
// SPDX-License-Identifier: MIT
#include "../marker.h"

static char buffer[4096];

int main(void)
{
    BM_MARKER(1);
    BM_MARKER(2); // nothing between
    __asm__ volatile("movl $1000, %%ecx\n1: decl %%ecx\n jnz 1b" : : : "ecx", "cc");
    BM_MARKER(3); // 2,001: a loop of blocks
    __asm__ volatile("movl $4096, %%ecx\n leaq %0, %%rdi\n xorl %%eax, %%eax\n rep stosb"
                     : "=m"(buffer)
                     :
                     : "rax", "rcx", "rdi", "memory", "cc");
    BM_MARKER(4); // 4: a string instruction counts once
    __asm__ volatile("jmp 2f\n nop\n nop\n2: nop" : : : "memory");
    BM_MARKER(5); // 2
    __asm__ volatile("call 3f\n jmp 4f\n3: nop\n ret\n4:" : : : "memory");
    BM_MARKER(6); // 4
    __asm__ volatile("nop\n nop\n nop" : : : "memory");
    BM_MARKER(7); // 3: markers cut a block
    __asm__ volatile("nop\n nop\n cpuid\n nop" : : : "eax", "ebx", "ecx", "edx", "memory");
    BM_MARKER(8); // 4
    return 0;
}
