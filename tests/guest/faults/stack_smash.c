// Writing behind an array on the stack must be caught when the function returns.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @status 37
// @expect ^provoking$
// @expect (?i)^panic: .*stack
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

static volatile size_t much = 64;

static __attribute__((noinline)) void smash(void)
{
    char array[16];
    char *volatile begin = array;
    memset(begin, 0x41, much);
    __asm__ volatile("" : : "r"(begin) : "memory");
}

int main(void)
{
    puts("provoking");
    smash();
    puts("survived");
    return 0;
}
