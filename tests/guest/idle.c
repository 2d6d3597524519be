// A sleeping program halts its core: the host's processor is not kept busy.
// SPDX-License-Identifier: MIT
// @cpu_seconds 1.2
// @expect ^slept$

#include <time.h>

#include "check.h"

int main(void)
{
    struct timespec wanted = {3, 0};
    CHECK(nanosleep(&wanted, NULL) == 0);
    puts("slept");
    return passed();
}
