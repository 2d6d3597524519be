// Ethernet frames with TCP segments in lwIP's buffers, for tests.
// SPDX-License-Identifier: MIT
#include "frames.h"

#include <stdlib.h>
#include <string.h>

u16_t pbuf_clen(const struct pbuf *frame)
{
    u16_t count = 0;
    for (; frame; frame = frame->next)
        count++;
    return count;
}

unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

// RFC 1071, of an IPv4 header.
unsigned header_sum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += get16(header + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

// One buffer of its own size: what is read beyond it is found.
struct pbuf *pbuf_of(const uint8_t *bytes, unsigned length)
{
    struct pbuf *pbuf = calloc(1, sizeof *pbuf);
    pbuf->payload = malloc(length);
    memcpy(pbuf->payload, bytes, length);
    pbuf->len = pbuf->tot_len = (u16_t)length;
    return pbuf;
}

struct pbuf *frame_of(const struct segment *segment)
{
    static unsigned identification;
    uint8_t bytes[4096] = {2, 0, 0, 0, 0, segment->station, 2};
    unsigned tcp = segment->is_ip6 ? 54 : 34, header = tcp + 20 + segment->options;
    unsigned length = header + segment->length;
    if (segment->is_ip6) {
        put16(bytes + 12, 0x86dd);
        bytes[14] = 0x60;
        put16(bytes + 18, length - 54);
        bytes[20] = segment->protocol;
        bytes[21] = segment->hops;
        bytes[30] = segment->source;
        bytes[45] = segment->host;
    } else {
        put16(bytes + 12, 0x0800);
        bytes[14] = 0x45;
        put16(bytes + 16, length - 14);
        put16(bytes + 18, identification++);
        bytes[22] = segment->hops;
        bytes[23] = segment->protocol;
        bytes[27] = segment->source;
        bytes[33] = segment->host;
        put16(bytes + 24, ~header_sum(bytes + 14) & 0xffff);
    }
    put16(bytes + tcp, 80);
    put16(bytes + tcp + 2, segment->port);
    put32(bytes + tcp + 4, segment->sequence);
    put32(bytes + tcp + 8, segment->acknowledged);
    bytes[tcp + 12] = (uint8_t)((5 + segment->options / 4) << 4);
    bytes[tcp + 13] = segment->flags;
    put16(bytes + tcp + 14, segment->window);
    for (unsigned i = header; i < length; i++)
        bytes[i] = (uint8_t)rand();
    struct pbuf *frame = pbuf_of(bytes, segment->pieces > 1 ? header : length), *last = frame;
    for (unsigned i = 1; i < segment->pieces; i++) { // the data in pieces behind the headers
        unsigned from = header + segment->length * (i - 1) / (segment->pieces - 1);
        unsigned to = header + segment->length * i / (segment->pieces - 1);
        last = last->next = pbuf_of(bytes + from, to - from);
    }
    frame->tot_len = (u16_t)length;
    return frame;
}

unsigned flatten(const struct pbuf *frame, uint8_t *bytes)
{
    unsigned length = 0;
    for (; frame; frame = frame->next) {
        memcpy(bytes + length, frame->payload, frame->len);
        length += frame->len;
    }
    return length;
}

void free_frame(struct pbuf *frame)
{
    while (frame) {
        struct pbuf *next = frame->next;
        free(frame->payload);
        free(frame);
        frame = next;
    }
}
