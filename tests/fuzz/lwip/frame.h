// Frames, written from the inside out, and what the script makes odd about them.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Who sends it to whom. IPv4 addresses are the first four bytes.
struct ends {
    bool ip6;
    uint8_t from[16], to[16];
    uint8_t hops;
    bool alert;     // with the option that routers are to look (IGMP, MLD)
    bool broadcast; // to all on the link
};

void frame_vlan(unsigned number); // of all frames from now on; 0: none
void frame_begin(void);
void frame_put(const void *bytes, unsigned count);           // at the end
void frame_put_ethernet(const uint8_t to[6], unsigned type); // its header
void frame_put8(unsigned value);
void frame_put16(unsigned value);
void frame_put32(uint32_t value);
void frame_put_text(unsigned count); // any bytes
unsigned frame_length(void);
uint8_t *frame_front(unsigned count); // room for that many in front

// Of what was put: the payload of an IP packet. Its checksum, the IP header and Ethernet's are written;
// here and there something is changed; it may go in fragments.
void frame_send(const struct ends *ends, unsigned protocol);
void frame_send_pieces(const struct ends *ends, unsigned protocol); // always in fragments
void frame_send_exactly(const struct ends *ends, unsigned protocol);
void frame_send_udp(const struct ends *ends, unsigned from_port, unsigned to_port);
void frame_deliver(bool vouched); // a whole frame, with Ethernet's header, as it stands
void frame_odd_deliver(void);     // changed perhaps, cut or padded
