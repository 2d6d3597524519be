// The watchdog: a lock that is not given back and timers that nobody serves are reported with a backtrace;
// computing alone is no fault, nor is idling.
// SPDX-License-Identifier: MIT
// @link net drivers profile
// @symbols
// @memory 32
// @argument -netdev user,id=n,restrict=on
// @device virtio-net-pci,netdev=n,romfile=
// @machines q35
// (A function that was interrupted in its first instruction hides its caller: main is behind it in any case.)
// @cpus max
// @run lock
// @append ip=10.0.2.15/24 watchdog=1 -- lock
// @status 37
// @expect ^holding$
// @expect ^panic: watchdog: the network's lock was held for 1 s$
// @expect ^core 0:$
// @expect ^  at .* (spin_holding|main)\+
// @forbid served
// @forbid ^exit:
// @run lock, while samples are taken
// @append ip=10.0.2.15/24 watchdog=1 profile=100 -- lock
// @status 37
// @expect ^holding$
// @expect ^panic: watchdog: the network's lock was held for 1 s$
// @forbid served
// @run lock, interrupts off, asked by another core
// @smp 2
// @append ip=10.0.2.15/24 watchdog=1 -- lock off
// @status 37
// @expect ^holding$
// @expect ^panic: watchdog: the network's lock was held for 1 s$
// @expect ^core 0:$
// @expect ^  at .* (spin_holding|main)\+
// @run lock, reported
// @smp 2
// @append ip=10.0.2.15/24 watchdog=1,report -- lock off goes-on
// @expect ^warning: watchdog: the network's lock was held for 1 s$
// @expect ^  at .* (spin_holding|main)\+
// @expect ^served$
// @run timers
// @append ip=10.0.2.15/24 watchdog=1 -- compute
// @status 37
// @expect ^computing$
// @expect ^panic: watchdog: the devices and timers were due for 1 s$
// @expect ^  at .* (compute|main)\+
// @run timers, reported once
// @append ip=10.0.2.15/24 watchdog=1,report -- compute
// @expect ^computing$
// @expect ^warning: watchdog: the devices and timers were due for 1 s$
// @expect ^  at .* (compute|main)\+
// @expect ^served$
// @run another core serves
// @smp 2
// @append ip=10.0.2.15/24 watchdog=1 -- compute
// @expect ^computing$
// @expect ^served$
// @forbid watchdog
// @run computing in pieces, and idling
// @append ip=10.0.2.15/24 watchdog=1 -- pieces
// @expect ^served$
// @forbid watchdog
// @run nonsense
// @append ip=10.0.2.15/24 watchdog=10,reprot -- nothing
// @expect ^error: watchdog: watchdog=10,reprot makes no sense, there is none now: write watchdog=10,
// @expect ^served$
// @run none
// @append ip=10.0.2.15/24 watchdog=0 -- nothing
// @expect ^error: watchdog: watchdog=0 makes no sense

#include <baremetal/time.h>
#include <lwip/tcpip.h>
#include <unistd.h>

#include "check.h"

#define SECOND 1000000000ull

static bool is_asked(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static __attribute__((noinline)) void spin_holding(uint64_t time)
{
    uint64_t end = bm_time_monotonic() + time;
    while (bm_time_monotonic() < end)
        __asm__ volatile("pause; nop"); // or the compiler makes one function of both
}

static __attribute__((noinline)) void compute(uint64_t time)
{
    uint64_t end = bm_time_monotonic() + time;
    while (bm_time_monotonic() < end)
        __builtin_ia32_pause();
    __asm__ volatile("");
}

int main(int argc, char **argv)
{
    if (is_asked(argc, argv, "lock")) {
        sleep(1); // the other core is there
        puts("holding");
        fflush(stdout);
        LOCK_TCPIP_CORE();
        if (is_asked(argc, argv, "off"))
            __asm__ volatile("cli");
        spin_holding(is_asked(argc, argv, "goes-on") ? 3 * SECOND : 60 * SECOND);
        __asm__ volatile("sti");
        UNLOCK_TCPIP_CORE();
    } else if (is_asked(argc, argv, "compute")) {
        sleep(1);
        puts("computing");
        fflush(stdout);
        compute(3 * SECOND);
    } else if (is_asked(argc, argv, "pieces")) {
        for (int i = 0; i < 4; i++) {
            compute(SECOND / 2);
            usleep(1000);
        }
        sleep(2);
    }
    usleep(1000);
    puts("served");
    return passed();
}
