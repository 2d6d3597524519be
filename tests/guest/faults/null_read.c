// Reading address 0 must be caught: the first page is not mapped.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*page fault
// @expect (?i)\bread
// @expect (?i)0x0+\b
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    puts("provoking");
    printf("survived: %d\n", *(volatile int *)hidden(0));
    return 0;
}
