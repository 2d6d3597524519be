// Ethernet frames with TCP segments in lwIP's buffers, for tests.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/pbuf.h>
#include <stdbool.h>
#include <stdint.h>

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16, URG = 32 };

struct segment {
    bool is_ip6;
    uint8_t station, source, host, hops, protocol, flags;
    uint32_t sequence, acknowledged;
    unsigned port, window, options, length, pieces;
};

// A frame with random data; in several pieces, the headers are alone in the first one. Each piece is memory
// of its own size, so that reading beyond it is found.
struct pbuf *frame_of(const struct segment *segment);
struct pbuf *pbuf_of(const uint8_t *bytes, unsigned length);
void free_frame(struct pbuf *frame);

// Copies all of a frame; returns its length.
unsigned flatten(const struct pbuf *frame, uint8_t *bytes);

unsigned get16(const uint8_t *at);
void put16(uint8_t *at, unsigned value);
void put32(uint8_t *at, uint32_t value);
unsigned header_sum(const uint8_t *header); // RFC 1071, of an IPv4 header
