// A connection, what hangs on it, and who does what with it. For the engine's files, its tests, and own/,
// which reads what changes with every segment.
// SPDX-License-Identifier: MIT
#pragma once

#include "engine.h"
#include "wheel.h"

#include <string.h>

// What the sender does about losses: nothing; repairs them (RFC 6675, 6937); has begun anew after a time-out.
enum bm_tcp_recovery { BM_TCP_OPEN, BM_TCP_RECOVERY, BM_TCP_LOSS };

#ifndef TCP_FIN // else lwIP's headers say the same
enum {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
    TCP_ECE = 64,
    TCP_CWR = 128
};
#endif
enum { SACK_BLOCKS = 4 };

enum {
    MSS_FLOOR =
        64, // what a peer may ask for, at least; RFC 9293 section 3.7.1 gives 536 to who asks for nothing
    MSS_DEFAULT = 536,
    MSS_DEFAULT_6 = 1220,
    MSS_CEILING = 65495,
    SCALE_MAX = 14, // RFC 7323 section 2.3
    RTO_MIN_MS = 200,
    RTO_FIRST_MS = 1000, // RFC 6298 section 2.1
    RTO_MAX_MS = 120000,
    PROBE_MAX_MS = 60000,
    ACK_DELAY_MS = 40,
    ACK_DELAY_MAX_MS = 200, // of peers, RFC 8985 section 7.2
    RTT_MAX_US = 60000000,
    FIN_WAIT_2_MS = 60000,
    SYN_RETRIES = 6,
    RETRIES = 15,       // RFC 9293 section 3.8.3, R2: about 15 minutes
    ORPHAN_RETRIES = 8, // about a minute and a half
    QUICK_ACKS = 16,    // segments that are acknowledged at once behind a gap, while the peer begins anew
    DUPLICATES = 3,     // RFC 5681 section 3.2
    SEND_FIRST = 64 << 10,
    RECEIVE_FIRST = 128 << 10,
    PIECE_SIZE = 4096, // of a copy
};

struct bm_tcp_range {
    uint32_t begin, end;
};

// A segment's header, read (segment.c).
struct bm_tcp_segment {
    uint32_t sequence, acknowledgement;
    uint32_t length; // of the data
    const uint8_t *data;
    uint16_t window, mss; // mss 0: no such option
    uint8_t flags, scale; // scale 255: no such option
    uint8_t sack_count;
    bool sack_permitted, timestamps, congestion_experienced;
    uint16_t interface;
    uint32_t time, echo; // TSval, TSecr
    struct bm_tcp_range sack[SACK_BLOCKS];
    void *owner;
};

// Data to be sent, in memory of its own or of the program.
struct bm_tcp_piece {
    struct bm_tcp_piece *next;
    struct bm_tcp_shard *shard;
    const uint8_t *data;
    uint32_t length, room; // room: of a copy; 0: the program's memory
    unsigned references;
    uint32_t given; // not 0: it lies in memory of so many bytes that is the caller's again with `done`
    void (*done)(void *argument);
    void *argument;
};

enum { SENT_SACKED = 1, SENT_LOST = 2, SENT_AGAIN = 4, SENT_FIN = 8, SENT_FLYING = 16, SENT_TWICE = 32 };

// A segment that was sent and is not acknowledged, in two lists: by sequence number, and by the time when it
// was sent last, where those are that may still arrive (RFC 8985 section 5.2).
struct bm_tcp_sent {
    struct bm_tcp_sent *next, *previous, *later, *earlier;
    uint64_t time; // us
    struct bm_tcp_piece *piece;
    uint32_t begin, end;
    uint32_t offset; // in the piece
    uint8_t flags;
};

// Data beyond a gap.
struct bm_tcp_parked {
    struct bm_tcp_parked *next, *previous;
    const uint8_t *data;
    void *owner;
    uint32_t begin, end;
};

enum bm_tcp_kind { BM_TCP_KIND_CONNECTION, BM_TCP_KIND_HALF, BM_TCP_KIND_WAIT };

// What stands in the table of a shard.
struct bm_tcp_node {
    struct bm_tcp_node *next;
    struct bm_tcp_tuple tuple;
    uint8_t kind;
    struct bm_tcp_timer timer;
};

