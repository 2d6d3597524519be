// Connections as the wire sees them: what was sent, and what was sent again.
// SPDX-License-Identifier: MIT
#pragma once

#include "frame.h"

enum { FLOWS_MAX = 1024 }; // a power of two; beyond it the one that was there gives way

// One direction of a connection, from its SYN on.
struct flow_side {
    bool known;
    uint32_t first;   // the SYN's sequence number
    uint32_t highest; // one beyond the highest that was sent, from `first` on
};

struct flow {
    bool used, six;
    uint8_t guest, path;
    uint16_t guest_port, peer_port;
    struct flow_side sides[2];
};

struct flows {
    struct flow slots[FLOWS_MAX];
};

// A segment's place in its stream: the SYN has place 0, the first byte of data place 1.
struct flow_place {
    bool known;     // its connection's SYN was seen on this side
    uint32_t at;    // modulo 2^32
    uint32_t again; // how much of its length lies below the highest that came by: it was sent before
};

// Takes note of a TCP segment on `path` from the guest (`out`) or to it.
struct flow_place flow_note(struct flows *flows, const struct frame_view *view, uint8_t guest, uint8_t path,
                            bool out);
