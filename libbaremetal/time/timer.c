// The one-shot wake-up timer of each core: the local APIC's.
// SPDX-License-Identifier: MIT
//
// It runs in TSC-deadline mode where the clock allows, else it counts down.
// Waking too early is harmless, as the sleeper looks at the clock and arms again; so a rate that is known
// badly is taken to be low.
#include "../base/start.h"
#include "../cpu/apic.h"
#include "time.h"

#include <baremetal/cpu.h>
#include <baremetal/interrupt.h>
#include <baremetal/panic.h>
#include <baremetal/time.h>
#include <stdatomic.h>
#include <stddef.h>

enum {
    MSR_TSC_DEADLINE = 0x6e0,
    DIVIDE_BY_16 = 0x3, // Intel SDM volume 3, figure 11-10
    COUNT_MIN = 16,     // fewer ticks measure nothing
};
#define COUNT_MAX      UINT32_MAX
#define HZ_ASSUMED     1000000ul    // after division; slower than any APIC known
#define MEASURE_ENOUGH 1000000000ul // ns after which the rate counts as known

static struct timer {
    _Atomic(uint64_t) due; // armed for this time; UINT64_MAX: not armed, or fired
    bool ready, deadline_mode;
} timers[BM_CORES_MAX];

static int vector; // of the timer's interrupt, on every core

// How fast the counter counts, measured by core 0 between one arming and the next. The clock is read before
// the counter is started and after it is looked at, so whatever comes between (a host may stop a virtual core
// anywhere) makes the rate too low, never too high.
static struct {
    _Atomic(uint64_t) ratio; // ticks per nanosecond
    uint64_t began, length;  // the running measurement; the longest so far
    uint32_t count;          // what it began with
} rate;

_Atomic(uint64_t) bm_timer_also = UINT64_MAX;
void (*bm_timer_tick)(uint64_t rip, uint64_t rbp);

static void fired(void *arg)
{
    // bm_interrupt_dispatch has called: its frame begins with the %rbp that was interrupted; interrupt.S has
    // pushed eleven words between it and what the processor pushed.
    enum { INTERRUPTED = 13 };
    uint64_t *frame = *(uint64_t **)__builtin_frame_address(0);
    struct bm_interrupted *where = (struct bm_interrupted *)&frame[INTERRUPTED];
    (void)arg;
    atomic_store(&timers[bm_core_id()].due, UINT64_MAX);
    if (bm_slice_tick)
        bm_slice_tick(where);
    if (!bm_timer_tick)
        return;
    bm_timer_tick(where->rip, frame[0]);
    bm_timer_arm(UINT64_MAX);
}

static bool deadline_mode(void)
{
    return bm_cpu_features_get()->tsc_deadline && bm_clock_tsc_at(0) != 0;
}

// A much longer measurement replaces the last one; of others the higher rate is nearer to the truth.
static void measure(void)
{
    if (rate.length >= MEASURE_ENOUGH)
        return;
    uint32_t left = bm_apic_read(BM_APIC_TIMER_CURRENT);
    uint64_t length = bm_time_monotonic() - rate.began;
    if (length == 0 || left == 0 || left > rate.count || rate.count - left < COUNT_MIN)
        return;
    uint64_t ratio = bm_ratio_make(rate.count - left, length);
    bool longer = length / 4 > rate.length;
    if (longer || ratio > atomic_load(&rate.ratio))
        atomic_store(&rate.ratio, ratio);
    if (longer)
        rate.length = length;
}

static void count_down(unsigned core, uint64_t deadline)
{
    if (core == 0)
        measure();
    uint64_t time = bm_time_monotonic();
    uint64_t wait = deadline > time ? deadline - time : 0;
    uint64_t ticks = COUNT_MAX;
    if (wait < 1ul << 40)
        ticks = bm_ratio_apply(wait, atomic_load(&rate.ratio)) + 1;
    uint32_t count = ticks > COUNT_MAX ? COUNT_MAX : (uint32_t)ticks;
    if (core == 0) {
        rate.began = time;
        rate.count = count;
    }
    bm_apic_write(BM_APIC_TIMER_INITIAL, count);
}

static void prepare(struct timer *timer, bool deadline)
{
    bm_apic_write(BM_APIC_TIMER_DIVIDE, DIVIDE_BY_16);
    bm_apic_write(BM_APIC_LVT_TIMER, (uint32_t)vector | (deadline ? BM_APIC_LVT_TSC_DEADLINE : 0));
    __asm__ volatile("mfence" ::: "memory"); // before the first deadline is written (section 11.5.4.1)
    timer->ready = true;
    timer->deadline_mode = deadline;
    timer->due = UINT64_MAX;
}

static void arm(unsigned core, uint64_t deadline)
{
    uint64_t horizon = bm_clock_horizon(), also = atomic_load(&bm_timer_also);
    if (deadline > also)
        deadline = also;
    if (deadline > horizon)
        deadline = horizon;
    struct timer *timer = &timers[core];
    if (!timer->ready && deadline == UINT64_MAX)
        return;
    bool by_tsc = deadline_mode();
    if (!timer->ready || timer->deadline_mode != by_tsc) {
        if (timer->ready && timer->due < deadline) // what it was armed for is gone
            deadline = timer->due;
        prepare(timer, by_tsc);
    }
    // Still armed for an earlier time: waking then and arming again is cheaper than arming each time.
    if (timer->due <= deadline)
        return;
    timer->due = deadline;
    if (by_tsc)
        bm_msr_write(MSR_TSC_DEADLINE, bm_clock_tsc_at(deadline) + 1);
    else
        count_down(core, deadline);
}

// The handler arms, too.
void bm_timer_arm(uint64_t deadline)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    arm(bm_core_id(), deadline);
    __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

// The counter counts from here, masked, so that the first arming finds something measured.
void bm_timer_start(void)
{
    vector = bm_interrupt_allocate(fired, NULL);
    if (vector < 0)
        bm_panic("time: no interrupt vector is left for the timer");
    atomic_store(&rate.ratio, bm_ratio_make(HZ_ASSUMED, 1000000000));
    bm_apic_write(BM_APIC_LVT_TIMER, BM_VECTOR_TIMER | BM_APIC_LVT_MASKED);
    bm_apic_write(BM_APIC_TIMER_DIVIDE, DIVIDE_BY_16);
    rate.count = COUNT_MAX;
    rate.began = bm_time_monotonic();
    bm_apic_write(BM_APIC_TIMER_INITIAL, COUNT_MAX);
}
