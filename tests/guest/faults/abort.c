// abort() ends the machine with a report and a failing status; handlers of atexit do not run.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @status 37
// @expect ^provoking$
// @expect ^panic: .*abort
// @expect ^  at image\+0x[0-9a-f]+
// @forbid survived
// @forbid handler ran
// @forbid ^exit:

#include "check.h"

static void handler(void)
{
    puts("handler ran");
}

int main(void)
{
    CHECK(atexit(handler) == 0);
    puts("provoking");
    abort();
}
