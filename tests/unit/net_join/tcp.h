// A TCP connection with segments to send, and what lwIP and a device that cuts frames up do with it.
// SPDX-License-Identifier: MIT
#pragma once

#include <lwip/priv/tcp_priv.h>
#include <stdbool.h>

enum { FRAMES = 1024, LENGTH_MAX = 2048 };

// What went over the wire: TCP's flags (the PSH flag of each frame's last segment is kept apart) and data.
struct sent {
    u32_t sequence;
    u16_t flags, length;
    bool pushed;
    u8_t data[LENGTH_MAX];
};
extern struct sent sent[FRAMES];
extern unsigned sent_count;
extern bool is_ip6; // of connections

struct tcp_pcb *connection_make(void);
void connection_free(struct tcp_pcb *c);

// Appends a segment behind those of the connection, in `pieces` buffers (1: headers and data in one).
struct tcp_seg *segment_add(struct tcp_pcb *c, unsigned length, unsigned flags, unsigned pieces);

// lwIP's tcp_output: sends each segment that the windows allow, by `link`.
void output(struct tcp_pcb *c, void (*link)(struct pbuf *frame));

// The wire: one frame without joined segments; one with `count` of them, each behind `skip` bytes of headers
// but for the first.
void wire_single(const struct pbuf *frame);
void wire_joined(struct pbuf *const *segments, unsigned count, unsigned payload);
