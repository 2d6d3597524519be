// The smallest program: it prints and ends; also with 4 MiB of memory and as the only word of a GRUB entry.
// SPDX-License-Identifier: MIT
// @run default
// @expect ^hello from main$
// @run least memory
// @memory 4
// @run two cores
// @smp 2,maxcpus=2
// @run much memory
// @memory 8G

#include "check.h"

int main(void)
{
    puts("hello from main");
    return passed();
}
