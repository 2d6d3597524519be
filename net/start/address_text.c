// lwIP's addresses as text.
// SPDX-License-Identifier: MIT
#include "address_text.h"

#include "ip_text.h"

char *bm_net_address_text(const ip_addr_t *address, char *text, size_t size)
{
    if (IP_IS_V4(address))
        return bm_net_ip_text((const uint8_t *)&ip_2_ip4(address)->addr, 4, text, size);
    return bm_net_ip_text((const uint8_t *)ip_2_ip6(address)->addr, 16, text, size);
}
