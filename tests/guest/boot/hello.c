// The smallest program: it prints and ends; also with 4 MiB of memory and as the only word of a GRUB entry.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @run default
// @expect ^hello from main$
// @run least memory
// @memory 4
// @run two cores
// @smp 2,maxcpus=2
// @run much memory
// @memory 8G
// @run without PCI, PIC, PIT and clock
// @machines microvm microvm-bare microvm-noacpi
// @forbid ^(error|fault|panic):
// @run without PCI, four cores, much memory
// @machines microvm microvm-bare microvm-noacpi
// @smp 4
// @memory 8G
// @forbid ^(error|fault|panic):

#include "check.h"

int main(void)
{
    puts("hello from main");
    return passed();
}
