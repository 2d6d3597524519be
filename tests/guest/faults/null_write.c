// Writing to address 8, a member of a structure at NULL, must be caught.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*page fault
// @expect (?i)\bwrit
// @expect (?i)0x0*8\b
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    puts("provoking");
    *(volatile int *)hidden(8) = 1;
    puts("survived");
    return 0;
}
