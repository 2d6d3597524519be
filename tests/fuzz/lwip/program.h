// The program over the network: it listens, connects, reads, writes, asks for names, joins groups.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Connections that a listener may have half open (net/tcp/half_open.c), for each of two ports, and the
// program's.
enum { CONNECTIONS_MAX = 2 * 1100, LISTEN_PORT = 80, OTHER_PORT = 8080, UDP_PORT = 5353 };

void program_start(void);
void program_act(void); // something, as the script says; under the core lock
void program_end(void); // gives up all that it has
