// The TCP engine: connections of one core, as pure code.
// SPDX-License-Identifier: MIT
//
// A shard is all the TCP of one core: its connections, timers, memory. Whoever calls with a shard or with
// what belongs to it is that core, or holds what keeps the others away: nothing here takes a lock, and
// nothing is shared between shards. The engine knows neither lwIP nor the kernel: clock, memory, random
// numbers and the way out are functions of the caller. docs/tcp-engine.md says how it is built, and which
// rule is kept where.
//
// Calls made by the engine (struct bm_tcp_events, struct bm_tcp_operations) may call the engine again for any
// connection, except where it is said; a connection that its event closes or aborts is gone after that call.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bm_tcp_shard;
struct bm_tcp_connection;
struct bm_tcp_piece;

// Both ends of a connection, as this machine sees them. An IPv4 address is ::ffff:a.b.c.d. Ports are in the
// machine's order. The zone is the number of the interface where the remote address has a meaning on one link
// alone (RFC 4007), else 0.
struct bm_tcp_tuple {
    uint8_t local[16], remote[16];
    uint16_t local_port, remote_port;
    uint16_t zone;
};

// RFC 9293 section 3.3.2; LISTEN is struct bm_tcp_listener, TIME-WAIT is kept without a connection.
enum bm_tcp_state {
    BM_TCP_CLOSED,
    BM_TCP_SYN_SENT,
    BM_TCP_SYN_RECEIVED,
    BM_TCP_ESTABLISHED,
    BM_TCP_FIN_WAIT_1,
    BM_TCP_FIN_WAIT_2,
    BM_TCP_CLOSE_WAIT,
    BM_TCP_CLOSING,
    BM_TCP_LAST_ACK,
};

// A packet that came: TCP's header and data, whose checksum is right, in one piece of memory. `owner` is what
// hold and release of the operations are given.
struct bm_tcp_packet {
    struct bm_tcp_tuple tuple; // local: where it was sent to
    const uint8_t *bytes;
    size_t size;
    void *owner;
    bool congestion_experienced; // RFC 3168 section 5: the IP header said CE
    uint16_t interface;          // by which it came, from 1 on; 0: none is named
};

enum { BM_TCP_FRAME_PIECES = 8, BM_TCP_HEADER_MAX = 60 };

// What goes out: a header without checksum (0), and data in pieces that stay where they are until
// bm_tcp_piece_drop, if the receiver of the frame keeps them longer than the call with bm_tcp_piece_hold.
struct bm_tcp_frame {
    const struct bm_tcp_tuple *tuple;
    struct bm_tcp_connection *connection; // that it belongs to; NULL: to none (any more, or yet)
    struct bm_tcp_listener *listener;     // of a handshake that began here; NULL: else
    uint16_t interface;                   // that connection or listener is bound to; 0: to none
    uint8_t header[BM_TCP_HEADER_MAX];
    unsigned header_size;
    unsigned length; // of the data
    unsigned count;  // of the pieces
    struct {
        const uint8_t *data;
        unsigned length;
        struct bm_tcp_piece *piece;
    } pieces[BM_TCP_FRAME_PIECES];
    bool ecn_capable; // RFC 3168: the IP header says ECT(0)
    bool more;        // another frame of the connection may follow at once
};

// What the engine needs of its surroundings. All functions get the shard's `context`.
struct bm_tcp_operations {
    // Microseconds since some moment; never backwards.
    uint64_t (*now)(void *context);
    // Memory of `size` bytes, aligned to 16; NULL: there is none. And back again, with the same size.
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory, size_t size);
    // A frame is to be sent. It must not call the engine, except for pieces and bm_tcp_full.
    void (*output)(void *context, const struct bm_tcp_frame *frame);
    // A packet's memory is kept beyond bm_tcp_input, or needed no longer.
    void (*packet_hold)(void *context, void *owner);
    void (*packet_release)(void *context, void *owner);
    // A random number, which nobody can guess.
    uint32_t (*random)(void *context);
    // What the way to the remote end has room for, in bytes of data without options (MTU less 40 or 60).
    // NULL: 1,460, or 1,440 by IPv6.
    uint16_t (*mss)(void *context, const struct bm_tcp_tuple *tuple);
};

