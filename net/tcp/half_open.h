// Connections in SYN-RECEIVED, by the networks that they come from.
// SPDX-License-Identifier: MIT
#pragma once

struct tcp_pcb;

// One begins; when there are too many, another is given up.
void bm_net_half_open_add(struct tcp_pcb *connection);
// It is established, or gone.
void bm_net_half_open_remove(struct tcp_pcb *connection);