// A handshake whose last acknowledgement has not come (listen.c).
struct bm_tcp_half {
    struct bm_tcp_node node;
    struct bm_tcp_half *newer, *older;
    struct bm_tcp_listener *listener;
    uint64_t sent;
    uint32_t theirs, ours; // first numbers
    uint32_t their_time, time_offset;
    uint32_t window; // of the SYN
    uint32_t answered_ms;
    uint16_t mss;
    uint8_t scale, tries;
    bool sack, timestamps, ecn, acknowledged;
};

// TIME-WAIT (time_wait.c).
struct bm_tcp_wait {
    struct bm_tcp_node node;
    struct bm_tcp_wait *newer, *older;
    uint32_t send_next, receive_next, their_time, time_offset;
    uint32_t answered_ms;
    uint16_t window;
    bool timestamps;
};

enum { DUE_RETRANSMIT, DUE_LOSS, DUE_ACK, DUE_IDLE, DUE_PACE, DUE_COUNT };
enum bm_tcp_loss_timer { LOSS_NONE, LOSS_REORDER, LOSS_TAIL };

// RFC 8985 section 5.3.
struct bm_tcp_rack {
    uint64_t time;
    uint32_t end, rtt;
    uint32_t furthest; // RACK.fack
    uint32_t round;    // D-SACKs count once in a round trip, which ends at this number
    uint8_t multiplier, persist;
    bool reordering, tail_probe, tail_again;
    uint32_t tail_end; // TLP.end_seq
};

// RFC 9438 section 4.1.2 and RFC 9406 section 4.2; NewReno has but `reno_left`.
struct bm_tcp_growth {
    uint32_t w_max, w_estimate, k_ms, epoch_ms, origin;
    uint32_t left; // bytes that are no whole byte of the window yet
    uint32_t round_end, last_min, round_min;
    uint16_t samples;
    uint8_t css_rounds;
    bool epoch, css;
    uint32_t css_base;
};

struct bm_tcp_connection {
    struct bm_tcp_node node;
    struct bm_tcp_shard *shard;
    const struct bm_tcp_events *events;
    void *user;
    uint8_t state, recovery, holds, loss_timer, duplicates, retries, quick, algorithm;
    uint8_t send_scale, receive_scale, sack_count, black_hole;
    bool timestamps, sack, ecn, ecn_echo, ecn_reduced;
    bool nodelay, hold_back, fin_queued, fin_received, fin_parked, orphan, gone, listener_owned;
    bool ack_now, probing, limited, fixed_send, fixed_receive, no_scale, waits;
    uint8_t way; // room.c: of its last frame that found no room behind it; 0: none

    // RFC 9293 section 3.3.1.
    uint32_t iss, irs;
    uint32_t una, next, data_end; // SND.UNA, SND.NXT, behind what was written
    uint32_t peer_window, peer_window_max, wl1, wl2;
    uint32_t receive_next, receive_edge, unread, last_ack_sent;
    uint16_t mss, mss_peer; // of data, without options but timestamps; what the peer said
    uint16_t interface;

    // Receiving.
    uint32_t receive_limit, their_time, their_time_ms, time_offset;
    uint32_t receive_rtt, round_ms, round_read, parked_bytes, unacknowledged, unacknowledged_segments;
    struct bm_tcp_range sack_ranges[SACK_BLOCKS], duplicate;
    struct bm_tcp_parked *parked, *parked_last;

    // Sending.
    struct bm_tcp_piece *pieces, *pieces_last, *unsent; // unsent: where `next` lies
    uint32_t pieces_offset, unsent_offset;              // of una and next in them
    struct bm_tcp_sent *sent, *sent_last, *flying, *flying_last;
    uint32_t send_limit, unsent_max;
    uint32_t in_flight, sacked, sacked_segments, lost, reno_sacked;
    uint32_t window, threshold; // cwnd, ssthresh
    uint32_t recovery_end, before_window, before_threshold, undo_from, retransmitted, lost_total;
    int32_t undo_left;
    uint32_t prr_delivered, prr_out, prr_flight;
    uint32_t undo_known, fin_at; // spurious repetitions known by timestamps; a FIN beyond a gap
    uint32_t srtt, rttvar, rto_ms, min_rtt, min_rtt_next, min_rtt_ms; // us
    uint64_t last_sent, pace_at;                         // pace_at: when the next segment may go, us
    struct bm_tcp_connection *wait_next, *wait_previous; // room.c
    struct bm_tcp_rack rack;
    struct bm_tcp_growth growth;

    // Timers, in ms; 0: not running.
    uint32_t due[DUE_COUNT];
    uint32_t heard_ms, progress_ms, user_timeout_ms, challenged_ms;
    uint16_t keep_idle_s, keep_interval_s;
    uint8_t keep_count, keep_sent;
};

