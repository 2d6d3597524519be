// When samples are taken.
// SPDX-License-Identifier: MIT
//
// The timer of any core, once in each period, sends an interrupt to all cores that do not sleep, its own as
// well; cores that sleep are only counted.
#include <baremetal/profile.h>

#include "../cpu/apic.h"
#include "../cpu/core.h"
#include "profile.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/lock.h>
#include <baremetal/time.h>
#include <stdatomic.h>

enum { ICR_ASSERT = 1 << 14 };
#define SECOND 1000000000ul

static struct {
    struct bm_spinlock lock;                    // of who starts and stops
    unsigned cores;                             // that have a table
    _Atomic(uint64_t) period, next;             // ns; period 0: it does not run
    void (*before)(uint64_t rip, uint64_t rbp); // who else has the timers' tick: the watchdog
    struct bm_profile_table *tables[BM_CORES_MAX];
    _Atomic(uint64_t) asleep[BM_CORES_MAX];
} profile;

struct bm_profile_table *bm_profile_table_of(unsigned core)
{
    return core < profile.cores ? profile.tables[core] : NULL;
}

uint64_t bm_profile_asleep(unsigned core)
{
    return profile.asleep[core];
}

static void sample_all(void)
{
    for (unsigned i = 0; i < bm_core_arrived() && i < profile.cores; i++) {
        const struct bm_core *core = bm_core_get(i);
        if (atomic_load(&core->asleep))
            atomic_fetch_add_explicit(&profile.asleep[i], 1, memory_order_relaxed);
        else
            bm_apic_send(core->apic_id, ICR_ASSERT | BM_VECTOR_PROFILE);
    }
}

// When the timers fire besides; a time that has passed would make them fire without end. What the watchdog
// has set stays where it comes first.
static void set_also(void)
{
    if (profile.period)
        bm_timer_also = profile.next;
    if (!profile.period && !profile.before) // it may have been stopped meanwhile
        bm_timer_also = UINT64_MAX;
}

// In the handler of a core's timer. The watchdog names its own next look there, and is asked each time
// instead.
static void tick(uint64_t rip, uint64_t rbp)
{
    if (profile.before)
        profile.before(rip, rbp);
    uint64_t now = bm_time_monotonic(), period = profile.period, next = profile.next;
    if (!period) {
        set_also();
        return;
    }
    if (now >= next) {
        uint64_t after = next + period > now ? next + period : now + period;
        if (atomic_compare_exchange_strong(&profile.next, &next, after))
            sample_all();
    }
    set_also();
}

static int make_tables(void)
{
    unsigned wanted = bm_core_called();
    for (; profile.cores < wanted; profile.cores++) {
        profile.tables[profile.cores] = bm_profile_table_make();
        if (!profile.tables[profile.cores])
            return -BM_ENOMEM;
    }
    return 0;
}

static int start(unsigned rate)
{
    if (profile.period)
        return -BM_EBUSY;
    int error = make_tables();
    if (error)
        return error;
    bm_profile_walk_start();
    bm_interrupt_gate(BM_VECTOR_PROFILE, bm_profile_entry);
    if (bm_timer_tick != tick) {
        profile.before = bm_timer_tick;
        bm_timer_tick = tick;
    }
    profile.next = bm_time_monotonic() + SECOND / rate;
    profile.period = SECOND / rate;
    bm_timer_also = profile.next;
    bm_timer_arm(UINT64_MAX);
    return 0;
}

int bm_profile_start(unsigned rate)
{
    BM_ASSERT_NO_HANDLER();
    if (rate < BM_PROFILE_RATE_MIN || rate > BM_PROFILE_RATE_MAX)
        return -BM_EINVAL;
    bm_spinlock_acquire(&profile.lock);
    int error = start(rate);
    bm_spinlock_release(&profile.lock);
    return error;
}

// The tick stays: with no period it only asks the watchdog, whose own next look it no longer hides.
void bm_profile_stop(void)
{
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&profile.lock);
    profile.period = 0;
    bm_timer_also = profile.before ? bm_time_monotonic() : UINT64_MAX;
    bm_timer_arm(UINT64_MAX);
    bm_spinlock_release(&profile.lock);
}
