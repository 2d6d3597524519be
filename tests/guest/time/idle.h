// Sleeping while idle.py looks, as often as it asks for.
// SPDX-License-Identifier: MIT
#pragma once

#include <string.h>
#include <time.h>

#include <baremetal/work.h>

#include "check.h"

static void sleep_watched(void)
{
    const struct timespec settle = {0, 300000000}, wanted = {2, 0};
    char line[16];
    bm_core_count();          // all have arrived
    nanosleep(&settle, NULL); // the way to sleep is translated by QEMU
    do {
        puts("idle");
        CHECK(nanosleep(&wanted, NULL) == 0);
        puts("slept");
        CHECK(fgets(line, sizeof(line), stdin) != NULL);
    } while (strcmp(line, "again\n") == 0);
    CHECK(strcmp(line, "\n") == 0);
}
