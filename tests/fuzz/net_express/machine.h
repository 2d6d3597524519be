// The machine around lwIP: memory, the device, received frames.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"
#include "lwip/pbuf.h"

// Ends of the connections; the peer has a port for each.
enum { PEER_PORT = 5000, LOCAL_PORT = 80, FRAME_MAX = 4096 };
extern const ip4_addr_t machine_address, peer_address;
extern const uint8_t machine_mac[6], peer_mac[6];
extern struct netif machine_netif;

// Which way segments go: by the fast path where that takes them, or by lwIP's alone.
extern bool short_way;

// The device refuses frames; it keeps those that it takes for some time.
extern bool device_refuses, device_holds;
void device_done(void); // gives back what it holds

extern uint32_t isn_next; // the next connection's initial sequence number

void machine_start(void); // once
void machine_end(void);   // of all connections, unseen
void machine_reset(void); // as if nothing had happened: no connection, no frame, the clock at its start

// A received frame, of which lwIP may read no byte more; a second buffer begins at `split`, if that is
// inside.
struct pbuf *frame_make(const uint8_t *bytes, unsigned length, unsigned split);
unsigned frames_kept(void);
