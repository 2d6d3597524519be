// Waiting: where a core goes idle. It serves the devices, then halts until something happens.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Something that a waiting core serves: a device queue, a protocol's timers. The owner keeps the structure
// for ever.
struct bm_poller {
    const char *name; // for reports
    // Does the work that is there, bounded (a batch), and returns whether there was any. Called by one core
    // at a time (under `lock`), never in an interrupt handler.
    bool (*poll)(void *arg);
    // Arms the interrupt that will wake the core, then returns whether work arrived meanwhile (then the core
    // does not halt). NULL: nothing to arm. The next poll() may disarm it again.
    bool (*arm)(void *arg);
    // When it wants to be polled again at the latest, in bm_time_monotonic()'s nanoseconds; UINT64_MAX:
    // never. NULL: never. The watchdog asks, too, on any core and without `lock`, so it only reads.
    uint64_t (*deadline)(void *arg);
    void *arg;
    struct bm_poller *next;   // kernel's
    BM_ATOMIC(uint32_t) lock; // kernel's
    BM_ATOMIC(uint32_t) core; // kernel's: the core that it is bound to, plus one; 0: any core
};

// Adds a poller. Any core, not in handlers. Returns nothing: pollers are linked, not copied.
void bm_poller_add(struct bm_poller *poller);

// From now on only that core (0 … bm_core_count() - 1) serves the poller, so that what the poller serves is
// touched by one core alone; another core may be given later. A bound poller is served whenever its core
// waits or has no work, and not while that core computes; its interrupt has to be aimed at that core
// (interrupt.h). The core that served it before may be inside it while this is called, and no longer once its
// round has ended. Any core, not in handlers.
void bm_poller_bind(struct bm_poller *poller, unsigned core);

// Serves every poller once; returns whether any had work. Any core, not in handlers; a poller that another
// core is just serving, or that is bound to another one, is passed over. Never called recursively from a
// poller's own poll().
bool bm_poll(void);

// Waits until condition(arg) is true or the time `deadline` (nanoseconds of bm_time_monotonic(); UINT64_MAX:
// no limit) has come, serving devices meanwhile and halting when there is nothing to do. Returns whether the
// condition was true. The condition is checked at least once, on this core, without locks, after every batch
// of work and every wake-up; a condition that is made true by something other than a poller, an interrupt
// handler or time needs a bm_core_wake() by whoever makes it true. Any core, not in handlers, not from a
// poller, with no spinlock held.
// The condition may be evaluated again after returning true, so it must have no side effects.
bool bm_wait_until(bool (*condition)(void *arg), void *arg, uint64_t deadline);

// Makes `core` look again at its condition instead of halting, or wakes it when it halts. Any core, any
// context.
void bm_core_wake(unsigned core);

#ifdef __cplusplus
}
#endif
