// What this room calls in the rooms above it. All under the core lock.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

struct netif;
struct pbuf;
struct bm_net_interface;

// tcp/express_input.c: takes a frame whose checksum the device vouches for, and returns true, or leaves it to
// ethernet_input.
bool bm_net_express_input(struct netif *netif, struct pbuf *frame);

// tcp/join.c: the frame of the first of several segments, while lwIP sends it. bm_net_join sends them all in
// it; false: it does not.
extern struct pbuf *bm_net_join_first;
bool bm_net_join(struct bm_net_interface *interface, struct pbuf *frame);

// transmit.c: doorbells have rung since tcp/own/express.c looked: the next frame belongs to another burst.
extern bool bm_net_flushed;

// tcp/join.c, tcp/own/output.c: a queue that was nearly full has room again (INTERFACE_QUEUE_FULL).
void bm_net_room(struct bm_net_interface *interface);

// start/start.c: an interface's link is there, or there again.
void bm_net_link_came(struct bm_net_interface *interface);