// Why a connection ended.
enum bm_tcp_end {
    BM_TCP_ENDED,     // both sides have said all, or the program has let go
    BM_TCP_RESET,     // by the peer
    BM_TCP_REFUSED,   // a reset answered the SYN
    BM_TCP_TIMED_OUT, // the peer does not answer
    BM_TCP_NO_MEMORY,
};

// What happens to a connection. Each may be NULL.
struct bm_tcp_events {
    // The handshake is done (for connect; a listener has accept).
    void (*connected)(struct bm_tcp_connection *connection);
    // The next `length` bytes in order. `data` is valid during the call; who keeps it holds its `owner`. The
    // window shrinks by them until bm_tcp_consumed is called.
    void (*received)(struct bm_tcp_connection *connection, const uint8_t *data, size_t length, void *owner);
    // The peer has sent its last byte.
    void (*finished)(struct bm_tcp_connection *connection);
    // The peer has acknowledged `length` bytes, whose buffers are free again.
    void (*acknowledged)(struct bm_tcp_connection *connection, size_t length);
    // The connection is gone; its pointer is no longer valid after this call. Not called after bm_tcp_abort,
    // nor after bm_tcp_close.
    void (*ended)(struct bm_tcp_connection *connection, enum bm_tcp_end why);
};

// A port that is open to strangers. The caller owns the memory, and sets all but `next`.
struct bm_tcp_listener {
    struct bm_tcp_listener *next;
    uint8_t local[16]; // all zero: any address …
    uint8_t family;    // … of IPv4 (4), of IPv6 (6), of both (0)
    uint16_t port;
    uint16_t interface; // segments by this one alone; 0: by any
    bool deferred;      // TCP_DEFER_ACCEPT: accepted with the first data, not before
    void *user;
    // Whether there is room for one more; otherwise its SYN is not answered, and a handshake that has begun
    // is not finished, so that the peer asks again. NULL: there always is.
    bool (*room)(struct bm_tcp_listener *listener);
    // A handshake is done. It sets the connection's events and user with bm_tcp_set_events; false: it is
    // reset.
    bool (*accept)(struct bm_tcp_listener *listener, struct bm_tcp_connection *connection);
};

// Bounds of a shard; those that are 0 have the default that is named.
struct bm_tcp_limits {
    size_t memory;          // bytes for buffers of all connections together; 64 MiB
    uint32_t send_max;      // bytes of one connection's send buffer, at most; 4 MiB
    uint32_t receive_max;   // bytes of one connection's receive window, at most; 4 MiB
    uint32_t send_first;    // … and with how much a connection begins: 64 KiB
    uint32_t receive_first; // … 128 KiB
    uint32_t half_open_max; // connections whose handshake is not done; 1,024
    uint32_t time_wait_max; // connections in TIME-WAIT; 4,096
    uint32_t orphans_max;   // connections that the program has closed, and the peer has not; 1,024
    uint32_t time_wait_ms;  // how long TIME-WAIT lasts; 60,000
    uint32_t buckets;       // of the table of connections, a power of two, to begin with; 256
    uint32_t spares;        // entries for segments on their way that are kept for the next ones; none
    bool no_timestamps;     // RFC 7323's are neither offered nor accepted
    bool no_sack;           // … RFC 2018's
    bool no_window_scale;   // … RFC 7323's
    bool ecn;               // RFC 3168 is offered by connect; a listener always accepts it
};

enum bm_tcp_congestion { BM_TCP_CUBIC, BM_TCP_NEWRENO };

// What the engine counts, for one shard.
struct bm_tcp_counters {
    uint64_t segments_in, segments_out, bytes_in, bytes_out;
    uint64_t malformed, no_connection, unacceptable, paws, resets_in, resets_out;
    uint64_t retransmitted, fast_recoveries, timeouts, tail_probes, tail_losses, spurious, reordered;
    uint64_t duplicates_reported; // D-SACKs that came
    uint64_t out_of_order, pruned, challenges, challenges_withheld;
    uint64_t cookies_sent, cookies_taken, half_open_dropped, orphans_killed, time_wait_dropped;
};

