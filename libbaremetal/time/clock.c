// The monotonic clock: which counter it runs on, and how it moves from one to another without a step.
// SPDX-License-Identifier: MIT
// @optimize balance
//
// Nothing is waited for at boot. When no one tells the frequency of the time-stamp counter, the clock starts
// on the reference counter; once some milliseconds have passed by themselves, the two are compared, the clock
// moves to the time-stamp counter, and the ratio is refined twice as the time base grows. Readers take no
// lock: they look again when the clock changed meanwhile.
#include "../base/start.h"
#include "../platform/rtc.h"
#include "time.h"

#include <baremetal/assert.h>
#include <baremetal/cpu.h>
#include <baremetal/log.h>
#include <baremetal/time.h>
#include <stdatomic.h>
#include <stddef.h>

enum source { SOURCE_NONE, SOURCE_KVMCLOCK, SOURCE_TSC, SOURCE_COUNTER };

#define MILLISECOND 1000000ul
#define NEVER       UINT64_MAX
#define TSC_HZ_MIN  10000000ul
#define TSC_HZ_MAX  100000000000ul
enum {
    LEAF_TSC = 0x15,
    LEAF_FREQUENCY = 0x16,
    LEAF_HYPERVISOR_TIMING = 0x40000010,
    PAIR_TRIES = 4,
    RESTARTS_MAX = 8
};

// Read under `sequence`: odd while it is written.
static struct {
    _Atomic(uint32_t) sequence;
    _Atomic(uint32_t) source;
    _Atomic(uint64_t) base;      // of the source's counter, at…
    _Atomic(uint64_t) base_time; // …this time
    _Atomic(uint64_t) ratio;     // nanoseconds per tick
} now;

static struct bm_counter *counter;

// Comparing the time-stamp counter with the reference counter.
static struct {
    _Atomic(uint64_t) due; // time of the next comparison
    atomic_uint busy;
    unsigned stage, restarts;
    uint64_t boot_tsc;   // at time 0
    uint64_t tsc, ticks; // both counters when the measurement began
} calibration = {.due = NEVER};

static const uint64_t stage_length[] = {2 * MILLISECOND, 50 * MILLISECOND, 1000 * MILLISECOND};
enum { STAGES = sizeof stage_length / sizeof *stage_length };

static uint64_t tsc_read(void)
{
    __asm__ volatile("lfence" ::: "memory"); // not before what is loaded earlier
    return bm_cpu_tsc();
}

static uint64_t source_read(uint32_t source)
{
    switch (source) {
    case SOURCE_TSC:
        return tsc_read();
    case SOURCE_COUNTER:
        return bm_counter_read(counter);
    case SOURCE_KVMCLOCK:
        return bm_kvmclock_read();
    default:
        return 0;
    }
}

// The time at the value `at` of the source's counter. A value before the base comes from a core whose counter
// lags: no step back.
__attribute__((always_inline)) static inline uint64_t time_at(uint64_t at)
{
    uint64_t ticks = at - atomic_load_explicit(&now.base, memory_order_relaxed);
    if ((int64_t)ticks < 0)
        ticks = 0;
    return atomic_load_explicit(&now.base_time, memory_order_relaxed) +
           bm_ratio_apply(ticks, atomic_load_explicit(&now.ratio, memory_order_relaxed));
}

static void set(enum source source, uint64_t base, uint64_t time, uint64_t ratio)
{
    atomic_store_explicit(&now.source, source, memory_order_relaxed);
    atomic_store_explicit(&now.base, base, memory_order_relaxed);
    atomic_store_explicit(&now.base_time, time, memory_order_relaxed);
    atomic_store_explicit(&now.ratio, ratio, memory_order_relaxed);
}

// Reads both counters as close together as a few tries allow.
static void read_pair(uint64_t *tsc, uint64_t *ticks)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < PAIR_TRIES; i++) {
        uint64_t before = tsc_read();
        uint64_t value = bm_counter_read(counter);
        uint64_t width = tsc_read() - before;
        if (width < best) {
            best = width;
            *tsc = before + width / 2;
            *ticks = value;
        }
    }
}

static uint64_t counter_time(uint64_t ticks)
{
    return bm_ratio_apply(ticks, counter->ratio);
}

static void measurement_begin(void)
{
    read_pair(&calibration.tsc, &calibration.ticks);
}

