// A signal that nobody handles ends the machine as it ends a process of Linux: 128 and its number; the
// console says which. One comes to a program that computes.
// SPDX-License-Identifier: MIT
// @variants musl
// @machines q35
// @status 35
// @expect ^signal: 14, SIGALRM ended the program$
// @expect ^exit: 142$

#include "check.h"

#include <unistd.h>

int main(void)
{
    puts("computes");
    alarm(1);
    for (volatile long i = 0;; i++)
        ;
}
