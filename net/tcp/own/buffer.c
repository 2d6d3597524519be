// Buffers of data that become frames where they lie: made, kept for the next data, given back.
// SPDX-License-Identifier: MIT
#include "buffer.h"

#include "../engine/plain.h"

#include "../../lwip/memory.h"

#include <baremetal/compiler.h>
#include <string.h>

#include "arch/bm_assert.h"

enum { SPARES = 16, DATA_MIN = 64 /* bytes: less is gathered */ };

static struct own_buffer *spare[SPARES];
static unsigned spares;

static inline void reset(struct own_buffer *buffer)
{
    struct pbuf *pbuf = &buffer->pbuf;
    pbuf->next = NULL;
    pbuf->type_internal = (u8_t)PBUF_RAM;
    pbuf->flags = 0;
    pbuf->ref = 1;
    pbuf->if_idx = NETIF_NO_INDEX;
}

static inline struct own_buffer *take(unsigned length)
{
    if (spares && spare[spares - 1]->room >= length)
        return spare[--spares];
    struct own_buffer *buffer = bm_net_allocate(sizeof *buffer + length);
    if (!buffer)
        return NULL;
    size_t size = bm_net_memory_size(buffer);
    buffer->room = size ? (uint32_t)(size - sizeof *buffer) : length;
    reset(buffer);
    return buffer;
}

static inline void give(struct own_buffer *buffer)
{
    if (spares < SPARES && buffer->pbuf.ref == 1)
        spare[spares++] = buffer;
    else
        pbuf_free(&buffer->pbuf); // a device has it still
}

void own_buffer_acknowledged(void *argument)
{
    give(argument);
}

bool own_buffer_write(struct own_tcp *own, const void *data, unsigned length)
{
    struct bm_tcp_connection *c = own->connection;
    // Behind what was written before it may become a part of a segment, which is copied anyway.
    if (length < DATA_MIN || length >= c->mss || c->pieces || length > tcp_writable(c))
        return bm_tcp_write_whole(c, data, length, true);
    struct own_buffer *buffer = take(length);
    if (!buffer)
        return false;
    uint8_t *to = (uint8_t *)(buffer + 1);
    memcpy(to, data, length);
    buffer->piece.data = to;
    buffer->piece.length = length;
    buffer->piece.given = (uint32_t)sizeof *buffer + buffer->room;
    buffer->piece.done = own_buffer_acknowledged;
    buffer->piece.argument = buffer;
    if (!tcp_write_first(c, &buffer->piece)) {
        give(buffer);
        return false;
    }
    return true;
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
    struct own_buffer *buffer = NULL;
    if (frame->count == 1)
        buffer = own_buffer_idle(frame->pieces[0].piece, frame->pieces[0].data, frame->length);
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
    struct own_buffer *buffer = (struct own_buffer *)(void *)pbuf;
    if (!buffer->piece.done)
        give(buffer);
}
