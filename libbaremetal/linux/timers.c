// Timers that send signals, in one list by their deadlines.
// SPDX-License-Identifier: MIT
//
// Whoever waits serves them, as a device (wait.h); where all cores compute, the tick of the time slices is
// set to the first deadline and lets the thread serve them that it finds in its own text (signal_frame.c). A
// periodic one is set again when its signal has been taken, which tells how many times it was late.
#include "timers.h"
#include "../base/start.h"
#include "../time/time.h"
#include "../wait/fiber.h"
#include "../wait/poller.h"
#include "linux.h"

#include <baremetal/lock.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

static struct bm_linux_timer *list;                // the earliest first
static _Atomic(uint64_t) earliest = UINT64_MAX;    // its deadline
static struct bm_spinlock lock = BM_SPINLOCK_INIT; // before that of the signals

static void list_changed(void)
{
    atomic_store(&earliest, list ? list->deadline : UINT64_MAX);
}

static void remove(struct bm_linux_timer *timer)
{
    if (!timer->listed)
        return;
    timer->listed = false;
    if (timer->next)
        timer->next->previous = timer->previous;
    *(timer->previous ? &timer->previous->next : &list) = timer->next;
    list_changed();
}

static void insert(struct bm_linux_timer *timer)
{
    struct bm_linux_timer *before = NULL, *after = list;
    while (after && after->deadline <= timer->deadline) {
        before = after;
        after = after->next;
    }
    timer->previous = before;
    timer->next = after;
    if (after)
        after->previous = timer;
    *(before ? &before->next : &list) = timer;
    timer->listed = true;
    list_changed();
}

// Sets a periodic one whose deadline has passed to the next that has not; returns how many it missed.
static uint64_t forward(struct bm_linux_timer *timer, uint64_t now)
{
    uint64_t missed = now > timer->deadline ? (now - timer->deadline) / timer->interval : 0;
    uint64_t next;
    if (__builtin_mul_overflow(missed + 1, timer->interval, &next) ||
        __builtin_add_overflow(timer->deadline, next, &timer->deadline))
        timer->deadline = UINT64_MAX;
    timer->wall = 0; // from here on it goes by intervals
    return missed;
}

static void set_again(struct bm_linux_timer *timer, uint64_t now)
{
    if (!timer->interval) {
        timer->deadline = 0;
        return;
    }
    forward(timer, now);
    insert(timer);
}

// Its thread has ended, and perhaps another one has the structure.
static bool is_gone(const struct bm_linux_timer *timer)
{
    const struct bm_linux_signals *to = timer->to;
    return to && (to->generation != timer->generation || to->ended);
}

// A timer's time has come. What ignores its signal, or has one pending already, does not stop it.
static void expire(struct bm_linux_timer *timer, uint64_t now)
{
    remove(timer);
    timer->awaits = true;
    if (is_gone(timer)) { // for good, as on Linux: nobody takes its signals
        timer->awaits = false;
        timer->deadline = 0;
    } else if (bm_linux_signal_send(timer->to, &timer->own.what, &timer->own) <= 0) {
        timer->awaits = false;
        set_again(timer, now);
    } else if (!timer->interval) {
        timer->deadline = 0;
    }
}

void bm_linux_timers_serve(void)
{
    if (atomic_load(&earliest) > bm_time_monotonic())
        return;
    bm_spinlock_acquire(&lock);
    uint64_t now = bm_time_monotonic();
    while (list && list->deadline <= now)
        expire(list, now);
    bm_spinlock_release(&lock);
}

uint64_t bm_linux_timers_due(void)
{
    return atomic_load(&earliest);
}

static bool poll(void *arg)
{
    (void)arg;
    bm_linux_timers_serve();
    return false; // whom it concerns is awake
}

static uint64_t deadline(void *arg)
{
    (void)arg;
    return atomic_load(&earliest);
}

