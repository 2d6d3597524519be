// What the files of this folder share.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Ratios are fixed-point numbers with this many fractional bits: nanoseconds per tick, or ticks per
// nanosecond.
enum { BM_RATIO_BITS = 40 };

// value * ratio. Any value; the result must fit in 64 bits.
static inline uint64_t bm_ratio_apply(uint64_t value, uint64_t ratio)
{
    return (uint64_t)((unsigned __int128)value * ratio >> BM_RATIO_BITS);
}

// a / b as a ratio, rounded down. b > a >> 24, else the result would not fit: then UINT64_MAX. One
// instruction, as a division of 128 bits in C would call a function of the compiler's library.
static inline uint64_t bm_ratio_make(uint64_t a, uint64_t b)
{
    uint64_t high = a >> (64 - BM_RATIO_BITS), low = a << BM_RATIO_BITS, quotient, rest;
    if (b <= high)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(quotient), "=d"(rest) : "a"(low), "d"(high), "r"(b) : "cc");
    return quotient;
}

// counter.c: the machine's reference counter, the best of HPET, PM timer and PIT.
struct bm_counter {
    const char *name; // "hpet", "pmtimer", "pit"
    uint64_t ratio;   // nanoseconds per tick
    uint64_t wrap; // nanoseconds after which its register starts over: it has to be read more often than that
    uint32_t (*read)(void);  // the register
    uint32_t mask;           // its valid bits
    _Atomic(uint64_t) total; // ticks since its start
};
// Finds and starts it; NULL when the machine has none.
struct bm_counter *bm_counter_start(void);
// Ticks since its start; never goes back. Any context.
uint64_t bm_counter_read(struct bm_counter *counter);

// kvmclock.c: KVM's paravirtual clock. Start returns whether the hypervisor has it; read gives its
// nanoseconds.
bool bm_kvmclock_start(void);
uint64_t bm_kvmclock_read(void);

// clock.c
// Until when a core may sleep at most so that no wrap of the counter in use is missed. UINT64_MAX: no limit.
uint64_t bm_clock_horizon(void);
// The time-stamp counter's value at a time of bm_time_monotonic(). 0 when the clock does not run on it.
uint64_t bm_clock_tsc_at(uint64_t time);

// timer.c; only in images that wait.
void bm_timer_start(void) __attribute__((weak));
// A time at which the timer of every core that arms it fires besides (UINT64_MAX: none), and who is called
// then, in the handler, with the place that was interrupted; NULL: nobody.
extern _Atomic(uint64_t) bm_timer_also;
extern void (*bm_timer_tick)(uint64_t rip, uint64_t rbp);
// What was interrupted, as the processor pushes it (Intel SDM volume 3, section 6.14.2).
struct bm_interrupted {
    uint64_t rip, cs, rflags, rsp, ss;
};
// wait/slice.c, in images with threads: called whenever the timer fires, in the handler; may change where it
// returns to.
void bm_slice_tick(struct bm_interrupted *where) __attribute__((weak));
// Arms the wake-up timer of this core for a time of bm_time_monotonic(), UINT64_MAX disarms. Used by
// bm_wait_until.
void bm_timer_arm(uint64_t deadline);

// apic_clock.c
// Ticks of the time-stamp counter in one second, by the local APIC's timer, which it uses for a millisecond.
// 0 when nobody promises how fast that one counts. Core 0, before bm_timer_start.
uint64_t bm_apic_measure_tsc(void);
