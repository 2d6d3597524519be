// lwIP's timers: the protocols' periodic ones in a fixed table, and the programs' one-shot ones.
// SPDX-License-Identifier: MIT
#include "timer.h"
#include "hooks.h"
#include "private.h"

#include "memory.h"

#include <baremetal/panic.h>
#include <baremetal/time.h>

#include "arch/bm_assert.h"
#include "lwip/igmp.h"
#pragma weak igmp_tmr // it may be left out
#include "lwip/mld6.h"
#include "lwip/timeouts.h"

enum { PERIODIC_MAX = 16, PERIODIC_TCP = 0, MILLISECOND = 1000000 };

// Milliseconds since boot; UINT64_MAX: not running. Changed under the core lock.
static _Atomic(uint64_t) periodic_due[PERIODIC_MAX];
static _Atomic(uint64_t) earliest; // of all timers

static struct bm_net_timer *one_shots; // the earliest first

uint64_t bm_net_now(void)
{
    return bm_time_monotonic() / MILLISECOND;
}

static bool tcp_needs_timer(void)
{
    return tcp_active_pcbs || tcp_tw_pcbs;
}

static bool igmp_needs_timer(void)
{
    struct netif *netif;
    NETIF_FOREACH(netif)
    for (const struct igmp_group *group = netif_igmp_data(netif); group; group = group->next)
        if (group->timer)
            return true;
    return false;
}

static bool mld6_needs_timer(void)
{
    struct netif *netif;
    NETIF_FOREACH(netif)
    for (const struct mld_group *group = netif_mld6_data(netif); group; group = group->next)
        if (group->timer)
            return true;
    return false;
}

// The timers that tick more than once a second run only while they have something to count, so that an idle
// machine may sleep. All others run always, in step with each other. What starts to count between two looks
// is seen at once for TCP and after a query of a multicast router, else within a second.
static const struct {
    lwip_cyclic_timer_handler handler;
    bool (*needed)(void);
} quick[] = {{tcp_tmr, tcp_needs_timer}, {igmp_tmr, igmp_needs_timer}, {mld6_tmr, mld6_needs_timer}};

static bool periodic_needed(int i)
{
    if (!lwip_cyclic_timers[i].handler) // of a part that was left out
        return false;
    for (unsigned k = 0; k < sizeof quick / sizeof *quick; k++)
        if (quick[k].handler == lwip_cyclic_timers[i].handler)
            return quick[k].needed();
    return true;
}

void sys_timeouts_init(void)
{
    if (lwip_num_cyclic_timers > PERIODIC_MAX || lwip_cyclic_timers[PERIODIC_TCP].handler != tcp_tmr)
        bm_panic("net: lwIP's table of %d periodic timers is another one", lwip_num_cyclic_timers);
    for (int i = 0; i < lwip_num_cyclic_timers; i++)
        periodic_due[i] = UINT64_MAX; // until the first look
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
        struct bm_net_timer *timer = one_shots;
        void (*handler)(void *) = timer->handler;
        void *arg = timer->arg;
        one_shots = timer->next;
        if (timer->allocated)
            bm_net_free(timer);
        handler(arg);
    }
}

void sys_check_timeouts(void)
{
    uint64_t now = bm_net_now();
    for (int i = 0; i < lwip_num_cyclic_timers; i++)
        periodic_run(i, now);
    one_shots_run(now);
    uint64_t first = one_shots ? one_shots->due : UINT64_MAX;
    for (int i = 0; i < lwip_num_cyclic_timers; i++)
        if (periodic_due[i] < first)
            first = periodic_due[i];
    earliest = first;
}

void bm_net_timers_look(void)
{
    BM_NET_ASSERT_LOCKED();
    earliest = 0;
}

bool bm_net_timers_due(void)
{
    if (periodic_due[PERIODIC_TCP] == UINT64_MAX && tcp_active_pcbs)
        return true;
    return bm_net_now() >= earliest;
}

uint64_t bm_net_timers_deadline(void)
{
    uint64_t first = earliest;
    return first == UINT64_MAX ? UINT64_MAX : first * MILLISECOND;
}

void bm_net_timer_stop(struct bm_net_timer *timer)
{
    BM_NET_ASSERT_LOCKED();
    for (struct bm_net_timer **link = &one_shots; *link; link = &(*link)->next)
        if (*link == timer) {
            *link = timer->next;
            return;
        }
}

void bm_net_timer_start(struct bm_net_timer *timer, uint64_t milliseconds)
{
    BM_NET_ASSERT_LOCKED();
    BM_ASSERT(timer->handler, "a timer must have a handler");
    bm_net_timer_stop(timer);
    timer->due = bm_net_now() + milliseconds;
    struct bm_net_timer **link = &one_shots;
    while (*link && (*link)->due <= timer->due)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
    if (timer->due < earliest)
        earliest = timer->due;
}

void sys_timeout(u32_t milliseconds, sys_timeout_handler handler, void *arg)
{
    struct bm_net_timer *timer = bm_net_allocate(sizeof *timer);
    if (!timer)
        return;
    *timer = (struct bm_net_timer){.handler = handler, .arg = arg, .allocated = true};
    bm_net_timer_start(timer, milliseconds);
}

void sys_untimeout(sys_timeout_handler handler, void *arg)
{
    for (struct bm_net_timer *timer = one_shots; timer; timer = timer->next)
        if (timer->handler == handler && timer->arg == arg && timer->allocated) {
            bm_net_timer_stop(timer);
            bm_net_free(timer);
            return;
        }
}

u32_t sys_timeouts_sleeptime(void)
{
    uint64_t now = bm_net_now(), first = earliest;
    return first <= now ? 0 : (u32_t)(first - now);
}
