// What this room calls in the rooms above it.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

// device/lock.c: whether this core holds the network's lock, for assertions.
bool bm_net_locked_here(void);
// Of the same: bm_net_lock and bm_net_unlock, by LOCK_TCPIP_CORE (port/lwipopts.h).

// device/lock.c: the short lock, under which lwIP takes sockets and reference counts apart (arch/sys_arch.h).
void bm_net_short_acquire(void);
void bm_net_short_release(void);

// tcp/orphans.c: tcp_close, tcp/express_output.c: tcp_output, which lwIP's headers declare. tcp/own/, where
// our engine has lwIP's place: tcp_abort, tcp_accept, tcp_active_pcbs, tcp_arg, tcp_bind_netif, tcp_shutdown,
// tcp_tmr and tcp_tw_pcbs, too.