// Whether the reference counter may have wrapped unseen since the measurement began; a quarter is left for
// the measurement itself. While the ratio is unknown, a time-stamp counter of 1 GHz is assumed, which faster
// ones only make more careful.
static bool measurement_stale(void)
{
    uint64_t ticks = tsc_read() - calibration.tsc;
    uint64_t passed = calibration.stage == 0 ? ticks : bm_ratio_apply(ticks, now.ratio);
    return passed > counter->wrap / 4 * 3;
}

// Moves the clock to the time-stamp counter with the ratio measured so far. Runs with interrupts off, as a
// handler that read the clock would wait for ever for the sequence to become even.
static void measurement_apply(void)
{
    uint64_t flags, tsc = 0, ticks = 0;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    uint32_t sequence = atomic_load(&now.sequence);
    atomic_store(&now.sequence, sequence + 1);
    read_pair(&tsc, &ticks);
    uint64_t passed = counter_time(ticks - calibration.ticks);
    uint64_t ratio = bm_ratio_make(passed, tsc - calibration.tsc);
    bool plausible =
        ratio >= bm_ratio_make(1000000000, TSC_HZ_MAX) && ratio <= bm_ratio_make(1000000000, TSC_HZ_MIN);
    if (plausible) {
        uint64_t time = time_at(calibration.stage == 0 ? ticks : tsc);
        if (calibration.stage == 0) { // the time of wraps that nobody saw
            uint64_t whole = bm_ratio_apply(tsc - calibration.boot_tsc, ratio);
            time = whole > time ? whole : time;
        }
        set(SOURCE_TSC, tsc, time, ratio);
    }
    atomic_store(&now.sequence, sequence + 2);
    __asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
    if (!plausible) {
        bm_log_warn("time", "the time-stamp counter does not keep time; the clock stays on %s",
                    bm_time_source());
        calibration.stage = STAGES;
    }
}

// One comparison, when it is due. Any context but handlers of the same core in the middle of one: `busy`
// keeps those out. Not inlined, so that the reader of the clock stays short.
__attribute__((noinline)) static void calibrate(uint64_t time)
{
    if (atomic_exchange_explicit(&calibration.busy, 1, memory_order_acquire))
        return;
    if (time >= atomic_load(&calibration.due)) {
        if (measurement_stale()) {
            measurement_begin();
            if (calibration.stage ==
                0) // the program did not look at the clock for long: it will not mind this wait
                while (counter_time(bm_counter_read(counter) - calibration.ticks) < stage_length[0])
                    __builtin_ia32_pause();
            else if (++calibration.restarts > RESTARTS_MAX)
                calibration.stage = STAGES;
        }
        uint64_t length = counter_time(bm_counter_read(counter) - calibration.ticks);
        if (calibration.stage < STAGES && length >= stage_length[calibration.stage]) {
            measurement_apply();
            calibration.stage++;
        }
        uint64_t due = NEVER;
        if (calibration.stage < STAGES)
            due = time + stage_length[calibration.stage];
        atomic_store(&calibration.due, due);
    }
    atomic_store_explicit(&calibration.busy, 0, memory_order_release);
}

uint64_t bm_time_monotonic(void)
{
    uint64_t time;
    uint32_t sequence;
    for (;;) {
        sequence = atomic_load_explicit(&now.sequence, memory_order_acquire);
        time = time_at(source_read(atomic_load_explicit(&now.source, memory_order_relaxed)));
        atomic_thread_fence(memory_order_acquire);
        if (!(sequence & 1) && sequence == atomic_load_explicit(&now.sequence, memory_order_relaxed))
            break;
        __builtin_ia32_pause();
    }
    if (time >= atomic_load_explicit(&calibration.due, memory_order_relaxed))
        calibrate(time);
    return time;
}

const char *bm_time_source(void)
{
    switch (atomic_load(&now.source)) {
    case SOURCE_KVMCLOCK:
        return "kvmclock";
    case SOURCE_TSC:
        return "tsc";
    case SOURCE_COUNTER:
        return counter->name;
    default:
        return "none";
    }
}

uint64_t bm_clock_horizon(void)
{
    if (atomic_load(&now.source) != SOURCE_COUNTER)
        return NEVER;
    return bm_time_monotonic() + counter->wrap / 4;
}

