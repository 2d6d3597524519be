// Why a call of lwIP's sockets failed.
// SPDX-License-Identifier: MIT
#pragma once

// What the lwip_… function that has just returned -1 to this context would have left in errno: a number of
// <baremetal/error.h>. Before anything else that may wait, or that calls lwIP. Any context but handlers.
int bm_net_error(void);

// For lwIP alone (standard/errno.h).
void bm_net_error_set(int error);
