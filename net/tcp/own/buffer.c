// Data of programs in buffers that become frames where they lie.
// SPDX-License-Identifier: MIT
// @optimize speed
//
// A buffer is the engine's piece and lwIP's pbuf at once, with room for all headers in front of the data. Who
// has it: the engine until the data is acknowledged, and, by the pbuf's references, devices that send it.
#include "own.h"

#include "../../lwip/memory.h"

#include <baremetal/compiler.h>
#include <string.h>

#include "arch/bm_assert.h"
#include "lwip/prot/ethernet.h"

enum {
    SPARES = 16,
    DATA_MIN = 64, // bytes of data: less is gathered
    FRONT = (PBUF_LINK_ENCAPSULATION_HLEN + SIZEOF_ETH_HDR + 2 + 40 + BM_TCP_HEADER_MAX + 15) & ~15
};

struct buffer {
    struct pbuf pbuf; // first
    struct bm_tcp_piece piece;
    uint32_t room; // behind `front`
    uint8_t front[FRONT] __attribute__((aligned(16)));
};

static struct buffer *spare[SPARES];
static unsigned spares;

static inline void reset(struct buffer *buffer)
{
    struct pbuf *pbuf = &buffer->pbuf;
    pbuf->next = NULL;
    pbuf->type_internal = (u8_t)PBUF_RAM;
    pbuf->flags = 0;
    pbuf->ref = 1;
    pbuf->if_idx = NETIF_NO_INDEX;
}

static inline struct buffer *take(unsigned length)
{
    if (spares && spare[spares - 1]->room >= length)
        return spare[--spares];
    struct buffer *buffer = bm_net_allocate(sizeof *buffer + length);
    if (!buffer)
        return NULL;
    size_t size = bm_net_memory_size(buffer);
    buffer->room = size ? (uint32_t)(size - sizeof *buffer) : length;
    reset(buffer);
    return buffer;
}

static inline void give(struct buffer *buffer)
{
    if (spares < SPARES && buffer->pbuf.ref == 1)
        spare[spares++] = buffer;
    else
        pbuf_free(&buffer->pbuf); // a device has it still
}

static void acknowledged(void *argument)
{
    give(argument);
}

bool own_buffer_write(struct own_tcp *own, const void *data, unsigned length)
{
    struct bm_tcp_connection *c = own->connection;
    // Behind what waits to be sent it may become a part of a segment, which is copied anyway.
    if (length < DATA_MIN || length > c->mss || c->next != c->data_end || length > tcp_writable(c))
        return bm_tcp_write_whole(c, data, length, true);
    struct buffer *buffer = take(length);
    if (!buffer)
        return false;
    uint8_t *to = (uint8_t *)(buffer + 1);
    memcpy(to, data, length);
    buffer->piece.data = to;
    buffer->piece.length = length;
    buffer->piece.given = (uint32_t)sizeof *buffer + buffer->room;
    buffer->piece.done = acknowledged;
    buffer->piece.argument = buffer;
    if (bm_tcp_write_given(c, &buffer->piece, true))
        return true;
    give(buffer);
    return false;
}

// The buffer itself when it is the frame's data and no device has it.
static inline struct buffer *whole_of(const struct bm_tcp_frame *frame)
{
    const struct bm_tcp_piece *piece = frame->pieces[0].piece;
    if (frame->count != 1 || piece->done != acknowledged || frame->pieces[0].data != piece->data ||
        frame->length != piece->length)
        return NULL;
    struct buffer *buffer = piece->argument;
    return buffer->pbuf.ref == 1 ? buffer : NULL;
}

static BM_COLD void gather(const struct bm_tcp_frame *frame, uint8_t *to)
{
    for (unsigned i = 0; i < frame->count; i++) {
        MEMCPY(to, frame->pieces[i].data, frame->pieces[i].length);
        to += frame->pieces[i].length;
    }
}

struct pbuf *own_buffer_of(const struct bm_tcp_frame *frame)
{
    struct buffer *buffer = whole_of(frame);
    if (!buffer) {
        buffer = take(frame->length);
        if (!buffer)
            return NULL;
        buffer->piece.done = NULL;
        gather(frame, (uint8_t *)(buffer + 1));
    }
    uint8_t *header = (uint8_t *)(buffer + 1) - frame->header_size;
    memcpy(header, frame->header, frame->header_size);
    buffer->pbuf.payload = header;
    return &buffer->pbuf;
}

void own_buffer_sent(struct pbuf *pbuf)
{
    struct buffer *buffer = (struct buffer *)(void *)pbuf;
    if (!buffer->piece.done)
        give(buffer);
}
