// SYN cookies (RFC 4987 section 3.6): what is to be known of a handshake stands in our first number.
// SPDX-License-Identifier: MIT
#include "connection.h"

#include "../siphash.h"

// 3 bits say the MSS, 5 the minute, 24 are a keyed hash of both ends, the peer's number and these.
enum { MINUTE_US = 60000000, MINUTES_MAX = 2 };
static const uint16_t sizes[8] = {64, 216, 536, 1200, 1360, 1400, 1440, 1460};

struct witness {
    struct bm_tcp_tuple tuple;
    uint16_t size;
    uint32_t theirs, minute;
};
_Static_assert(sizeof(struct witness) == 48, "nothing that is hashed is padding");

static uint32_t seal(struct bm_tcp_shard *shard, const struct bm_tcp_half *half, uint32_t minute,
                     uint32_t size)
{
    struct witness witness = {half->node.tuple, (uint16_t)size, half->theirs, minute};
    return (uint32_t)bm_net_siphash(shard->cookie_key, &witness, sizeof witness) & 0xffffff;
}

uint32_t bm_tcp_cookie_make(struct bm_tcp_shard *shard, const struct bm_tcp_half *half)
{
    uint32_t minute = (uint32_t)(shard->now / MINUTE_US), size = 7, mss = half->mss ? half->mss : MSS_DEFAULT;
    while (size && sizes[size] > mss)
        size--;
    return size << 29 | (minute & 31) << 24 | seal(shard, half, minute, size);
}

// `half` is begun with the segment of the acknowledgement: its number is one behind the SYN's.
bool bm_tcp_cookie_take(struct bm_tcp_shard *shard, const struct bm_tcp_segment *segment,
                        struct bm_tcp_half *half)
{
    uint32_t cookie = segment->acknowledgement - 1, now = (uint32_t)(shard->now / MINUTE_US);
    uint32_t age = (now - (cookie >> 24)) & 31;
    if (!shard->counters.cookies_sent || age > MINUTES_MAX || age > now)
        return false;
    half->theirs = segment->sequence - 1;
    if (seal(shard, half, now - age, cookie >> 29) != (cookie & 0xffffff))
        return false;
    half->ours = cookie;
    half->mss = sizes[cookie >> 29];
    half->scale = 255;
    half->sack = half->timestamps = half->ecn = false;
    half->sent = 0;
    return true;
}
