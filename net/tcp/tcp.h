// TCP's start, bounds and answers.
// SPDX-License-Identifier: MIT
#pragma once

// tcp_isn.c, tcp_lookup.c: draw their keys; once, at boot.
void bm_net_tcp_isn_start(void);
void bm_net_tcp_lookup_start(void);

// time_wait.c: forgets the oldest connections in TIME_WAIT beyond a bound. Under the core lock.
void bm_net_time_wait_trim(void);

// orphans.c: connections with data or an end that the peer has not acknowledged. Under the core lock.
unsigned bm_net_tcp_unfinished(void);

// tcp_acceptable.c: how many unacceptable segments may still be answered, for tests that repeat themselves.
extern unsigned bm_net_tcp_answers;
