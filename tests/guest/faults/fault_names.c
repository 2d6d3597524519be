// The backtrace of a fault names the functions, innermost first, when the image carries its symbols.
// SPDX-License-Identifier: MIT
// @symbols
// @status 37
// @expect (?i)^fault: .*page fault
// @expect ^  at image\+0x[0-9a-f]+
// @expect innermost
// @expect middle
// @expect outermost
// @expect \bmain\b
// @forbid ^exit:

#include "check.h"

static OPAQUE int innermost(unsigned long address)
{
    __asm__ volatile("" : : "r"(__builtin_frame_address(0))); // no reading before the frame stands
    int value = *(volatile int *)hidden(address);
    __asm__ volatile("" : "+r"(value));
    return value + 1;
}

static OPAQUE int middle(unsigned long address)
{
    int value = innermost(address);
    __asm__ volatile("" : "+r"(value));
    return value + 1;
}

static OPAQUE int outermost(unsigned long address)
{
    int value = middle(address);
    __asm__ volatile("" : "+r"(value));
    return value + 1;
}

int main(void)
{
    printf("survived: %d\n", outermost(16));
    return 0;
}
