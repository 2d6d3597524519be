// The services that this machine knows by name.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Port of a decimal number (0 … 65535), or -1.
int bm_net_port_parse(const char *text);
// Port of a well-known name, or -1; protocol NULL: any.
int bm_net_service_port(const char *name);
const char *bm_net_service_name(unsigned port); // NULL when it has none
