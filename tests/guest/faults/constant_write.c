// Writing to a constant must be caught: .rodata is mapped read-only.
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

static const int table[16] = {1, 2, 3, 4};

int main(void)
{
    volatile int *constant = hidden((unsigned long)table);
    puts("provoking");
    constant[3] = 5;
    puts("survived");
    return 0;
}
