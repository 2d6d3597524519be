// Options of TCP sockets that the engine of net/tcp/own has; with lwIP's TCP nobody has them.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// `number`: a stream socket of lwIP's. BM_TCP_DEFER_ACCEPT, BM_TCP_INFO, BM_TCP_USER_TIMEOUT and
// BM_TCP_NOTSENT_LOWAT, with Linux' values and sizes. 0; 1: another option, which is not looked at; a
// negative error. Takes the core lock.
int bm_net_tcp_option_get(int number, int option, void *value, uint32_t *size);
int bm_net_tcp_option_set(int number, int option, const void *value, uint32_t size);
