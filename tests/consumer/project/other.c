// A program that needs the headers and the library of one and the same C library.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

int main(void)
{
    struct stat status;
    struct timespec now = {0, 0};
    errno = 0;
    int missing = stat("/no/such/file", &status) == -1 && errno == ENOENT;
    int clock = clock_gettime(CLOCK_MONOTONIC, &now) == 0;
    fprintf(stdout, "%s %.1f\n", missing && clock ? "right" : "wrong", 1.5);
    return missing && clock && fflush(stdout) == 0 ? 0 : 1;
}
