// A failed assert() names its condition and place and ends the machine with a failing status.
// SPDX-License-Identifier: MIT
// @status 37
// @expect assertion.c
// @forbid survived
// @forbid ^exit:

#undef NDEBUG
#include <assert.h>

#include "check.h"

int main(void)
{
    volatile int one = 1;
    assert(one == 2);
    puts("survived");
    return 0;
}
