// Two machines with a TCP engine each, and the wire between them, in virtual time.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../net/tcp/engine/connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One direction of the wire. Chances are in millionths of the frames.
struct link {
    uint32_t delay_us, loss, reorder, reorder_us, duplicate, corrupt;
    uint32_t kbit, queue; // 0 kbit: no bottleneck; bytes before it, beyond which it drops
    bool marks;           // ECN: marks where the queue is half full
    uint64_t free_at;     // when the bottleneck has sent all that it has
    unsigned frames, dropped;
    // Sees each frame before all else; false: it is lost. `number` counts frames with data from 1 on.
    bool (*filter)(struct link *link, const uint8_t *bytes, size_t size, unsigned number);
    unsigned data_frames;
    void *user;
};

// The sender's own device: what it has not sent waits in a queue of so many frames, beyond which it drops.
// The engine hears of it when `full_at` wait (0: never), and again when half of them are gone.
struct device {
    uint32_t kbit, frames, full_at;
    uint64_t free_at, room_at; // room_at 0: nobody waits for it
    unsigned dropped, longest;
};

struct frame {
    uint64_t at, order; // those of the same moment arrive as they were sent
    unsigned references;
    int to; // 0 or 1: which machine
    bool marked;
    size_t size;
    uint8_t bytes[];
};

struct machine {
    struct bm_tcp_shard *shard;
    struct bm_tcp_listener listener;
    struct link out;
    struct device device;
    struct world *world;
    size_t allocated;
    unsigned fail_one_in;                            // 0: memory never fails
    uint16_t interface;                              // by which its frames come
    bool plain;                                      // none is predicted: all take the long way
    unsigned predicted;                              // how many were
    const struct bm_tcp_connection *sent_connection; // of the last frame that it sent
    const struct bm_tcp_listener *sent_listener;
};

// A stream of bytes that follow from `seed`, one way.
struct flow {
    uint64_t seed, size, written, received, acknowledged;
    uint64_t began, done_at; // us; done_at: the last byte and the end were received
    bool finished, ended, connected, close_when_written;
    enum bm_tcp_end why;
    bool wrong;          // a byte that was not sent
    uint32_t pause_each; // the reader stops for pause_us after as many bytes
    uint32_t pause_us;
    uint64_t resume_at, unread;
    uint64_t write_at; // when a writer that found no memory tries again; 0: none
    size_t chunk;      // bytes a write, at most
};

// A connection with a flow each way; both ends' views.
struct pair {
    struct bm_tcp_connection *ends[2];
    struct flow flows[2]; // by their sender
    struct world *world;
    struct pair *next;
    struct bm_tcp_tuple tuple;
};

struct world {
    uint64_t now;
    struct machine machines[2];
    struct frame **heap;
    size_t heap_count, heap_room;
    uint64_t order; // of the next frame
    uint64_t random;
    struct pair *pairs;
    uint16_t port;
    uint64_t events;
    uint16_t way_mss; // 0: 1,460
    struct bm_tcp_limits limits[2];
    void (*seen)(struct world *world, int from, const uint8_t *bytes, size_t size);
};

enum { SERVER_PORT = 80 };

uint32_t world_random(struct world *world);
void world_start(struct world *world, uint64_t seed);
void world_stop(struct world *world);
// Both directions alike, `rtt_us` both ways together.
void world_links(struct world *world, uint32_t rtt_us);
// Machine 0 connects to machine 1; the flows say what each end sends. They are filled in before.
void world_connect(struct world *world, struct pair *pair);
// Runs until the time, or until all pairs are done; true: they are.
bool world_run(struct world *world, uint64_t until);
bool pair_done(const struct pair *pair);
// A packet comes to a machine, by the fast path if it is what the engine expects.
void world_input(struct machine *machine, struct bm_tcp_packet *packet);
void world_frame(struct world *world, int to, const uint8_t *bytes, size_t size, uint64_t at, bool marked);
uint8_t stream_byte(uint64_t seed, uint64_t at);
