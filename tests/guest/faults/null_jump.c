// Calling a function pointer that is NULL must be caught.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*page fault
// @expect (?i)\b(exec|fetch)
// @expect (?i)0x0+\b
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    void (*function)(void) = (void (*)(void))hidden(0);
    puts("provoking");
    function();
    puts("survived");
    return 0;
}
