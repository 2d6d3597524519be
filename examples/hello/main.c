// The first program: an ordinary main on a machine of its own.
// SPDX-License-Identifier: MIT
#include <stdio.h>

int main(int argc, char **argv)
{
    printf("Hello from a machine that runs nothing else.\n");
    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    return 0;
}
