// Options of TCP sockets (level IPPROTO_TCP).
// SPDX-License-Identifier: MIT
#pragma once

#define TCP_NODELAY   1      // do not hold back small segments
#define TCP_CORK      3      // segments that are not full wait, for 200 ms at most; 0 sends them
#define TCP_KEEPIDLE  4      // seconds of silence before the first probe
#define TCP_KEEPINTVL 5      // seconds between probes
#define TCP_KEEPCNT   6      // probes without an answer before the connection is given up
#define TCP_KEEPALIVE 0x1000 // TCP_KEEPIDLE in milliseconds; Linux has no such option
