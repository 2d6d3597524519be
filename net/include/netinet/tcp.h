// Options of TCP sockets (level IPPROTO_TCP).
// SPDX-License-Identifier: MIT
#pragma once

#define TCP_NODELAY   1 // do not hold back small segments
#define TCP_KEEPALIVE 2 // milliseconds of silence before the first probe
#define TCP_KEEPIDLE  3 // the same in seconds
#define TCP_KEEPINTVL 4 // seconds between probes
#define TCP_KEEPCNT   5 // probes without an answer before the connection is given up
