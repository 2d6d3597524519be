// Writing to a constant that holds an address must be caught, too: it is read-only once relocated.
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

static const char *const words[] = {"one", "two", "three"};

int main(void)
{
    const char *volatile *constant = hidden((unsigned long)words);
    puts("provoking");
    constant[1] = "zwei";
    puts("survived");
    return 0;
}
