// The panic notifier: what the hypervisor is told at the end.
// SPDX-License-Identifier: MIT
// @link pvpanic
// @script pvpanic.py
// @variants picolibc
#include "check.h"

#include <baremetal/panic.h>

// What listens to QEMU's events is there once it has answered.
static void ready(void)
{
    puts("ready");
    fflush(stdout);
    CHECK(getchar() == 'g');
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "panic") == 0) {
        ready();
        bm_panic("as wanted");
    }
    return passed();
}
