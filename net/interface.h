// A network device as one of lwIP's interfaces.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/netdev.h>
#include <stdatomic.h>

#include "lwip/netif.h"

enum {
    INTERFACE_QUEUE_MAX = 512, // frames that wait for room in the device
    INTERFACE_HELD_MAX =
        256 // received buffers that the stack holds; beyond that it copies, so that receiving goes on
};

struct bm_net_interface {
    struct netif netif; // first: lwIP's netif->state points here too
    struct bm_netdev *device;
    char name[8];
    bool unflushed;      // frames were queued since the last doorbell
    atomic_bool room;    // the device gave frames back while some wait
    atomic_uint held;    // received buffers not yet given back
    unsigned first;      // of the ring of frames that wait
    atomic_uint waiting; // ring of frames that wait
    struct pbuf *queue[INTERFACE_QUEUE_MAX];
};

// transmit.c: netif->linkoutput.
err_t bm_net_link_output(struct netif *netif, struct pbuf *frame);
// transmit.c: the device is done with a frame. Any context but handlers, with or without the core lock.
void bm_net_sent(struct bm_netdev *device, void *cookie);
// receive.c
void bm_net_input(struct bm_netdev *device, struct bm_packet *batch);

extern struct bm_net_interface *bm_net_interfaces[BM_NETDEV_MAX];
extern unsigned bm_net_interface_count;
