// Waiting: where a core goes idle. It serves the devices, then halts until something happens.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/compiler.h>
#include <baremetal/switch.h>

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
    BM_ATOMIC(struct bm_poller *) next;       // kernel's, of those that any core serves
    BM_ATOMIC(struct bm_poller *) bound_next; // kernel's, of those that are bound to the same core
    BM_ATOMIC(uint32_t) lock;                 // kernel's
    BM_ATOMIC(uint32_t) core;                 // kernel's: the core that it is bound to, plus one; 0: any core
};

// Adds a poller. Any core, not in handlers. Returns nothing: pollers are linked, not copied.
void bm_poller_add(struct bm_poller *poller);

// From now on only that core (0 … bm_core_count() - 1) serves the poller, so that what the poller serves is
// touched by one core alone; another core may be given later. A bound poller is served whenever its core
// waits or has no work, and not while that core computes; its interrupt has to be aimed at that core
// (interrupt.h). The core that served it before may be inside it while this is called, and no longer once its
// round has ended. After bm_poller_add. Any core, not in handlers.
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

// Contexts are what can wait: main, each thread (thread.h), and what a core does by itself, which is running
// work. Each has a number for as long as it lives, never 0; a number may come again later. Locks and waits
// name a context by it, never by its core: a thread that waits may go on at another one.
#ifdef BM_HOST_TEST
// As below, of a test on the host.
unsigned bm_context_id(void);
#else
// The number of the calling context. Any context but handlers.
static inline unsigned bm_context_id(void)
{
    unsigned id;
    __asm__ volatile("mov %%gs:20, %0" : "=r"(id));
    return id;
}
#endif

// Makes a context look again at what it waits for; when it does not wait, its next wait looks once more. Its
// end may have come already, since waits allow for being woken in vain. BM_CONTEXT_ALL wakes every context,
// for the rare case that nobody knows who waits. Any core, not in handlers.
enum { BM_CONTEXT_ALL = 256 }; // one more than there are cores
void bm_context_wake(unsigned context);

// Like bm_wait_until, for a condition whose every change is followed by a bm_context_wake() of this context:
// nobody asks a thread's condition meanwhile, so that ten thousand that wait cost the others nothing.
bool bm_wait_woken(bool (*condition)(void *arg), void *arg, uint64_t deadline);

#ifdef __cplusplus
}
#endif
