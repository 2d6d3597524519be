// Recursion without end must run into the guard page and be caught on another stack.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*page fault
// @expect (?i)\bwrit
// @expect (?i)stack overflow
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

static volatile int depth_limit = 1 << 30;

static int deeper(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    if (depth >= depth_limit) {
        return frame[0];
    }
    return deeper(depth + 1) + frame[0];
}

int main(void)
{
    puts("provoking");
    printf("survived: %d\n", deeper(0));
    return 0;
}
