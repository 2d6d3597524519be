// lwIP's timers: the protocols' periodic ones in a fixed table, and the programs' one-shot ones.
// SPDX-License-Identifier: MIT
#include "timer.h"

#include "net.h"

#include <baremetal/panic.h>
#include <baremetal/time.h>

#include "lwip/priv/tcp_priv.h"
#include "lwip/timeouts.h"

enum { PERIODIC_MAX = 16, MILLISECOND = 1000000 };

static uint64_t periodic_due[PERIODIC_MAX]; // milliseconds since boot; UINT64_MAX: not running
static _Atomic(uint64_t) earliest;          // of all timers

struct one_shot {
    struct one_shot *next; // later
    uint64_t due;
    sys_timeout_handler handler;
    void *arg;
};
static struct one_shot *one_shots;

static uint64_t now_milliseconds(void)
{
    return bm_time_monotonic() / MILLISECOND;
}

// TCP's timer runs while there are connections; the others always.
static bool periodic_needed(int i)
{
    return lwip_cyclic_timers[i].handler != tcp_tmr || tcp_active_pcbs || tcp_tw_pcbs;
}

void sys_timeouts_init(void)
{
    if (lwip_num_cyclic_timers > PERIODIC_MAX)
        bm_panic("net: %d periodic timers", lwip_num_cyclic_timers);
    uint64_t now = now_milliseconds();
    for (int i = 0; i < lwip_num_cyclic_timers; i++)
        periodic_due[i] =
            lwip_cyclic_timers[i].handler == tcp_tmr ? UINT64_MAX : now + lwip_cyclic_timers[i].interval_ms;
}

static void periodic_run(int i, uint64_t now)
{
    uint64_t interval = lwip_cyclic_timers[i].interval_ms;
    if (!periodic_needed(i)) {
        periodic_due[i] = UINT64_MAX;
        return;
    }
    if (periodic_due[i] == UINT64_MAX)
        periodic_due[i] = now + interval;
    if (periodic_due[i] > now)
        return;
    lwip_cyclic_timers[i].handler();
    periodic_due[i] += interval;
    if (periodic_due[i] <= now) // the core was busy for long: do not catch up tick by tick
        periodic_due[i] = now + interval;
}

static void one_shots_run(uint64_t now)
{
    while (one_shots && one_shots->due <= now) {
        struct one_shot *timer = one_shots;
        sys_timeout_handler handler = timer->handler;
        void *arg = timer->arg;
        one_shots = timer->next;
        bm_net_free(timer);
        handler(arg);
    }
}

void sys_check_timeouts(void)
{
    uint64_t now = now_milliseconds();
    for (int i = 0; i < lwip_num_cyclic_timers; i++)
        periodic_run(i, now);
    one_shots_run(now);
    uint64_t first = one_shots ? one_shots->due : UINT64_MAX;
    for (int i = 0; i < lwip_num_cyclic_timers; i++)
        if (periodic_due[i] < first)
            first = periodic_due[i];
    earliest = first;
}

bool bm_net_timers_due(void)
{
    return now_milliseconds() >= earliest;
}

uint64_t bm_net_timers_deadline(void)
{
    uint64_t first = earliest;
    return first == UINT64_MAX ? UINT64_MAX : first * MILLISECOND;
}

void sys_timeout(u32_t milliseconds, sys_timeout_handler handler, void *arg)
{
    struct one_shot *timer = bm_net_allocate(sizeof *timer);
    if (!timer)
        return;
    *timer = (struct one_shot){.due = now_milliseconds() + milliseconds, .handler = handler, .arg = arg};
    struct one_shot **link = &one_shots;
    while (*link && (*link)->due <= timer->due)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
    if (timer->due < earliest)
        earliest = timer->due;
}

void sys_untimeout(sys_timeout_handler handler, void *arg)
{
    for (struct one_shot **link = &one_shots; *link; link = &(*link)->next) {
        struct one_shot *timer = *link;
        if (timer->handler == handler && timer->arg == arg) {
            *link = timer->next;
            bm_net_free(timer);
            return;
        }
    }
}

u32_t sys_timeouts_sleeptime(void)
{
    uint64_t now = now_milliseconds(), first = earliest;
    return first <= now ? 0 : (u32_t)(first - now);
}
