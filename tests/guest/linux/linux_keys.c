// Ctrl-C and Ctrl-\ as signals: to who reads, to who sleeps, and not at all when the terminal is told so. At
// last one that nobody handles.
// SPDX-License-Identifier: MIT
// @variants musl
// @machines q35
// @status 35
// @input reads\? => some\x03
// @input sleeps\? => \x1c
// @input bytes\? => \x03
// @input ends\? => \x03
// @expect ^read: interrupted by 2$
// @expect ^slept: interrupted by 3$
// @expect ^byte: 3$
// @expect ^signal: 2, SIGINT ended the program$
// @expect ^exit: 130$

#include "check.h"

#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static atomic_int last;

static void note(int signal)
{
    atomic_store(&last, signal);
}

int main(void)
{
    char text[64];
    struct termios modes;
    const struct sigaction action = {.sa_handler = note};
    CHECK(sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGQUIT, &action, NULL) == 0);
    puts("reads?");
    CHECK_ERRNO(read(0, text, sizeof text), EINTR);
    printf("\nread: interrupted by %d\n", atomic_load(&last));
    puts("sleeps?");
    CHECK_ERRNO(nanosleep(&(struct timespec){1000, 0}, NULL), EINTR);
    printf("\nslept: interrupted by %d\n", atomic_load(&last));
    CHECK(tcgetattr(0, &modes) == 0 && modes.c_lflag & ISIG);
    modes.c_lflag &= ~(tcflag_t)(ISIG | ICANON | ECHO);
    CHECK(tcsetattr(0, TCSANOW, &modes) == 0);
    puts("bytes?");
    CHECK(read(0, text, 1) == 1);
    printf("byte: %d\n", text[0]);
    modes.c_lflag |= ISIG | ICANON | ECHO;
    CHECK(tcsetattr(0, TCSANOW, &modes) == 0 && signal(SIGINT, SIG_DFL) != SIG_ERR);
    puts("ends?");
    pause();
    return 0;
}
