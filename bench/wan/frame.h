// What the wire reads of a frame: where it belongs, and its TCP segment. Every length is checked here.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_MALFORMED, // an IP packet whose lengths contradict each other, or no frame at all
    FRAME_LOCAL,     // of the link: ARP, neighbour discovery, anything that is not IP; no path delays it
    FRAME_PACKET,    // an IP packet for a path
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct frame_view {
    enum frame_kind kind;
    uint8_t source, destination; // last bytes of a packet's addresses
    bool six;                    // IPv6
    bool tcp; // a whole TCP segment, neither a fragment nor behind extension headers; only then:
    uint16_t source_port, destination_port;
    uint32_t sequence;
    uint32_t length; // of the segment in sequence numbers: its data, SYN and FIN
    uint32_t data;   // bytes
    uint8_t flags;
};

// Reads `size` bytes from the destination's hardware address on.
void frame_read(const uint8_t *bytes, size_t size, struct frame_view *view);
