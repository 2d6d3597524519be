// TCP's header (RFC 9293 section 3.1): read, written, summed up.
// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

enum { HEADER = 20 };
enum { END = 0, NOTHING = 1, MAXIMUM = 2, SCALE = 3, SACK_PERMITTED = 4, SACK = 5, TIMES = 8 };

static void parse_sack(const uint8_t *option, unsigned size, struct bm_tcp_segment *segment)
{
    for (unsigned at = 2; at + 8 <= size && segment->sack_count < SACK_BLOCKS; at += 8) {
        struct bm_tcp_range range = {bm_tcp_get32(option + at), bm_tcp_get32(option + at + 4)};
        if (tcp_before(range.begin, range.end))
            segment->sack[segment->sack_count++] = range;
    }
}

// What counts in a SYN alone is read in a SYN alone (RFC 9293 section 3.7.1, RFC 7323 section 2.2, RFC 2018
// section 2).
static void parse_option(const uint8_t *option, unsigned size, struct bm_tcp_segment *segment)
{
    bool syn = segment->flags & TCP_SYN;
    if (option[0] == MAXIMUM && size == 4 && syn)
        segment->mss = (uint16_t)tcp_max(bm_tcp_get16(option + 2), MSS_FLOOR);
    else if (option[0] == SCALE && size == 3 && syn)
        segment->scale = (uint8_t)tcp_min(option[2], SCALE_MAX);
    else if (option[0] == SACK_PERMITTED && size == 2 && syn)
        segment->sack_permitted = true;
    else if (option[0] == SACK && !syn)
        parse_sack(option, size, segment);
    else if (option[0] == TIMES && size == 10) {
        segment->timestamps = true;
        segment->time = bm_tcp_get32(option + 2);
        segment->echo = bm_tcp_get32(option + 6);
    }
}

// MUST-5 to 7: unknown ones are passed over; what is impossible ends the list.
static void parse_options(const uint8_t *option, const uint8_t *end, struct bm_tcp_segment *segment)
{
    while (option < end && option[0] != END) {
        if (option[0] == NOTHING) {
            option++;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option)
            return;
        parse_option(option, option[1], segment);
        option += option[1];
    }
}

bool bm_tcp_parse(const struct bm_tcp_packet *packet, struct bm_tcp_segment *segment)
{
    const uint8_t *bytes = packet->bytes;
    if (packet->size < HEADER || packet->size > 1 << 16)
        return false;
    size_t header = (size_t)(bytes[12] >> 4) * 4;
    if (header < HEADER || header > packet->size)
        return false;
    memset(segment, 0, offsetof(struct bm_tcp_segment, sack));
    segment->sequence = bm_tcp_get32(bytes + 4);
    segment->acknowledgement = bm_tcp_get32(bytes + 8);
    segment->flags = bytes[13];
    segment->window = bm_tcp_get16(bytes + 14);
    segment->scale = 255;
    segment->data = bytes + header;
    segment->length = (uint32_t)(packet->size - header);
    segment->owner = packet->owner;
    segment->congestion_experienced = packet->congestion_experienced;
    segment->interface = packet->interface;
    parse_options(bytes + HEADER, bytes + header, segment);
    return true;
}

void bm_tcp_begin_header(struct bm_tcp_frame *frame, const struct bm_tcp_tuple *tuple, uint32_t sequence,
                         uint32_t acknowledgement, uint8_t flags, uint32_t window)
{
    frame->tuple = tuple; // one by one: all of it would be cleared in as many steps as a segment takes in all
    frame->connection = NULL;
    frame->listener = NULL;
    frame->interface = 0;
    frame->length = frame->count = 0;
    frame->ecn_capable = frame->more = false;
    uint8_t *to = bm_tcp_put16(frame->header, tuple->local_port);
    to = bm_tcp_put16(to, tuple->remote_port);
    to = bm_tcp_put32(to, sequence);
    to = bm_tcp_put32(to, flags & TCP_ACK ? acknowledgement : 0);
    to[0] = HEADER / 4 << 4;
    to[1] = flags;
    to = bm_tcp_put16(to + 2, (uint16_t)tcp_min(window, 65535));
    bm_tcp_put32(to, 0); // the checksum, and what nobody finds urgent
}

void bm_tcp_finish_header(struct bm_tcp_shard *shard, struct bm_tcp_frame *frame, const uint8_t *end)
{
    frame->header_size = (unsigned)(end - frame->header);
    frame->header[12] = (uint8_t)(frame->header_size / 4 << 4);
    shard->counters.segments_out++;
    shard->operations->output(shard->context, frame);
}

uint8_t *bm_tcp_put_syn_options(uint8_t *to, const struct bm_tcp_syn_options *options)
{
    *to++ = MAXIMUM;
    *to++ = 4;
    to = bm_tcp_put16(to, options->mss);
    if (options->scale != 255) {
        const uint8_t scale[] = {NOTHING, SCALE, 3, options->scale};
        memcpy(to, scale, sizeof scale);
        to += sizeof scale;
    }
    if (options->sack) {
        const uint8_t permitted[] = {NOTHING, NOTHING, SACK_PERMITTED, 2};
        memcpy(to, permitted, sizeof permitted);
        to += sizeof permitted;
    }
    if (options->timestamps) {
        to = bm_tcp_put32(to, NOTHING << 24 | NOTHING << 16 | TIMES << 8 | 10);
        to = bm_tcp_put32(bm_tcp_put32(to, options->time), options->echo);
    }
    return to;
}

static uint64_t add_bytes(uint64_t sum, const uint8_t *bytes, size_t size)
{
    for (; size > 1; size -= 2, bytes += 2)
        sum += bm_tcp_get16(bytes);
    return size ? sum + ((uint64_t)bytes[0] << 8) : sum;
}

uint16_t bm_tcp_checksum(const struct bm_tcp_tuple *tuple, const void *bytes, size_t size)
{
    unsigned skip = bm_tcp_is_ip4(tuple) ? 12 : 0; // their sum is that of the pseudo header, in any order
    uint64_t sum = add_bytes(6 + size, tuple->local + skip, 16 - skip);
    sum = add_bytes(sum, tuple->remote + skip, 16 - skip);
    sum = add_bytes(sum, bytes, size);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
