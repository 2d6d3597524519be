// The power button: what a handler of SIGTERM is told, and what becomes of a program that has none.
// SPDX-License-Identifier: MIT
// @link power_button
// @script power_button.py
// @variants picolibc newlib-checked musl
#include "check.h"

#include <baremetal/wait.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t terminated;

static void on_terminate(int number)
{
    terminated = number;
}

#ifndef __linux__
static bool is_terminated(void *arg)
{
    (void)arg;
    return terminated;
}
#endif

int main(int argc, char **argv)
{
    bool handles = argc > 1 && strcmp(argv[1], "handle") == 0;
    if (handles)
        signal(SIGTERM, on_terminate);
    printf("waiting\n");
    fflush(stdout);
#ifdef __linux__ // a handler runs where the program calls the system
    pause();
#else
    bm_wait_until(is_terminated, NULL, UINT64_MAX);
#endif
    CHECK(handles && terminated == SIGTERM);
    return passed();
}
