// Copies its input to its output; with an argument, says what they are, or fails.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind(int descriptor)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return "nothing";
    if (isatty(descriptor))
        return S_ISCHR(status.st_mode) ? "terminal" : "terminal that is no device";
    return S_ISFIFO(status.st_mode) ? "pipe" : "something else";
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "what") == 0) {
        printf("input %s, output %s", kind(0), kind(1)); // the line stays open
        return 0;
    }
    if (argc > 1)
        return 1;
    int c;
    while ((c = getchar()) != EOF)
        putchar(c);
    return ferror(stdin) || getchar() != EOF;
}
