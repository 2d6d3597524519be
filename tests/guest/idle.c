// A sleeping program halts its cores: the host's processor is not kept busy. No device is served.
// SPDX-License-Identifier: MIT
// @script idle.py

#include <time.h>

#include <baremetal/work.h>

#include "check.h"

int main(void)
{
    const struct timespec settle = {0, 300000000}, wanted = {2, 0};
    bm_core_count();          // all have arrived
    nanosleep(&settle, NULL); // the way to sleep is translated by QEMU
    puts("idle");
    CHECK(nanosleep(&wanted, NULL) == 0);
    puts("slept");
    CHECK(getchar() == '\n'); // idle.py has looked
    return passed();
}