// Cores that halt have their timer set for a later time. This one's ends what it computes.
static void tell_cores(uint64_t time)
{
    static struct bm_poller poller = {.name = "interval timers", .poll = poll, .deadline = deadline};
    static atomic_bool added;
    if (!atomic_exchange(&added, true))
        bm_poller_add(&poller);
    bm_wait_interrupted();
    bm_wait_wake_cores();
    bm_timer_arm(time);
}

void bm_linux_timer_taken(struct bm_linux_queued *own, struct bm_linux_signal *what)
{
    struct bm_linux_timer *timer =
        (struct bm_linux_timer *)((char *)own - offsetof(struct bm_linux_timer, own));
    bm_spinlock_acquire(&lock);
    bool newer = atomic_load(&own->queued); // set and expired again meanwhile: that one goes on with it
    bool again = timer->awaits && timer->interval && !newer;
    uint64_t missed = 0, next;
    if (again) {
        missed = forward(timer, bm_time_monotonic());
        insert(timer);
    }
    if (!newer)
        timer->awaits = false;
    own->overruns = missed < INT32_MAX ? (unsigned)missed : INT32_MAX;
    next = timer->deadline;
    bool first = again && list == timer;
    bm_spinlock_release(&lock);
    if (what->code == LINUX_SI_TIMER)
        what->words[0] |= (uint64_t)own->overruns << 32;
    if (first)
        tell_cores(next);
}

// Under the lock.
static struct bm_linux_times times_of(const struct bm_linux_timer *timer, uint64_t now)
{
    struct bm_linux_times times = {0, timer->interval};
    if (!timer->deadline)
        return times;
    if (timer->deadline > now)
        times.left = timer->deadline - now;
    else if (timer->interval)
        times.left = timer->interval - (now - timer->deadline) % timer->interval;
    else if (timer->sends)
        times.left = 1; // its signal is about to come
    return times;
}

struct bm_linux_times bm_linux_timer_get(struct bm_linux_timer *timer)
{
    bm_spinlock_acquire(&lock);
    struct bm_linux_times times = times_of(timer, bm_time_monotonic());
    bm_spinlock_release(&lock);
    return times;
}

static uint64_t monotonic_of(uint64_t wall, uint64_t now)
{
    uint64_t today = bm_time_wall();
    return wall > today ? now + (wall - today) : now;
}

struct bm_linux_times bm_linux_timer_set(struct bm_linux_timer *timer, struct bm_linux_times wanted,
                                         uint64_t wall)
{
    if (wanted.left || wall) {
        bm_linux_signal_prepare();
        bm_thread_adopt(); // a thread has ticks, which its computing does not keep from coming
    }
    bm_spinlock_acquire(&lock);
    uint64_t now = bm_time_monotonic();
    struct bm_linux_times before = times_of(timer, now);
    remove(timer);
    timer->awaits = false;
    bm_linux_signal_withdraw(timer->to, &timer->own);
    timer->own.overruns = 0;
    timer->interval = wanted.interval;
    timer->wall = wall;
    timer->deadline = wall ? monotonic_of(wall, now) : wanted.left ? bm_linux_deadline(wanted.left) : 0;
    if (timer->deadline && timer->sends)
        insert(timer);
    uint64_t next = timer->deadline;
    bool first = timer->listed && list == timer;
    bm_spinlock_release(&lock);
    if (first)
        tell_cores(next);
    return before;
}

// The time of day was set: those that mean one have another deadline.
void bm_linux_timers_clock_set(void)
{
    struct bm_linux_timer *moved = NULL, *at, *next;
    bm_spinlock_acquire(&lock);
    for (at = list; at; at = next) {
        next = at->next;
        if (!at->wall)
            continue;
        remove(at);
        at->next = moved;
        moved = at;
    }
    for (at = moved; at; at = next) {
        next = at->next;
        at->deadline = monotonic_of(at->wall, bm_time_monotonic());
        insert(at);
    }
    uint64_t first = atomic_load(&earliest);
    bm_spinlock_release(&lock);
    if (moved)
        tell_cores(first);
}