enum { LISTEN_BUCKETS = 64 };

struct bm_tcp_shard {
    const struct bm_tcp_operations *operations;
    void *context;
    uint64_t now; // us, of this call
    uint32_t ms;  // the same in milliseconds, never 0
    bool inside;  // a packet or timers are dealt with: the time is that of their beginning
    struct bm_tcp_wheel wheel;
    struct bm_tcp_node **buckets;
    size_t bucket_count;
    unsigned count, connections, half_open, waiting, orphans;
    struct bm_tcp_listener *listeners[LISTEN_BUCKETS];
    struct bm_tcp_half *half_first, *half_last;
    struct bm_tcp_wait *wait_first, *wait_last;
    struct bm_tcp_limits limits;
    struct bm_tcp_counters counters;
    size_t memory;
    uint32_t full; // room.c: a bit for each way
    struct bm_tcp_connection *room_first, *room_last;
    uint64_t hash_key[6], number_key[2], cookie_key[2];
    struct bm_tcp_sent *spare; // scoreboard entries for the next segments
    unsigned spares;
    uint32_t challenges_left, challenges_second;
};

// Sequence numbers, RFC 9293 section 3.4.
static inline bool tcp_before(uint32_t one, uint32_t other)
{
    return (int32_t)(one - other) < 0;
}

static inline bool tcp_after(uint32_t one, uint32_t other)
{
    return (int32_t)(one - other) > 0;
}