// A connection's state for the program (Linux' TCP_INFO).
struct bm_tcp_info {
    uint8_t state, recovery; // enum bm_tcp_state, enum bm_tcp_recovery of connection.h
    bool timestamps, sack, window_scale, ecn;
    uint8_t send_scale, receive_scale;
    uint16_t mss, mss_peer;
    uint32_t rto_ms, srtt_us, rttvar_us, min_rtt_us;
    uint32_t congestion_window, slow_start_threshold, in_flight; // bytes
    uint32_t send_limit, send_queued, send_unsent, receive_window, peer_window;
    uint32_t peer_window_max; // the widest that the peer has announced
    uint32_t retransmitted, lost, reordering_window_us;
    uint32_t sacked_segments, receive_rtt_us;
    uint32_t heard_ms; // how long ago the peer was heard
    uint32_t timeouts_in_a_row;
};

// shard.c. Makes a shard; false: no memory. `limits` may be NULL. The memory of the struct itself, of
// bm_tcp_shard_size() bytes aligned to 64, is the caller's.
size_t bm_tcp_shard_size(void);
bool bm_tcp_shard_start(struct bm_tcp_shard *shard, const struct bm_tcp_operations *operations, void *context,
                        const struct bm_tcp_limits *limits);
// Frees all connections without a word to their peers, and calls no events.
void bm_tcp_shard_stop(struct bm_tcp_shard *shard);
const struct bm_tcp_counters *bm_tcp_shard_counters(const struct bm_tcp_shard *shard);
// Bytes that buffers and connections hold, and how many connections there are, in TIME-WAIT, too.
size_t bm_tcp_shard_memory(const struct bm_tcp_shard *shard);
unsigned bm_tcp_shard_connections(const struct bm_tcp_shard *shard);
// Connections with data or an end that the peer has not acknowledged. Looks at all of them.
unsigned bm_tcp_shard_unfinished(const struct bm_tcp_shard *shard);
// Whether no connection has these ends, in TIME-WAIT neither. And whether a connection has that port of that
// local address, all zero: of any; `waiting`: those in TIME-WAIT count. It looks at all of them.
bool bm_tcp_ends_free(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple);
bool bm_tcp_port_used(const struct bm_tcp_shard *shard, const uint8_t local[16], uint16_t port, bool waiting);

// input.c. A packet has come. Its memory is the caller's again afterwards, unless it was held.
void bm_tcp_input(struct bm_tcp_shard *shard, const struct bm_tcp_packet *packet);
// predict.c. The same where it is what was expected next; its tuple has the ports, too. False: it is not, and
// nothing was done.
bool bm_tcp_input_predicted(struct bm_tcp_shard *shard, const struct bm_tcp_packet *packet);
// segment.c. The checksum of TCP over `size` bytes (RFC 9293 section 3.1), 0 where the one in them is right;
// to fill one in, the field is 0 before. IPv4's pseudo header where both addresses are mapped, else IPv6's.
uint16_t bm_tcp_checksum(const struct bm_tcp_tuple *tuple, const void *bytes, size_t size);

enum { BM_TCP_WAYS = 31 };

// room.c. Called by output for the connection of a frame that was taken, when little more can be: data of
// connections that have met this way, from 1 to BM_TCP_WAYS, waits from now on until bm_tcp_room says that
// there is room again. It is not lost, as what a full queue drops would be.
void bm_tcp_full(struct bm_tcp_connection *connection, unsigned way);
void bm_tcp_room(struct bm_tcp_shard *shard, unsigned way);

// timers.c. Does what is due. To be called at bm_tcp_timers_due(), in microseconds as of now(), or later;
// UINT64_MAX: no timer runs.
void bm_tcp_timers_run(struct bm_tcp_shard *shard);
uint64_t bm_tcp_timers_due(const struct bm_tcp_shard *shard);

// listen.c. Opens and closes a port; 0, or -1: the port is open at this address.
int bm_tcp_listen(struct bm_tcp_shard *shard, struct bm_tcp_listener *listener);
void bm_tcp_unlisten(struct bm_tcp_shard *shard, struct bm_tcp_listener *listener);

