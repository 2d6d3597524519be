// Executing bytes on the heap must be caught.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*page fault
// @expect (?i)\b(exec|fetch)
// @expect 0x[0-9a-f]{8,}
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    volatile unsigned char *code = malloc(4096);
    CHECK(code != NULL);
    code[0] = 0xc3; // ret
    void (*function)(void) = (void (*)(void))hidden((unsigned long)code);
    puts("provoking");
    function();
    puts("survived");
    return 0;
}
