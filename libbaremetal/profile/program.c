// The word profile=N: from the program's begin to its end.
// SPDX-License-Identifier: MIT
#include <baremetal/profile.h>

#include "profile.h"

#include <baremetal/console.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

BM_OPTION(profile, "10 to 1000: samples a second of each core, written at the program's end");

// executable/load.c, in images of a Linux program as it is: what its addresses are above those of its file.
extern uint64_t bm_executable_base __attribute__((weak));

static unsigned rate; // 0: the word is not there

// By the linker in the place of bm_net_finish (base/start.h), which every C library's end of a program calls
// where there is one.
void __real_bm_net_finish(void) __attribute__((weak));
void __wrap_bm_net_finish(void);
// drivers/vsock, whose name for that it is, too.
void bm_vsock_finish(void) __attribute__((weak));

const char bm_profile_program; // brings this file into an image

static void print(void *arg, const char *line, size_t size)
{
    (void)arg;
    bm_console_write_line(line, size);
}

static void begin_lines(void)
{
    char line[120], program[40] = "";
    if (&bm_executable_base)
        bm_format(program, sizeof program, ", program at 0x%lx", bm_executable_base);
    int size = bm_format(line, sizeof line, "profile: %u samples a second%s\n", rate, program);
    bm_console_write_line(line, (size_t)size);
}

void __wrap_bm_net_finish(void)
{
    if (bm_vsock_finish)
        bm_vsock_finish();
    if (__real_bm_net_finish)
        __real_bm_net_finish();
    if (!rate)
        return;
    bm_profile_stop();
    begin_lines();
    if (bm_profile_lines(true, print, NULL))
        bm_log_warn("profile", "the program ended while it read its own samples; they are not written");
    rate = 0;
}

static __attribute__((constructor(101))) void begin(void)
{
    rate = (unsigned)bm_option_number("profile", BM_PROFILE_RATE_MIN, BM_PROFILE_RATE_MAX, 0);
    if (rate && bm_profile_start(rate)) {
        bm_log_error("profile", "memory is short; nothing is sampled");
        rate = 0;
    }
}
