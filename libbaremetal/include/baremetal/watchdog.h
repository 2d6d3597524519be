// The watchdog: tells of what is not given back, or not looked at, for too long.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BM_WATCH_ALL_CORES = ~0u }; // what is due is not any one core's

// Something that is held, or due, for moments only. The owner keeps the structure for ever.
struct bm_watch {
    const char *what; // as in "the network's lock was held"
    // 0 when it is not held. Otherwise a number that is another one each time it was taken; *core is who
    // has it, or BM_WATCH_ALL_CORES. Called in an interrupt handler on any core, by one at a time: it only
    // reads. (The driver of a watchdog in hardware tells its device that the looks go on.)
    uint64_t (*held)(unsigned *core);
    struct bm_watch *next; // kernel's
    uint64_t last;         // kernel's
    unsigned looks;        // kernel's
};

// Adds something to watch; the first call also makes the devices and their timers watched. Does nothing
// unless the command line has the word watchdog. Core 0, at boot.
void bm_watchdog_add(struct bm_watch *watch);

// The time allowed, in nanoseconds; 0 when there is no watchdog. After a bm_watchdog_add. Any context.
uint64_t bm_watchdog_time(void);

#ifdef __cplusplus
}
#endif
