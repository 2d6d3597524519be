// Addresses as text, the way RFC 5952 wants them.
// SPDX-License-Identifier: MIT
#include "address_text.h"

char *bm_net_address_text(const ip_addr_t *address, char *text, int size)
{
    if (!ipaddr_ntoa_r(address, text, size))
        return NULL;
    for (char *c = text; *c; c++) // section 4.3: lower case
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c | 0x20);
    return text;
}
