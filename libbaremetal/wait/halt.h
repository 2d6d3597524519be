// Halting a core, private to wait/.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/cpu.h>

#include <stdbool.h>

// Announces that the core is about to halt, and takes that back. With `for_work`, a submitter of work may
// choose it to be woken.
void bm_halt_announce(struct bm_core *core, bool for_work);
void bm_halt_withdraw(struct bm_core *core, bool for_work);

// halt_core.c: chooses how cores halt, once at boot.
void bm_halt_start(void);

// Halts until an interrupt or, where that takes none, until core->wake is set; not at all when it is set.
extern bool bm_halt_needs_interrupt;
void bm_halt(struct bm_core *core);

// wait.c, in images that serve devices: returns when the condition holds; devices are served meanwhile by one
// of the cores that idle.
void bm_wait_for_work(bool (*condition)(void *arg), void *arg) __attribute__((weak));

// wait.c: for the watchdog. The earliest time at which a poller that nobody served since wanted to be, in a
// number that changes when one is served; 0: none is late. Any context.
uint64_t bm_poll_overdue(unsigned *core);

// wait.c: a device's interrupt came to this core, which may do other work, or halt without serving devices;
// the watcher is to look. In interrupt handlers.
void bm_wait_interrupted(void) __attribute__((weak));
