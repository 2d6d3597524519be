// Standard descriptors: console, duplicates, wrong numbers.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @expect ^to standard output$
// @expect ^to standard error$
// @expect ^to a duplicate$
// @expect ^by write$

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    struct stat status;
    CHECK(fputs("to standard output\n", stdout) >= 0 && fflush(stdout) == 0);
    CHECK(fputs("to standard error\n", stderr) >= 0 && fflush(NULL) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(isatty(i) == 1);
        CHECK(fstat(i, &status) == 0 && S_ISCHR(status.st_mode));
        CHECK_ERRNO(lseek(i, 0, SEEK_SET), ESPIPE);
    }
    int copy = dup(1);
    CHECK(copy == 3);
    CHECK(write(copy, "to a duplicate\n", 15) == 15);
    CHECK(dup2(copy, 10) == 10);
    CHECK(close(copy) == 0);
    CHECK(write(10, "by write\n", 9) == 9);
    CHECK(close(10) == 0);
    CHECK(fcntl(1, F_GETFL) >= 0);
    CHECK_ERRNO(write(10, "x", 1), EBADF);
    CHECK_ERRNO(write(-1, "x", 1), EBADF);
    CHECK_ERRNO(write(1 << 30, "x", 1), EBADF);
    CHECK_ERRNO(dup(77), EBADF);
    CHECK_ERRNO(close(-5), EBADF);
    CHECK(write(1, "", 0) == 0);
    return passed();
}
