// readv, writev, pread and pwrite on files and on the console.
// SPDX-License-Identifier: MIT
// @file tree /
// @expect ^three pieces, one line$

#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static void check_reading(int file)
{
    char a[6] = "", b[6] = "", whole[64];
    struct iovec pieces[] = {{a, 5}, {whole, 0}, {b, 5}};
    CHECK(readv(file, pieces, 3) == 10);
    CHECK(strcmp(a, "Hello") == 0 && strcmp(b, " from") == 0);
    CHECK(lseek(file, 0, SEEK_CUR) == 10);
    struct iovec more[] = {{whole, sizeof(whole)}, {a, 5}};
    CHECK(readv(file, more, 2) == 22); // the end of the file comes in the first piece
    CHECK(readv(file, more, 2) == 0);
}

static void check_positions(int file)
{
    char text[5] = "";
    CHECK(lseek(file, 3, SEEK_SET) == 3);
    CHECK(pread(file, text, 4, 6) == 4);
    CHECK(strcmp(text, "from") == 0);
    CHECK(lseek(file, 0, SEEK_CUR) == 3);
    CHECK(pread(file, text, 4, 1000) == 0);
    CHECK_ERRNO(pread(file, text, 4, -1), EINVAL);
    CHECK_ERRNO(pread(1, text, 4, 0), ESPIPE);
    CHECK_ERRNO(pwrite(file, text, 4, 0), EBADF);
    CHECK_ERRNO(pread(99, text, 4, 0), EBADF);
}

static void check_refusals(int file)
{
    char text[4];
    struct iovec piece = {text, 4}, huge[] = {{text, SSIZE_MAX}, {text, 1}};
    CHECK_ERRNO(readv(file, &piece, -1), EINVAL);
    CHECK_ERRNO(readv(file, &piece, 0), EINVAL);
    CHECK_ERRNO(readv(file, &piece, IOV_MAX + 1), EINVAL);
    CHECK_ERRNO(readv(file, huge, 2), EINVAL);
    CHECK_ERRNO(writev(file, &piece, 1), EBADF);
    CHECK_ERRNO(writev(99, &piece, 1), EBADF);
}

int main(void)
{
    int file = open("/greeting.txt", O_RDONLY);
    CHECK(file >= 0);
    check_reading(file);
    check_positions(file);
    check_refusals(file);
    CHECK(close(file) == 0);
    char three[] = "three ", pieces[] = "pieces, ", line[] = "one line\n";
    struct iovec text[] = {{three, 6}, {pieces, 8}, {line, 9}};
    CHECK(writev(1, text, 3) == 23);
    return passed();
}
