// Writing to the program's own code must be caught: text is mapped read-only.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*page fault
// @expect (?i)\bwrit
// @expect 0x[0-9a-f]{8,}
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    volatile unsigned char *text = hidden((unsigned long)main);
    puts("provoking");
    *text = 0x90;
    puts("survived");
    return 0;
}
