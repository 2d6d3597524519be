// Without symbols in the image, the command that the fault report names finds the functions.
// SPDX-License-Identifier: MIT
// @script fault_command.py
// @calls innermost outermost main

#include "check.h"

static OPAQUE int innermost(unsigned long address)
{
    __asm__ volatile("" : : "r"(__builtin_frame_address(0))); // no reading before the frame stands
    int value = *(volatile int *)hidden(address);
    __asm__ volatile("" : "+r"(value));
    return value + 1;
}

static OPAQUE int outermost(unsigned long address)
{
    int value = innermost(address);
    __asm__ volatile("" : "+r"(value));
    return value + 1;
}

int main(void)
{
    printf("survived: %d\n", outermost(16));
    return 0;
}
