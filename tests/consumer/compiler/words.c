// Says what its arguments are, and something to standard error output, between two lines of standard output.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    unsigned long bytes = 0, sum = 0;
    for (int i = 1; i < argc; i++) {
        bytes += strlen(argv[i]);
        for (const char *at = argv[i]; *at; at++)
            sum = sum * 31 % 1000003 + (unsigned char)*at + (unsigned)i;
    }
    printf("%d words, %lu bytes, sum %lu\n", argc - 1, bytes, sum);
    fflush(stdout);
    fputs("error output\nof two lines\n", stderr);
    if (argc > 1 && strcmp(argv[1], "fault") == 0)
        *(volatile int *)8 = 1;
    return argc > 1 && strcmp(argv[1], "fail") == 0;
}
