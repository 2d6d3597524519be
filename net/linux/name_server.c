// The name servers that musl's resolver asks when there is no /etc/resolv.conf: the network's.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../start/address_text.h"
#include "../start/wait.h"
#include "linux/calls.h"

#include "lwip/dns.h"

bool bm_linux_name_server(unsigned index, char *text, size_t size)
{
    bm_net_settle(); // DHCP may be about to tell them
    bm_net_lock();
    const ip_addr_t *server = index < DNS_MAX_SERVERS ? dns_getserver((u8_t)index) : NULL;
    bool found = server && !ip_addr_isany(server) && bm_net_address_text(server, text, size);
    bm_net_unlock();
    return found;
}
