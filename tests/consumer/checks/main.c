// Ends with the status that its first argument names, or by a fault; copies its input to its output before
// that.
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "fault") == 0)
        return *(volatile int *)8;
    if (strcmp(argv[1], "read") == 0) {
        char line[80];
        while (fgets(line, sizeof line, stdin))
            printf("read: %s", line);
        return 0;
    }
    for (int i = 2; i < argc; i++)
        printf("<%s>%s", argv[i], i + 1 < argc ? " " : "");
    return (int)cbrt(pow(atoi(argv[1]), 3));
}
