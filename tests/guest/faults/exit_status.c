// exit(7) runs the handlers of atexit in reverse order, flushes stdio, says so and gives a failing status.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// Lines of the kernel stand on lines of their own, whatever the program wrote last.
// @status 35
// @expect ^open\nerror: test: first\nerror: test: second\nagain\n\nerror: test: third\nsecond handler$
// @expect ^first handler$
// @expect ^unfinished line
// @expect ^flushed at the end$
// @expect ^exit: 7\n\Z

#include "check.h"

#include <baremetal/log.h>

static void first(void)
{
    puts("first handler");
    printf("unfinished line\n");
    setvbuf(stdout, NULL, _IOFBF, 256);
    fputs("flushed at the end", stdout);
}

static void second(void)
{
    puts("second handler");
}

int main(void)
{
    CHECK(atexit(first) == 0);
    CHECK(atexit(second) == 0);
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("open");
    bm_log_error("test", "first");
    bm_log_error("test", "second");
    printf("again\n\n");
    bm_log_error("test", "third");
    exit(7);
}
