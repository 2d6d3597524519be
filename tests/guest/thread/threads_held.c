// Under the network's lock and in a poller a core keeps what it runs, also when a lock of libc is taken.
// SPDX-License-Identifier: MIT
// @link net drivers
// @append ip=off
// @smp 2
// @machines q35
#include "check.h"

#include <baremetal/thread.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

#include <lwip/tcpip.h>
#include <stdatomic.h>
#include <sys/lock.h>

enum { HELD_LONG = 20000000 }; // ns, in which a core that gives way would have done so many times

static _LOCK_T lock;
static atomic_bool held, wanted, ran, taken;

// Has the other core all the time, and the lock until somebody has wanted it for a while.
static void *hold(void *arg)
{
    __lock_acquire(lock);
    held = true;
    while (!wanted)
        ;
    uint64_t until = bm_time_monotonic() + HELD_LONG;
    while (!ran && bm_time_monotonic() < until)
        ;
    __lock_release(lock);
    while (!taken)
        ;
    return arg;
}

// Can run on main's core alone, since the other one computes.
static void *run(void *arg)
{
    ran = true;
    return arg;
}

static void take(void)
{
    wanted = true;
    __lock_acquire(lock);
    CHECK(!ran);
    taken = true;
    __lock_release(lock);
}

static void take_locked(void)
{
    LOCK_TCPIP_CORE();
    take();
    UNLOCK_TCPIP_CORE();
}

static bool polled;

static bool poll(void *arg)
{
    (void)arg;
    if (held && !wanted) {
        take();
        polled = true;
    }
    return false;
}

static void take_in_poller(void)
{
    static struct bm_poller poller = {.name = "taker", .poll = poll};
    bm_poller_add(&poller);
    bm_poll();
    CHECK(polled);
}

static void check(void (*function)(void))
{
    struct bm_thread *holder, *other;
    held = wanted = ran = taken = false;
    CHECK(bm_thread_create(&holder, hold, NULL, NULL) == 0);
    while (!held) // the other core comes and takes it
        ;
    CHECK(bm_thread_create(&other, run, NULL, NULL) == 0);
    function();
    CHECK(bm_thread_join(holder, NULL, UINT64_MAX) == 0);
    CHECK(bm_thread_join(other, NULL, UINT64_MAX) == 0);
    CHECK(ran);
}

int main(void)
{
    __lock_init(lock);
    check(take_locked);
    check(take_in_poller);
    return passed();
}
