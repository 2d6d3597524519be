// A network device as one of lwIP's interfaces.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/netdev.h>
#include <stdatomic.h>

#include "lwip/netif.h"

enum {
    INTERFACES_MAX = 16,       // devices and their VLANs
    INTERFACE_QUEUE_MAX = 512, // frames that wait for room in the device
    INTERFACE_QUEUE_FULL = 64, // … of which who can wait himself keeps the rest free for those who cannot
    JOINED_MAX = 45,           // segments in one frame
    JOINED_HEADER_MAX = 74     // Ethernet, IPv6, TCP
};

// TCP segments of one connection, in order, that the device sees as one frame and cuts up again.
struct bm_net_joined {
    uint16_t count;
    uint16_t header;  // bytes of the headers in front of the first one; the others have TCP's alone
    uint16_t payload; // bytes of each segment; the last one may have less
    bool is_ip6;
    struct pbuf *segments[JOINED_MAX];
};

struct bm_net_interface {
    struct netif netif; // first: lwIP's netif->state points here too
    struct bm_netdev *device;
    struct bm_netqueue *netqueue;   // of the device: the one that this stack has
    struct bm_net_interface *vlans; // of a device: its VLANs; of a VLAN: the next one
    uint16_t vlan;                  // its number; 0: the device itself
    uint16_t mtu;                   // that the device or the command line allows; DHCP may say less
    bool mtu_is_chosen;             // by the command line
    char name[12];
    uint8_t rank; // among those that packets without a route may leave by: the largest first; 0: no ip= word
    bool unflushed;                   // frames were queued since the last doorbell
    atomic_bool room;                 // the device gave frames back while some wait
    unsigned first;                   // of the ring of frames that wait
    atomic_uint waiting;              // ring of frames that wait
    void *queue[INTERFACE_QUEUE_MAX]; // struct pbuf, or struct bm_net_joined with JOINED_TAG
};

enum { JOINED_TAG = 1 }; // in a device's cookie: not a pbuf

// transmit.c: netif->linkoutput.
err_t bm_net_link_output(struct netif *netif, struct pbuf *frame);
// transmit.c: the same for a frame that no others join.
err_t bm_net_buffer_output(struct bm_net_interface *interface, struct pbuf *frame);
// transmit.c: hands a frame to the device or has it wait. The frame's reference is the device's from now on.
err_t bm_net_frame_output(struct bm_net_interface *interface, void *frame);
// transmit.c: for a TCP segment, which stays the caller's: behind Ethernet's and IPv4's headers without
// options, for a device that sums; the checksum field holds the sum of the pseudo header.
err_t bm_net_segment_output(struct netif *netif, struct pbuf *frame);
// transmit.c: the device is done with a frame. Any context but handlers, with or without the core lock.
void bm_net_sent(struct bm_netqueue *queue, void *cookie);
// receive.c: frames from a device; what frees the buffer of one, which lies in its packet.
void bm_net_input(struct bm_netqueue *queue, struct bm_packet *batch);
void bm_net_received_free(struct pbuf *frame);

// interface.c: in whose queue the frames of an interface wait: a VLAN's in its device's. NULL: in none.
struct bm_net_interface *bm_net_interface_of(const struct netif *netif);

// vlan.c: a frame with a tag (802.1Q). Returns the interface whose frame it is, without the tag now; NULL:
// nobody's. netif->linkoutput of a VLAN.
struct bm_net_interface *bm_net_vlan_input(struct bm_net_interface *interface, struct pbuf *frame);
err_t bm_net_vlan_output(struct netif *netif, struct pbuf *frame);

// interface.c: devices in the order of attaching, then VLANs.
extern struct bm_net_interface *bm_net_interfaces[INTERFACES_MAX];
extern unsigned bm_net_interface_count;
// The largest TCP segment that any of them takes: 1460 or, with jumbo frames, more.
extern u16_t bm_net_mss;
// Takes an MTU that a server says, 0: none; never more than interface->mtu.
void bm_net_interface_mtu(struct bm_net_interface *interface, unsigned said);
// Before anything else uses the interface. The MTU of the command line.
void bm_net_interface_mtu_choose(struct bm_net_interface *interface, unsigned mtu);