static inline uint32_t tcp_min(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

static inline uint32_t tcp_max(uint32_t one, uint32_t other)
{
    return one > other ? one : other;
}

// In the network's order, and what follows.
static inline uint8_t *bm_tcp_put16(uint8_t *to, uint16_t value)
{
    value = __builtin_bswap16(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static inline uint8_t *bm_tcp_put32(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static inline uint16_t bm_tcp_get16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return __builtin_bswap16(value);
}

static inline uint32_t bm_tcp_get32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return __builtin_bswap32(value);
}

// Milliseconds for what `due` holds, and for timestamps.
static inline uint32_t tcp_ms(const struct bm_tcp_shard *shard)
{
    return shard->ms;
}

// The time of what follows. Calls that come out of an event do not look at the clock again.
static inline void tcp_enter(struct bm_tcp_shard *shard)
{
    if (shard->inside)
        return;
    uint64_t now = shard->operations->now(shard->context);
    if (now <= shard->now)
        return;
    shard->now = now;
    uint32_t ms = (uint32_t)(now / 1000);
    shard->ms = ms ? ms : 1;
}

// Entries for segments on their way, of which some are kept; their memory is counted by who asks.
static inline struct bm_tcp_sent *tcp_spare_take(struct bm_tcp_shard *shard)
{
    struct bm_tcp_sent *spare = shard->spare;
    shard->spare = spare->next;
    shard->spares--;
    return spare;
}

static inline bool tcp_spare_give(struct bm_tcp_shard *shard, struct bm_tcp_sent *sent)
{
    if (shard->spares >= shard->limits.spares)
        return false;
    sent->next = shard->spare;
    shard->spare = sent;
    shard->spares++;
    return true;
}

static inline void tcp_piece_drop(struct bm_tcp_piece *piece)
{
    if (!piece->given) {
        bm_tcp_piece_drop(piece);
    } else if (!--piece->references) {
        piece->shard->memory -= piece->given;
        piece->done(piece->argument);
    }
}

// RFC 4291 section 2.5.5.2.
static inline bool bm_tcp_is_mapped(const uint8_t address[16])
{
    uint64_t zero, rest;
    memcpy(&zero, address, sizeof zero);
    memcpy(&rest, address + sizeof zero, sizeof rest);
    return !zero && (uint32_t)rest == 0xffff0000;
}

static inline bool bm_tcp_is_ip4(const struct bm_tcp_tuple *tuple)
{
    return bm_tcp_is_mapped(tuple->local);
}

static inline bool tcp_same_address(const uint8_t one[16], const uint8_t other[16])
{
    uint64_t left[2], right[2];
    memcpy(left, one, sizeof left);
    memcpy(right, other, sizeof right);
    return left[0] == right[0] && left[1] == right[1];
}

// How much the program may write now: none while as much waits as TCP_NOTSENT_LOWAT says.
static inline uint32_t tcp_writable(const struct bm_tcp_connection *c)
{
    uint32_t used = tcp_after(c->data_end, c->una) ? c->data_end - c->una : 0;
    if (c->gone || c->fin_queued || (c->state != BM_TCP_ESTABLISHED && c->state != BM_TCP_CLOSE_WAIT) ||
        used >= c->send_limit)
        return 0;
    if (c->unsent_max && tcp_after(c->data_end, c->next) && c->data_end - c->next >= c->unsent_max)
        return 0;
    return c->send_limit - used;
}

// RFC 6675's pipe. Without SACK each duplicate acknowledgement says that one segment has left the way.
static inline uint32_t tcp_flight(const struct bm_tcp_connection *c)
{
    return c->in_flight > c->reno_sacked ? c->in_flight - c->reno_sacked : 0;
}

// shard.c
void bm_tcp_enter(struct bm_tcp_shard *shard);
void *bm_tcp_allocate(struct bm_tcp_shard *shard, size_t size);
void bm_tcp_free(struct bm_tcp_shard *shard, void *memory, size_t size);
// Whether buffers may still grow: a quarter of the memory is kept for what there is.
bool bm_tcp_memory_ample(const struct bm_tcp_shard *shard);
struct bm_tcp_node *bm_tcp_find(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple);
void bm_tcp_insert(struct bm_tcp_shard *shard, struct bm_tcp_node *node, enum bm_tcp_kind kind);
void bm_tcp_remove(struct bm_tcp_shard *shard, struct bm_tcp_node *node);
// The first sequence number of a connection, and what its timestamps are ahead of the clock.
struct bm_tcp_numbers {
    uint32_t first, time_offset;
};
struct bm_tcp_numbers bm_tcp_numbers(const struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple);
// What the way has room for, as `mss` of struct bm_tcp_operations says it.
uint16_t bm_tcp_way_mss(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple);

// segment.c
bool bm_tcp_parse(const struct bm_tcp_packet *packet, struct bm_tcp_segment *segment);
// Ports, numbers, flags; the header's size is 20, options follow with bm_tcp_finish_header.
void bm_tcp_begin_header(struct bm_tcp_frame *frame, const struct bm_tcp_tuple *tuple, uint32_t sequence,
                         uint32_t acknowledgement, uint8_t flags, uint32_t window);
void bm_tcp_finish_header(struct bm_tcp_shard *shard, struct bm_tcp_frame *frame, const uint8_t *end);
struct bm_tcp_syn_options {
    uint16_t mss;
    uint8_t scale; // 255: none
    bool sack, timestamps;
    uint32_t time, echo;
};
uint8_t *bm_tcp_put_syn_options(uint8_t *to, const struct bm_tcp_syn_options *options);

// input.c, synchronize.c
void bm_tcp_input_connection(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment);
void bm_tcp_input_syn_sent(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment);
// The answer to what belongs to no connection (RFC 9293 section 3.10.7.1).
void bm_tcp_reset_stranger(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                           const struct bm_tcp_segment *segment);
// Whether an answer may still be given to what is not acceptable (RFC 5961 section 7).
bool bm_tcp_answer_allowed(struct bm_tcp_shard *shard, uint32_t *answered_ms);
void bm_tcp_negotiate(struct bm_tcp_connection *c, const struct bm_tcp_segment *syn);

// acknowledge.c: what an acceptable segment's acknowledgement says. False: the connection is gone.
void bm_tcp_acknowledged(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment);
void bm_tcp_rtt_sample(struct bm_tcp_connection *c, uint32_t rtt);

// scoreboard.c: segments on their way.
struct bm_tcp_progress {
    uint32_t acknowledged, delivered; // bytes; delivered: selectively, too
    uint32_t rtt;                     // of the last segment that was sent once, us; 0: none
    uint32_t lost;
    bool spurious, duplicate; // the timestamps, or a D-SACK, say that a repetition was not needed
};
struct bm_tcp_sent *bm_tcp_sent_add(struct bm_tcp_connection *c, uint32_t begin, uint32_t end);
void bm_tcp_sent_now(struct bm_tcp_connection *c, struct bm_tcp_sent *sent);
void bm_tcp_sent_lost(struct bm_tcp_connection *c, struct bm_tcp_sent *sent);
bool bm_tcp_sent_split(struct bm_tcp_connection *c, struct bm_tcp_sent *sent, uint32_t length);
struct bm_tcp_sent *bm_tcp_sent_first_lost(const struct bm_tcp_connection *c);
void bm_tcp_sent_acknowledge(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                             struct bm_tcp_progress *progress);
void bm_tcp_sent_sack(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                      struct bm_tcp_progress *progress);
void bm_tcp_sent_forget_sacks(struct bm_tcp_connection *c);
void bm_tcp_sent_free(struct bm_tcp_connection *c);

// rack.c: RFC 8985.
void bm_tcp_rack_delivered(struct bm_tcp_connection *c, const struct bm_tcp_sent *sent,
                           const struct bm_tcp_segment *segment);
void bm_tcp_rack_duplicate(struct bm_tcp_connection *c);
void bm_tcp_rack_detect(struct bm_tcp_connection *c, struct bm_tcp_progress *progress);
uint32_t bm_tcp_rack_window(const struct bm_tcp_connection *c);
void bm_tcp_tail_arm(struct bm_tcp_connection *c);
void bm_tcp_tail_expired(struct bm_tcp_connection *c);
void bm_tcp_tail_acknowledged(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                              const struct bm_tcp_progress *progress);

// recovery.c
void bm_tcp_recovery_acknowledged(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment,
                                  struct bm_tcp_progress *progress, uint32_t flight_before);
void bm_tcp_recovery_enter(struct bm_tcp_connection *c);
void bm_tcp_recovery_timeout(struct bm_tcp_connection *c);
void bm_tcp_recovery_duplicate_ack(struct bm_tcp_connection *c, struct bm_tcp_progress *progress);
void bm_tcp_recovery_reduce(struct bm_tcp_connection *c);

// congestion.c, cubic.c
void bm_tcp_congestion_start(struct bm_tcp_connection *c);
void bm_tcp_congestion_grow(struct bm_tcp_connection *c, uint32_t acknowledged);
uint32_t bm_tcp_congestion_threshold(struct bm_tcp_connection *c);
void bm_tcp_congestion_rtt(struct bm_tcp_connection *c, uint32_t rtt);
void bm_tcp_congestion_idle(struct bm_tcp_connection *c);
void bm_tcp_congestion_forget(struct bm_tcp_connection *c);
uint32_t bm_tcp_window_first(const struct bm_tcp_connection *c);
void bm_tcp_cubic_grow(struct bm_tcp_connection *c, uint32_t acknowledged);
uint32_t bm_tcp_cubic_threshold(struct bm_tcp_connection *c);
uint32_t bm_tcp_cube_root(uint64_t value);

// receive.c, reassembly.c
void bm_tcp_receive(struct bm_tcp_connection *c, const struct bm_tcp_segment *segment);
void bm_tcp_deliver(struct bm_tcp_connection *c, const uint8_t *data, uint32_t length, void *owner);
void bm_tcp_acknowledge_soon(struct bm_tcp_connection *c);
uint32_t bm_tcp_receive_room(const struct bm_tcp_connection *c);
void bm_tcp_park(struct bm_tcp_connection *c, uint32_t begin, uint32_t end, const uint8_t *data, void *owner);
void bm_tcp_unpark(struct bm_tcp_connection *c);
void bm_tcp_parked_free(struct bm_tcp_connection *c);

void bm_tcp_right_size(struct bm_tcp_connection *c);
// The program has read: whether the peer is to hear of the window now.
void bm_tcp_window_moved(struct bm_tcp_connection *c);
static inline void tcp_consumed(struct bm_tcp_connection *c, uint32_t length)
{
    tcp_enter(c->shard);
    c->unread -= tcp_min(length, c->unread);
    c->round_read += length;
    if (!c->fixed_receive && c->round_ms != tcp_ms(c->shard))
        bm_tcp_right_size(c);
    if (!c->gone && !c->holds) // a segment that is being read is answered with the new window
        bm_tcp_window_moved(c);
}

static inline void tcp_deliver(struct bm_tcp_connection *c, const uint8_t *data, uint32_t length, void *owner)
{
    c->receive_next += length;
    c->unread += length;
    c->unacknowledged += length;
    c->shard->counters.bytes_in += length;
    if (c->events && c->events->received && !c->orphan)
        c->events->received(c, data, length, owner);
    else
        bm_tcp_consumed(c, length);
}

// output.c: sends what may be sent, and an acknowledgement where one is due and nothing carried it.
void bm_tcp_output(struct bm_tcp_connection *c);
void bm_tcp_send_syn(struct bm_tcp_connection *c);
void bm_tcp_send_ack(struct bm_tcp_connection *c);
void bm_tcp_send_reset(struct bm_tcp_connection *c);
bool bm_tcp_send_again(struct bm_tcp_connection *c, struct bm_tcp_sent *sent);
bool bm_tcp_send_new(struct bm_tcp_connection *c, uint32_t allowed);
void bm_tcp_send_probe(struct bm_tcp_connection *c);
// Bytes that were written and not sent, without the FIN.
uint32_t bm_tcp_unsent(const struct bm_tcp_connection *c);

// pace.c: whether the next segment has to wait, for which the timer runs then; what one that went costs.
bool bm_tcp_pace_wait(struct bm_tcp_connection *c);
void bm_tcp_paced(struct bm_tcp_connection *c, uint32_t length);

// room.c: whether its way is full; then it waits for room. And the end of that.
bool bm_tcp_room_wait(struct bm_tcp_connection *c);
void bm_tcp_room_forget(struct bm_tcp_connection *c);

// timers.c
// A connection has one timer in the wheel, at the earliest of its moments or before: those that move away are
// found there when it fires.
static inline void tcp_set_earliest(struct bm_tcp_connection *c, uint32_t due)
{
    struct bm_tcp_timer *timer = &c->node.timer;
    if (!timer->previous || (int32_t)(due - timer->due) < 0)
        bm_tcp_wheel_set(&c->shard->wheel, timer, due);
}

static inline void tcp_due_set(struct bm_tcp_connection *c, unsigned which, uint32_t ms_from_now)
{
    uint32_t due = tcp_ms(c->shard) + tcp_max(ms_from_now, 1);
    c->due[which] = due ? due : 1;
    tcp_set_earliest(c, c->due[which]);
}

void bm_tcp_due_set(struct bm_tcp_connection *c, unsigned which, uint32_t ms_from_now);
static inline void bm_tcp_due_clear(struct bm_tcp_connection *c, unsigned which)
{
    c->due[which] = 0;
}
void bm_tcp_retransmit_arm(struct bm_tcp_connection *c);
void bm_tcp_idle_arm(struct bm_tcp_connection *c);
void bm_tcp_connection_due(struct bm_tcp_connection *c);

// listen.c, cookie.c
struct bm_tcp_listener *bm_tcp_listener_find(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                                             uint16_t interface);
void bm_tcp_input_listen(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                         const struct bm_tcp_segment *segment);
void bm_tcp_input_half(struct bm_tcp_shard *shard, struct bm_tcp_half *half,
                       const struct bm_tcp_segment *segment);
void bm_tcp_half_due(struct bm_tcp_shard *shard, struct bm_tcp_half *half);
void bm_tcp_half_remove(struct bm_tcp_shard *shard, struct bm_tcp_half *half);
void bm_tcp_half_answer(struct bm_tcp_shard *shard, const struct bm_tcp_half *half);
void bm_tcp_half_begin(struct bm_tcp_shard *shard, struct bm_tcp_half *half, const struct bm_tcp_tuple *tuple,
                       const struct bm_tcp_segment *syn);
uint32_t bm_tcp_cookie_make(struct bm_tcp_shard *shard, const struct bm_tcp_half *half);
bool bm_tcp_cookie_take(struct bm_tcp_shard *shard, const struct bm_tcp_segment *segment,
                        struct bm_tcp_half *half);

// time_wait.c
void bm_tcp_wait_begin(struct bm_tcp_connection *c);
// True: a new connection may begin with this SYN, and the old one is gone.
bool bm_tcp_input_wait(struct bm_tcp_shard *shard, struct bm_tcp_wait *wait,
                       const struct bm_tcp_segment *segment);
void bm_tcp_wait_remove(struct bm_tcp_shard *shard, struct bm_tcp_wait *wait);

// write.c
void bm_tcp_pieces_acknowledged(struct bm_tcp_connection *c, uint32_t length);
void bm_tcp_pieces_free(struct bm_tcp_connection *c);

// connection.c
// Its timestamps' offset is the caller's to set.
struct bm_tcp_connection *bm_tcp_connection_new(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple);
// Keeps the memory of a connection while events are called; the last drop frees what is gone.
void bm_tcp_hold(struct bm_tcp_connection *c);
void bm_tcp_drop(struct bm_tcp_connection *c);
// Ends it: out of table and timers, its memory free after the last drop; the program hears of it.
void bm_tcp_end_connection(struct bm_tcp_connection *c, enum bm_tcp_end why);
void bm_tcp_connection_free_all(struct bm_tcp_shard *shard);