// connection.c. Begins a connection from the tuple's local end, which must be free; NULL: it is not, or there
// is no memory. `mss` is what the way out has room for, in bytes of data without options (MTU less 40 or 60).
struct bm_tcp_connection *bm_tcp_connect(struct bm_tcp_shard *shard, const struct bm_tcp_tuple *tuple,
                                         uint16_t mss, const struct bm_tcp_events *events, void *user);
void bm_tcp_set_events(struct bm_tcp_connection *connection, const struct bm_tcp_events *events, void *user);
void *bm_tcp_user(const struct bm_tcp_connection *connection);
enum bm_tcp_state bm_tcp_state_of(const struct bm_tcp_connection *connection);
// Only segments by this interface belong to it; 0: by any. Accepted ones have their listener's.
void bm_tcp_set_interface(struct bm_tcp_connection *connection, uint16_t interface);
const struct bm_tcp_tuple *bm_tcp_tuple(const struct bm_tcp_connection *connection);
// Of the above what changes with every segment, in bytes.
struct bm_tcp_levels {
    size_t writable;
    uint32_t unsent, unacknowledged;
    uint32_t peer_window_max;
    uint16_t mss;
    uint8_t state; // enum bm_tcp_state
};
void bm_tcp_get_levels(const struct bm_tcp_connection *connection, struct bm_tcp_levels *levels);
void bm_tcp_get_info(const struct bm_tcp_connection *connection, struct bm_tcp_info *info);
// The peer gets a FIN behind what was written; what it still sends is received.
void bm_tcp_shutdown(struct bm_tcp_connection *connection);
// The program lets go: FIN as above, or a reset if data was not consumed (RFC 9293 section 3.6.1). No event
// comes any more, and the pointer must not be used again.
void bm_tcp_close(struct bm_tcp_connection *connection);
// Resets the connection. The pointer must not be used again.
void bm_tcp_abort(struct bm_tcp_connection *connection);
// The program has read `length` bytes more of what it received.
void bm_tcp_consumed(struct bm_tcp_connection *connection, size_t length);
// The way is narrower now (RFC 1191, RFC 8201): segments of at most `mss` bytes, at least 536 (IPv6: 1,220).
void bm_tcp_set_mss(struct bm_tcp_connection *connection, uint16_t mss);

// Settings (option.c). Nagle's algorithm (RFC 9293 section 3.7.4) is on, until it is told otherwise.
// Keep-alive: after `idle_s` seconds, `count` probes `interval_s` apart; 0 idle_s: none. User timeout in ms;
// 0: none (RFC 5482). The low-water mark: bm_tcp_writable is 0 while as much is not sent. Buffers' sizes end
// their autotuning.
void bm_tcp_set_nodelay(struct bm_tcp_connection *connection, bool on);
void bm_tcp_set_keepalive(struct bm_tcp_connection *connection, unsigned idle_s, unsigned interval_s,
                          unsigned count);
void bm_tcp_set_user_timeout(struct bm_tcp_connection *connection, uint32_t ms);
void bm_tcp_set_congestion(struct bm_tcp_connection *connection, enum bm_tcp_congestion algorithm);
void bm_tcp_set_unsent_max(struct bm_tcp_connection *connection, uint32_t bytes);
void bm_tcp_set_buffers(struct bm_tcp_connection *connection, uint32_t send, uint32_t receive);

// write.c. How many bytes may be written now.
size_t bm_tcp_writable(const struct bm_tcp_connection *connection);
// Copies `length` bytes, at most what is writable, behind what was written, and returns how many; `more`:
// they wait for the next ones to fill a segment, until bm_tcp_push or a write without it.
size_t bm_tcp_write(struct bm_tcp_connection *connection, const void *data, size_t length, bool more);
// The same without a copy: `data` stays as it is until `done` is called with `argument`. All or nothing.
bool bm_tcp_write_reference(struct bm_tcp_connection *connection, const void *data, size_t length, bool more,
                            void (*done)(void *argument), void *argument);
// Copies all of it, or, where it is more than what is writable or memory is short, nothing.
bool bm_tcp_write_whole(struct bm_tcp_connection *connection, const void *data, size_t length, bool more);
void bm_tcp_push(struct bm_tcp_connection *connection);
void bm_tcp_piece_hold(struct bm_tcp_piece *piece);
void bm_tcp_piece_drop(struct bm_tcp_piece *piece);
