// Division by zero must be caught.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*divide
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    volatile int dividend = 42, divisor = 0;
    puts("provoking");
    printf("survived: %d\n", dividend / divisor);
    return 0;
}
