// A stack from bm_memory_stack ends in a page that is not mapped.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*page fault
// @expect (?i)\bwrit
// @forbid survived

#include <baremetal/memory.h>

#include "check.h"

int main(void)
{
    enum { SIZE = 16384 };
    char *top = bm_memory_stack(SIZE);
    CHECK(top != NULL);
    memset(top - SIZE, 1, SIZE);
    volatile char *below = hidden((unsigned long)(top - SIZE - 1));
    puts("provoking");
    *below = 1;
    puts("survived");
    return 0;
}
