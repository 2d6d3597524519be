// Commands of the wire, in words: `set path=101 seed=1 delay_us=25000 loss_ppm_out=10000`.
// SPDX-License-Identifier: MIT
#pragma once

#include "path.h"

#include <stddef.h>

enum { PATHS = 256, IN = 0, OUT = 1 }; // into the guests, out of them

// A place of a stream (flow.h: 0 is the SYN, 1 the first byte) whose segment is dropped so many times.
struct drop {
    uint32_t place, times;
};

struct setting {
    unsigned path; // its number
    uint64_t seed;
    struct path ways[2];
    struct drop drops[2];
};

// Reads the words behind `set`, which it takes apart. Keys, with _in or _out behind them for one way alone:
//   rate_kbit delay_us jitter_us queue loss_ppm burst_ppm burst_end_ppm reorder_ppm late_us duplicate_ppm mtu
//   drop_at drop_times
// and, without, path and seed. Returns NULL, or what is wrong as a sentence; then the setting means nothing.
const char *control_read(char *words, struct setting *setting);

// Counters of one way as a member of a JSON object.
struct report {
    const struct path_counters *path;
    uint64_t dropped;     // frames, by `drop`
    uint64_t data, again; // bytes of segments that entered, and those of them that were sent before
    uint64_t spilled;     // frames of all paths that the wire itself had no room for, since its start
    uint64_t behind_max;  // us by which the wire itself was too late: the host had no time for it
};

// Writes `{"in": {…}, "out": {…}}` and its end; returns false when the room was too small.
bool control_write(char *text, size_t room, const struct report reports[2]);
