// What a waiting core does for the stack besides the devices: timers, loopback, frames that waited for room.
// SPDX-License-Identifier: MIT
#include "../lwip/timer.h"
#include "device.h"

#include <baremetal/wait.h>

#include "lwip/netif.h"
#include "lwip/tcpip.h"
#include "lwip/timeouts.h"

int tcpip_thread_poll_one(void);

static bool loopback_waits(void)
{
    struct netif *netif;
    NETIF_FOREACH(netif)
    if (netif->loop_first)
        return true;
    return false;
}

static bool net_poll(void *arg)
{
    (void)arg;
    bool worked = tcpip_thread_poll_one() != 0;
    bool loopback = loopback_waits(), timers = bm_net_timers_due(), room = bm_net_interface_work();
    if (!loopback && !timers && !room)
        return worked;
    bm_net_lock();
    if (room)
        bm_net_interface_retry();
    if (loopback) {
        bm_net_interface_trust();
        netif_poll_all();
    }
    if (timers)
        sys_check_timeouts();
    bm_net_unlock();
    return true;
}

static bool net_arm(void *arg)
{
    (void)arg;
    return loopback_waits() || bm_net_interface_work();
}

static uint64_t net_deadline(void *arg)
{
    (void)arg;
    return bm_net_timers_deadline();
}

void bm_net_poller_start(void)
{
    static struct bm_poller poller = {
        .name = "net", .poll = net_poll, .arm = net_arm, .deadline = net_deadline};
    bm_poller_add(&poller);
}
