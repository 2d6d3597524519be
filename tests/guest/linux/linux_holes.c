// Holes, files without names, and /dev, for which nothing is linked, under musl: the same results and errors
// as on Linux, where this source runs, too.
// SPDX-License-Identifier: MIT
// @variants musl
// @script ../libc/libc_oracle.py
// @link tmpfs
// @expect ^PASS$

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, AT = AT_FDCWD };

static char buffer[3 * PAGE];

static long say(const char *text, long result)
{
    if (result < 0)
        printf("%s: error %d\n", text, errno);
    else
        printf("%s: %ld\n", text, result);
    return result;
}

// What a call returned, or its error.
#define SAY(call) say(#call, (errno = 0, (long)(call)))

static void test_holes(void)
{
    int file = open("/dev/shm/bm-holes", O_RDWR | O_CREAT | O_EXCL, 0600);
    unlink("/dev/shm/bm-holes");
    SAY(lseek(file, 0, SEEK_DATA));
    SAY(lseek(file, 0, SEEK_HOLE));
    SAY(pwrite(file, "a", 1, 5 * PAGE));
    SAY(pwrite(file, buffer, sizeof buffer, 1 << 20));
    SAY(ftruncate(file, 1L << 40));
    SAY(lseek(file, 0, SEEK_DATA));
    SAY(lseek(file, 5 * PAGE + 7, SEEK_DATA));
    SAY(lseek(file, 5 * PAGE + 7, SEEK_HOLE));
    SAY(lseek(file, 6 * PAGE, SEEK_DATA));
    SAY(lseek(file, 0, SEEK_CUR));
    SAY(lseek(file, (1 << 20) + 1, SEEK_HOLE));
    SAY(lseek(file, 2 << 20, SEEK_HOLE));
    SAY(lseek(file, 2 << 20, SEEK_DATA));
    SAY(lseek(file, 1L << 40, SEEK_HOLE));
    SAY(lseek(file, -1, SEEK_DATA));
    SAY(lseek(file, 0, 5));
    SAY(fallocate(file, 0, 2 << 20, 2 * PAGE)); // a hole until it is written
    SAY(lseek(file, 2 << 20, SEEK_DATA));
    SAY(pwrite(file, "b", 1, (2 << 20) + PAGE));
    SAY(lseek(file, 2 << 20, SEEK_DATA));
    SAY(close(file));
}

static void test_nameless(void)
{
    struct stat status;
    SAY(open("/dev/shm", O_TMPFILE | O_RDONLY, 0600));
    SAY(open("/dev/shm", O_TMPFILE | O_CREAT | O_RDWR, 0600));
    SAY(open("/dev/none", O_TMPFILE | O_RDWR, 0600));
    int file = open("/dev/shm", O_TMPFILE | O_RDWR, 0640);
    SAY(write(file, "nameless", 8));
    SAY(fstat(file, &status));
    printf("mode %o, links %d, size %ld\n", (unsigned)status.st_mode, (int)status.st_nlink,
           (long)status.st_size);
    SAY(linkat(file, "", AT, "/dev/shm/bm-named", AT_EMPTY_PATH));
    SAY(stat("/dev/shm/bm-named", &status));
    printf("links %d, size %ld\n", (int)status.st_nlink, (long)status.st_size);
    SAY(unlink("/dev/shm/bm-named"));
    SAY(linkat(file, "", AT, "/dev/shm/bm-named", AT_EMPTY_PATH));
    SAY(close(file));
    FILE *stream = tmpfile();
    SAY(fputs("text", stream) >= 0);
    rewind(stream);
    SAY(fgetc(stream));
    SAY(fclose(stream));
}

// The pieces at the position, which moves once.
static void test_pieces(void)
{
    int file = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
    struct iovec pieces[] = {{"one", 3}, {NULL, 0}, {"two", 3}};
    SAY(writev(file, pieces, 3));
    SAY(lseek(file, 0, SEEK_CUR));
    SAY(lseek(file, 1, SEEK_SET));
    struct iovec into[] = {{buffer, 2}, {NULL, 0}, {buffer + 2, 100}};
    SAY(readv(file, into, 3));
    printf("%.5s\n", buffer);
    SAY(writev(file, pieces, 0));
    SAY(close(file));
}

// A device's descriptor has its own flags.
static void test_terminal(void)
{
    int file = open("/dev/null", O_WRONLY);
    SAY(read(file, buffer, 1));
    SAY(fcntl(file, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    SAY(close(file));
}

// Linux' side may have no terminal.
static void check_console(void)
{
    int file = open("/dev/console", O_WRONLY | O_NONBLOCK);
    int flags = fcntl(file, F_GETFL) & (O_ACCMODE | O_NONBLOCK), standard = fcntl(0, F_GETFL);
    if (flags != (O_WRONLY | O_NONBLOCK) || standard != O_RDWR || read(file, buffer, 1) != -1 ||
        errno != EBADF || write(file, "PASS\n", 5) != 5 || !isatty(file) || close(file))
        puts("the console's flags are wrong");
}

int main(void)
{
    umask(022);
    puts("BEGIN");
    test_holes();
    test_nameless();
    test_pieces();
    test_terminal();
    puts("END");
    fflush(stdout);
    check_console();
    return 0;
}