uint64_t bm_clock_tsc_at(uint64_t time)
{
    if (atomic_load(&now.source) != SOURCE_TSC)
        return 0;
    uint64_t current = bm_time_monotonic();
    uint64_t wait = time > current ? time - current : 0;
    if (wait > 1000000 * MILLISECOND)
        wait = 1000000 * MILLISECOND; // far enough: the sleeper looks again
    return bm_cpu_tsc() + bm_ratio_apply(wait, bm_ratio_make(1ul << 40, atomic_load(&now.ratio)));
}

void bm_time_delay(uint64_t nanoseconds)
{
    BM_ASSERT(nanoseconds <= 1000 * MILLISECOND, "a busy wait must last some milliseconds at most");
    if (atomic_load(&now.source) == SOURCE_NONE) { // early in boot: a port access takes about a microsecond
        for (uint64_t i = 0; i <= nanoseconds / 1000; i++)
            bm_port_in8(0x61);
        return;
    }
    uint64_t end = bm_time_monotonic() + nanoseconds;
    while (bm_time_monotonic() < end)
        __builtin_ia32_pause();
}

static uint64_t plausible_hz(uint64_t hz)
{
    return hz >= TSC_HZ_MIN && hz <= TSC_HZ_MAX ? hz : 0;
}

// What the CPU or the hypervisor tells exactly (Intel SDM volume 2, CPUID; KVM and VMware timing leaf), 0
// when neither does.
static uint64_t tsc_hz_told(const struct bm_cpu_features *cpu)
{
    if (cpu->hypervisor && cpu->hypervisor_leaf_max >= LEAF_HYPERVISOR_TIMING) {
        uint64_t khz = bm_cpu_id(LEAF_HYPERVISOR_TIMING, 0).eax;
        if (plausible_hz(khz * 1000))
            return khz * 1000;
    }
    if (bm_cpu_id(0, 0).eax >= LEAF_TSC) {
        struct bm_cpuid leaf = bm_cpu_id(LEAF_TSC, 0);
        if (leaf.eax && leaf.ebx && leaf.ecx)
            return plausible_hz((uint64_t)leaf.ecx * leaf.ebx / leaf.eax);
    }
    return 0;
}

// Where no reference counter is: the local APIC's timer of a known hypervisor, the CPU's nominal frequency,
// or the seconds of the RTC. Says which one it was, as the clock is as good as that.
static uint64_t tsc_hz_last_resort(void)
{
    uint64_t hz = plausible_hz(bm_apic_measure_tsc());
    const char *source = "the local APIC's timer, in a millisecond";
    if (!hz && bm_cpu_id(0, 0).eax >= LEAF_FREQUENCY) {
        hz = plausible_hz((bm_cpu_id(LEAF_FREQUENCY, 0).eax & 0xffff) * 1000000ul);
        source = "the CPU's nominal frequency";
    }
    if (!hz) {
        hz = plausible_hz(bm_rtc_measure_tsc());
        source = "the real-time clock's seconds";
    }
    if (!hz) {
        bm_log_warn(
            "time",
            "nothing tells the time-stamp counter's frequency; the clock assumes 1 GHz and will be wrong");
        return 1000000000;
    }
    bm_log_info("time", "the time-stamp counter runs at %lu kHz by %s", hz / 1000, source);
    return hz;
}

static void clock_start(void)
{
    const struct bm_cpu_features *cpu = bm_cpu_features_get();
    if (bm_kvmclock_start()) {
        set(SOURCE_KVMCLOCK, bm_kvmclock_read(), 0, 1ul << BM_RATIO_BITS);
        return;
    }
    bool steady = cpu->tsc_invariant || cpu->hypervisor;
    uint64_t hz = steady ? tsc_hz_told(cpu) : 0;
    if (!hz) {
        counter = bm_counter_start();
        if (!counter)
            hz = tsc_hz_last_resort();
    }
    if (hz) {
        set(SOURCE_TSC, bm_cpu_tsc(), 0, bm_ratio_make(1000000000, hz));
        return;
    }
    set(SOURCE_COUNTER, bm_counter_read(counter), 0, counter->ratio);
    if (steady) {
        measurement_begin();
        calibration.boot_tsc = calibration.tsc;
        atomic_store(&calibration.due, stage_length[0]);
    }
}

void bm_time_start(void)
{
    clock_start();
    if (bm_timer_start)
        bm_timer_start();
}
