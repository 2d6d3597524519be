// exit(7) runs the handlers of atexit in reverse order, flushes stdio, says so and gives a failing status.
// SPDX-License-Identifier: MIT
// @status 35
// @expect ^second handler$
// @expect ^first handler$
// @expect ^unfinished line
// @expect ^exit: 7\n\Z

#include "check.h"

static void first(void)
{
    puts("first handler");
    printf("unfinished line\n");
    setvbuf(stdout, NULL, _IOFBF, 256);
    fputs("flushed at the end\n", stdout);
}

static void second(void)
{
    puts("second handler");
}

int main(void)
{
    CHECK(atexit(first) == 0);
    CHECK(atexit(second) == 0);
    exit(7);
}
