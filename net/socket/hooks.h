// What this room calls in the rooms above it.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/socket_ops.h>

// linux/socket.c: what Linux' calls find in a socket's file; NULL where there are none of them.
extern const struct bm_socket_ops bm_net_socket_ops __attribute__((weak));
