// Whether the machine can be reached, and waiting for it.
// SPDX-License-Identifier: MIT
#include "wait.h"
#include "../device/device.h"
#include "address_text.h"

#include <baremetal/assert.h>
#include <baremetal/net.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>

#include "lwip/netif.h"

enum { SETTLE_SECONDS = 10 };

const ip_addr_t *bm_net_address_of(const struct netif *netif)
{
    if (!netif_is_up(netif) || !netif_is_link_up(netif))
        return NULL;
    if (!ip4_addr_isany_val(*netif_ip4_addr(netif)) && !ip4_addr_isloopback(netif_ip4_addr(netif)))
        return netif_ip_addr4(netif);
    for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
            return netif_ip_addr6(netif, i);
    return NULL;
}

static bool net_up(void *arg)
{
    const ip_addr_t *found = NULL;
    bm_net_lock();
    struct netif *netif;
    for (netif = netif_list; netif && !found; netif = netif->next)
        found = bm_net_address_of(netif);
    if (found && arg)
        *(ip_addr_t *)arg = *found;
    bm_net_unlock();
    return found != NULL;
}

bool bm_net_up(void)
{
    return net_up(NULL);
}

bool bm_net_wait(uint64_t timeout)
{
    BM_ASSERT_MAY_WAIT();
    if (!bm_net_expected())
        return bm_net_up();
    uint64_t now = bm_time_monotonic();
    return bm_wait_until(net_up, NULL, timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout);
}

void bm_net_address(char *text, size_t size)
{
    ip_addr_t address;
    if (!net_up(&address) || !bm_net_address_text(&address, text, size))
        text[0] = 0;
}

static _Atomic(bool) settled; // once is enough: afterwards calls succeed or fail at once

bool bm_net_settled(void)
{
    return settled;
}

void bm_net_settle(void)
{
    if (settled)
        return;
    if (!bm_net_up())
        bm_net_wait(SETTLE_SECONDS * 1000000000ull);
    settled = true;
}
