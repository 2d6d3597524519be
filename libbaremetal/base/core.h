// The data of each core, and the list of those that run.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/core.h>
#include <baremetal/statistics.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BM_CORE_QUEUE_MARKS = 2256 }; // in a core's queue of work (work/queue.h)

// Whether a core is in a handler; quiet: in one whose interrupt concerned nobody who waits (slice.c).
enum bm_core_interrupt { BM_CORE_NO_INTERRUPT, BM_CORE_INTERRUPT, BM_CORE_QUIET_INTERRUPT };

// Per-core data, reached through %gs.
struct bm_core {
    struct bm_core *self;          // at %gs:0
    uint64_t canary;               // of the stack protector, at %gs:8, where the kernel's code looks for it
    unsigned id;                   // at %gs:16; 0 … bm_core_count() - 1; 0 is the core on which main begins
    unsigned context;              // at %gs:20; number of the context that runs here (wait.h)
    unsigned no_switch;            // at %gs:24; bm_switch_forbid (wait.h), counted
    uint32_t apic_id;              // local APIC id
    _Atomic(uint32_t) wake;        // set by bm_core_wake and by interrupt handlers: do not halt, look again
    _Atomic(uint32_t) asleep;      // announced that it halts: a waker must send an interrupt
    uint8_t in_interrupt;          // enum bm_core_interrupt
    void *queue;                   // of work; at BM_CORE_QUEUE_MARKS a byte of marks
    struct bm_fiber *fiber;        // that runs here (wait/fiber.h); NULL in programs without threads
    struct bm_core_fibers *fibers; // of wait/fiber.c; NULL in programs without threads
    uint64_t interrupts, halts, wakes; // counted by BM_CORE_COUNT
    uint64_t call_stack;               // at %gs:96: executable/entry.S puts the program's stack pointer there
};
_Static_assert(offsetof(struct bm_core, canary) == 8, "BaremetalBuild.cmake says so");
_Static_assert(offsetof(struct bm_core, id) == 16, "<baremetal/core.h> says so");
_Static_assert(offsetof(struct bm_core, context) == 20, "<baremetal/wait.h> says so");
_Static_assert(offsetof(struct bm_core, fiber) == 56 && offsetof(struct bm_core, call_stack) == 96,
               "executable/entry.S says so");
_Static_assert(offsetof(struct bm_core, no_switch) == 24, "<baremetal/wait.h> says so");

// This core. Any context once the kernel's C code runs. Volatile, so that no compiler keeps it across a call
// in which a thread may have gone to another core; a variable that holds it is good up to the next wait.
static inline struct bm_core *bm_core_self(void)
{
    struct bm_core *core;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(core));
    return core;
}

// Counts something on this core: one instruction, also in the way of a handler that counts the same.
#define BM_CORE_COUNT(member)                                                                                \
    __asm__ volatile("incq %%gs:%c0" : : "i"(offsetof(struct bm_core, member)) : "cc", "memory")

// What every core has counted, as a statistic.
#define BM_CORE_STATISTIC(member, sentence)                                                                  \
    BM_STATISTIC(core_##member) = {.name = "core_" #member,                                                  \
                                   .help = (sentence),                                                       \
                                   .split = "core",                                                          \
                                   .argument = offsetof(struct bm_core, member),                             \
                                   .read = bm_core_statistic_read}
bool bm_core_statistic_read(const struct bm_statistic *statistic, struct bm_statistic_value *value);

// Adds a core; core by core, in the order of their numbers.
void bm_core_add(struct bm_core *core);

// The cores that run now (bm_core_count waits for those under way), and the one with a number; NULL when
// there is none.
unsigned bm_core_arrived(void);
struct bm_core *bm_core_get(unsigned id);

// start/cores.c: waits once, at most some seconds, for the cores that were called.
void bm_cores_await(void);
