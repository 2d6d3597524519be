// An undefined instruction must be caught.
// SPDX-License-Identifier: MIT
// @status 37
// @expect ^provoking$
// @expect (?i)^fault: .*(undefined|invalid).*
// @expect (?i)rip
// @expect (?i)rsp
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid ^exit:

#include "check.h"

int main(void)
{
    puts("provoking");
    __asm__ volatile("ud2");
    puts("survived");
    return 0;
}
