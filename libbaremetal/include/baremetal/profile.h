// The profiler: where all cores are, many times a second, added up by call stack.
// SPDX-License-Identifier: MIT
//
// A program that links baremetal::profile is sampled from its first constructor on when its command line has
// the word profile=N, and writes what was found when it ends: lines of "profile: ", which
// baremetal-flamegraph draws. It may also begin, end and read samples itself, for instance for an HTTP
// request.
//
// Calls are found by frame pointers, and by what the words on the stack can only be; docs/profile.md tells
// what is missed. A core that has interrupts disabled is sampled when it enables them.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Samples a second.
enum {
    BM_PROFILE_RATE_MIN = 10,  // of fewer the watchdog would be too late
    BM_PROFILE_RATE_MAX = 1000 // more would sample themselves
};

// Begins: `rate` samples a second of each core, BM_PROFILE_RATE_MIN to BM_PROFILE_RATE_MAX. The first call
// takes about 140 KiB for each core that there is to be, and keeps them; what earlier runs found stays.
// Returns 0, -BM_EINVAL for another rate, -BM_EBUSY when it runs, or -BM_ENOMEM. Any core, not in handlers.
int bm_profile_start(unsigned rate);

// Ends; what was found stays. Any core, not in handlers.
void bm_profile_stop(void);

// Hands on what was found so far, one line for each stack of each core, in the format of flame graph tools
// ("folded"): frames, outermost first, with semicolons between, a space, and the number of samples. `line`
// ends with a newline and is good until `take` returns; `arg` is handed on. The first frame is "core N",
// the others are functions, or "0x…" outside of the image. A core
// that sleeps has the stack "core N;asleep"; stacks for which no room was left count as "core N;others".
// Samples may be taken meanwhile. Returns 0, or -BM_EBUSY while another core or thread reads. Any core, not
// in handlers; `take` may wait.
int bm_profile_read(void (*take)(void *arg, const char *line, size_t size), void *arg);

#ifdef __cplusplus
}
#endif
