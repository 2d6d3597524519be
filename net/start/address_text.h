// Addresses as text.
// SPDX-License-Identifier: MIT
#pragma once

#include "lwip/ip_addr.h"

// Returns text, or NULL when it does not fit.
char *bm_net_address_text(const ip_addr_t *address, char *text, size_t size);
