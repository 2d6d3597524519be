// An image that needs more memory than the machine has says so in one sentence, by PVH and by GRUB.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @script memory_small.py

#include "check.h"

static char large[80 << 20];

int main(void)
{
    char *volatile begin = large;
    begin[sizeof(large) - 1] = 1;
    return passed();
}
