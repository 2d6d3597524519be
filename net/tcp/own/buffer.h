// Data of programs in buffers that become frames where they lie.
// SPDX-License-Identifier: MIT
//
// A buffer is the engine's piece and lwIP's pbuf at once, with room for all headers in front of the data. Who
// has it: the engine until the data is acknowledged, and, by the pbuf's references, devices that send it.
#pragma once

#include "own.h"

#include "lwip/prot/ethernet.h"

enum { // of headers in front of the data
    OWN_FRONT = (PBUF_LINK_ENCAPSULATION_HLEN + SIZEOF_ETH_HDR + 2 + 40 + BM_TCP_HEADER_MAX + 15) & ~15
};

struct own_buffer {
    struct pbuf pbuf; // first
    struct bm_tcp_piece piece;
    uint32_t room; // behind `front`
    uint8_t front[OWN_FRONT] __attribute__((aligned(16)));
};

// buffer.c: `done` of those pieces.
void own_buffer_acknowledged(void *argument);

// The buffer of which a piece is all the data; NULL: there is none, or a device has it still.
static inline struct own_buffer *own_buffer_idle(const struct bm_tcp_piece *piece, const uint8_t *data,
                                                 uint32_t length)
{
    if (piece->done != own_buffer_acknowledged || piece->data != data || piece->length != length)
        return NULL;
    struct own_buffer *buffer = piece->argument;
    return buffer->pbuf.ref == 1 ? buffer : NULL;
}
