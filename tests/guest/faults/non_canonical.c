// Reading a non-canonical address must be caught: a general protection fault.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*general protection
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    puts("provoking");
    printf("survived: %d\n", *(volatile int *)hidden(0x8000000000000000ul));
    return 0;
}
