// The hardware watchdog: whose machine goes on as long as the timers tick, and is reset when none does.
// SPDX-License-Identifier: MIT
// @link i6300esb
// @script watchdog_device.py
// @variants picolibc
#include "check.h"

#include <baremetal/time.h>
#include <baremetal/wait.h>

static bool never(void *arg)
{
    (void)arg;
    return false;
}

// What listens to QEMU's events is there once it has answered.
static void ready(void)
{
    puts("ready");
    fflush(stdout);
    CHECK(getchar() == 'g');
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "hang") == 0) {
        ready();
        __asm__ volatile("cli");
        for (;;)
            ;
    }
    // More than the two stages take: by a device that was not reloaded the machine would be gone.
    bm_wait_until(never, NULL, bm_time_monotonic() + 3500000000);
    return passed();
}
