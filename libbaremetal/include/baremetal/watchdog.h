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
    // has it, or BM_WATCH_ALL_CORES. Called in an interrupt handler on any core: it only reads.
    uint64_t (*held)(unsigned *core);
    struct bm_watch *next; // kernel's
    uint64_t last;         // kernel's
    unsigned looks;        // kernel's
};

// Adds something to watch; the first call also makes the devices and their timers watched. Does nothing
// unless the command line has the word watchdog. Core 0, at boot.
void bm_watchdog_add(struct bm_watch *watch);

#ifdef __cplusplus
}
#endif
