// Another host that claims an address of this machine: said once a minute.
// SPDX-License-Identifier: MIT
#include "device.h"

#include <baremetal/log.h>

#include "arch/bm_hooks.h"
#include "lwip/sys.h"

enum { MINUTE = 60000 };

void bm_net_address_conflict(const struct netif *netif, const u8_t *mac)
{
    static u32_t last;
    static bool said;
    u32_t now = sys_now();
    if (!mac || (said && now - last < MINUTE))
        return;
    said = true;
    last = now;
    bm_log_warn("net", "%s: %02x:%02x:%02x:%02x:%02x:%02x claims an address of this machine",
                bm_net_interface_name(netif), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}
