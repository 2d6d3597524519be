// The wall clock: the date of the machine's clock chip, which runs on by the monotonic clock.
// SPDX-License-Identifier: MIT
#include "../platform/rtc.h"

#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

#include <stdatomic.h>

enum { BEHIND_MIN = 2 }; // seconds; one is in the chip's reading
#define SECOND         1000000000ul
#define CHECK_INTERVAL (5 * SECOND)

static _Atomic(uint64_t) wall_offset;             // wall-clock time at monotonic time 0
static atomic_bool known;                         // wall_offset is valid
static _Atomic(uint64_t) next_check = UINT64_MAX; // of the date by the chip, in monotonic time

static void set(uint64_t nanoseconds)
{
    atomic_store(&wall_offset, nanoseconds - bm_time_monotonic());
    atomic_store(&known, true);
}

static struct bm_spinlock lock = BM_SPINLOCK_INIT; // of the registers

// Reads the clock when someone first asks for the date: few programs do.
static void look(void)
{
    uint64_t seconds;
    bm_spinlock_acquire(&lock);
    if (!atomic_load(&known)) {
        if (bm_rtc_read(&seconds)) {
            set(seconds * SECOND);
            atomic_store(&next_check, bm_time_monotonic() + CHECK_INTERVAL);
        } else {
            bm_log_warn("time", "this machine has no usable clock chip: the date begins at 1970-01-01 00:00");
        }
        atomic_store(&known, true);
    }
    bm_spinlock_release(&lock);
}

// A machine that was paused, or comes from a snapshot, goes on with the date that it had; the clock chip does
// not. What the date fell behind since the last check is told, and no more: programs measure time by it.
static void check(uint64_t now)
{
    static uint64_t behind; // seconds, as told
    uint64_t seconds;
    if (!bm_spinlock_try(&lock)) // in a handler, perhaps
        return;
    atomic_store(&next_check, now + CHECK_INTERVAL);
    if (bm_rtc_read(&seconds)) {
        uint64_t date = (atomic_load(&wall_offset) + now) / SECOND + behind;
        if (seconds > date + BEHIND_MIN) {
            behind += seconds - date;
            bm_log_warn("time", "the date is %lu s behind the clock chip: was the machine paused?", behind);
        }
    }
    bm_spinlock_release(&lock);
}

uint64_t bm_time_wall(void)
{
    if (!atomic_load(&known))
        look();
    uint64_t now = bm_time_monotonic();
    if (now >= atomic_load_explicit(&next_check, memory_order_relaxed))
        check(now);
    return atomic_load(&wall_offset) + now;
}

// A program that sets the date knows better than the chip.
void bm_time_set_wall(uint64_t nanoseconds)
{
    set(nanoseconds);
    atomic_store(&next_check, UINT64_MAX);
}
