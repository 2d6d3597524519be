// The terminal: editing, end of file, no waiting, byte mode, select, and input faster than it is read.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @input edit\? => gone\x15\x11abx\x13\x7f\x08cd\r
// @input end\? => \x04
// @input byte\? => q
// @input count\? => 1234567
// @input flood\? => {abcdefghij*50}\n{abcdefghij*50}\n{abcdefghij*50}\n{abcdefghij*50}\n{abcdefghij*50}\n
// @run by interrupt
// @run by polling: no I/O APIC
// @machines pc
// @argument -no-acpi
// @run on two cores
// @smp 2

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void ask(const char *prompt)
{
    CHECK(write(1, prompt, strlen(prompt)) == (ssize_t)strlen(prompt));
}

// Backspace takes a byte back, ^U the line; ^Q and ^S are none; the return key ends it.
static void check_editing(void)
{
    char line[32];
    ask("edit?\n");
    CHECK(read(0, line, 2) == 2);
    CHECK(memcmp(line, "ac", 2) == 0);
    CHECK(read(0, line, sizeof(line)) == 2);
    CHECK(memcmp(line, "d\n", 2) == 0);
    ask("end?\n");
    CHECK(read(0, line, sizeof(line)) == 0);
}

static void check_no_wait(void)
{
    char byte;
    int flags = fcntl(0, F_GETFL);
    CHECK((flags & O_ACCMODE) == O_RDWR);
    CHECK(fcntl(0, F_SETFL, flags | O_NONBLOCK) == 0);
    CHECK_ERRNO(read(0, &byte, 1), EAGAIN);
    CHECK(fcntl(0, F_SETFL, flags) == 0);
    CHECK(fcntl(0, F_GETFL) == flags);
    struct timeval short_time = {0, 1000};
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(0, &readable);
    CHECK(select(1, &readable, NULL, NULL, &short_time) == 0);
    CHECK(!FD_ISSET(0, &readable));
    FD_SET(0, &readable);
    FD_SET(1, &writable);
    CHECK(select(2, &readable, &writable, NULL, NULL) == 1);
    CHECK(!FD_ISSET(0, &readable) && FD_ISSET(1, &writable));
    FD_SET(9, &readable);
    CHECK_ERRNO(select(10, &readable, NULL, NULL, NULL), EBADF);
    CHECK_ERRNO(select(-1, NULL, NULL, NULL, NULL), EINVAL);
}

// Byte by byte, without echo, and back to lines.
static void check_bytes(void)
{
    struct termios lines, bytes;
    char byte = 0;
    CHECK(tcgetattr(0, &lines) == 0);
    CHECK((lines.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO));
    bytes = lines;
    bytes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    CHECK(tcsetattr(0, TCSANOW, &bytes) == 0);
    struct pollfd watched = {.fd = 0, .events = POLLIN};
    CHECK(poll(&watched, 1, 0) == 0);
    ask("byte?\n");
    CHECK(poll(&watched, 1, 20000) == 1 && watched.revents == POLLIN);
    CHECK(read(0, &byte, 1) == 1 && byte == 'q');
    ask("count?\n");
    int count = 0;
    while (count < 7) {
        CHECK(poll(&watched, 1, 20000) == 1);
        CHECK(ioctl(0, FIONREAD, &count) == 0);
    }
    char digits[8];
    CHECK(read(0, digits, sizeof(digits)) == 7 && memcmp(digits, "1234567", 7) == 0);
    lines.c_lflag &= ~(tcflag_t)ECHO;
    CHECK(tcsetattr(0, TCSANOW, &lines) == 0);
    CHECK_ERRNO(tcsetattr(0, 9, &lines), EINVAL);
    CHECK_ERRNO(tcgetattr(7, &lines), EBADF);
}

// 2,505 bytes, of which the program reads none for a while: none is lost.
static void check_flood(void)
{
    char line[1024];
    ask("flood?\n");
    struct pollfd watched = {.fd = 0, .events = POLLIN};
    CHECK(poll(&watched, 1, 20000) == 1);
    struct timespec pause = {0, 200000000};
    CHECK(nanosleep(&pause, NULL) == 0);
    for (int i = 0; i < 5; i++) {
        CHECK(read(0, line, sizeof(line)) == 501);
        for (int j = 0; j < 500; j++) {
            CHECK(line[j] == 'a' + j % 10);
        }
        CHECK(line[500] == '\n');
    }
}

int main(void)
{
    check_editing();
    check_no_wait();
    check_bytes();
    check_flood();
    return passed();
}
