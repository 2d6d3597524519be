// What work.c measures: one queue or run-time library behind each of these functions.
// SPDX-License-Identifier: MIT
//
// The markers stand inside the functions, around what a program would write and nothing else.
#pragma once

#include <stddef.h>

#include "../marker.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MARK_BEGIN = 1, MARK_END = 2, MARK_RUN = 3 };

extern const char back_name[];

// Runs body where items can be submitted: on core 0, in a parallel region and the like.
void back_enter(void (*body)(void));
unsigned back_cores(void);
unsigned back_core(void);

// Submits one item and waits for it; whoever gets to it runs it.
void back_item(void (*function)(void *arg), void *arg);

// Submits one item that another core is to run, and waits. `done` is set by the item itself.
void back_across(void (*function)(void *arg), void *arg, volatile int *done);

// The same to a core that is named. Returns 0 where there is no such thing.
int back_named(void (*function)(void *arg), void *arg);

// Submits `count` items, the i-th with args + i * size, then waits for all.
void back_many(void (*function)(void *arg), char *args, size_t size, size_t count);

// A parallel loop over count indices, one piece a core.
void back_for(void (*function)(size_t index), size_t count);

#ifdef __cplusplus
}
#endif
