// A path of the internet as arithmetic: when a frame arrives at its far end, or why it does not.
// SPDX-License-Identifier: MIT
//
// One direction each. Nothing here reads a clock, allocates or moves a frame: the caller says when a frame
// enters, and is told when it leaves. With the same seed the same frames get the same fate, since each frame
// takes as many random numbers, whatever becomes of it; only a full queue depends on when frames enter.
//
// A frame meets, in this order: the largest packet, the queue before the bottleneck, the bottleneck, loss,
// and then delay, jitter, reordering and duplication.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    PATH_LINK_HEADER = 14,     // Ethernet's, which the largest packet does not count
    PATH_MILLION = 1000000,    // chances are in millionths of the frames
    PATH_FRAME_MAX = 65535,    // bytes
    PATH_QUEUE_MAX = 64 << 20, // bytes
    PATH_MTU_MIN = 576,        // bytes; RFC 791's least that every host takes
};
#define PATH_TIME_MAX 60000000000  // ns: of each delay here
#define PATH_RATE_MAX 100000000000 // bit/s

struct path {
    uint64_t rate;      // of the bottleneck in bit/s, up to PATH_RATE_MAX; 0: none
    uint64_t delay;     // ns, up to PATH_TIME_MAX
    uint64_t jitter;    // ns: each frame takes up to as much longer, and overtakes none by it
    uint64_t late;      // ns by which a reordered frame comes later than the others
    uint32_t queue;     // bytes before the bottleneck, the frame on its way out included; 0: PATH_QUEUE_MAX
    uint32_t loss;      // chance of a frame to be lost alone
    uint32_t burst;     // chance of a frame to be the first of a burst of losses
    uint32_t burst_end; // chance of a frame in a burst to be its last; 0 is not allowed with bursts
    uint32_t reorder;   // chance of a frame to be late
    uint32_t duplicate; // chance of a frame to arrive twice
    uint32_t mtu;       // largest packet, at least PATH_MTU_MIN; 0: any. Larger ones vanish without a word
};

struct path_counters {
    uint64_t frames, bytes; // that entered
    uint64_t too_large, overflowed, lost, reordered, duplicated;
    uint64_t queued_max; // bytes in the queue
};

struct path_state {
    uint64_t random;
    uint64_t free_at;      // ns: when the bottleneck has sent all that it has
    uint64_t rest;         // of a division by the rate, so that no nanosecond is lost over many frames
    uint64_t last_arrival; // ns: of what is not late
    bool in_burst;
    struct path_counters counters;
};

enum path_end { PATH_ARRIVES, PATH_TOO_LARGE, PATH_OVERFLOWED, PATH_LOST };

struct path_fate {
    enum path_end end;
    bool twice;  // a copy arrives at the same time
    uint64_t at; // ns: the arrival, when there is one
};

// What is wrong with a path, as a sentence, or NULL.
const char *path_problem(const struct path *path);

// Nothing is under way, and all counters are 0.
void path_start(struct path_state *state, uint64_t seed);

// A frame of `size` bytes (link header included, 1 to PATH_FRAME_MAX) enters at `now` (ns, never less than
// the time before). The path is one without a problem.
struct path_fate path_send(const struct path *path, struct path_state *state, uint64_t now, uint32_t size);
