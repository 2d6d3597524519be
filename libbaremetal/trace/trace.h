// Calls of Linux' as they are made, on the console.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

enum { BM_TRACE_ERRORS = 200 };

// A call: what make_calls.py found in the headers.
struct bm_trace_call {
    const char *name;
    const char *kinds; // of its arguments, a letter each
    bool ends;         // it does not return
    long (*function)(long a, long b, long c, long d, long e, long f);
};

// In place of a call: makes it, and writes a line with its arguments and result when trace=calls is on the
// command line. A call that another one makes is a part of that one, and has no line.
long bm_trace_call(const struct bm_trace_call *call, const long arguments[6]);

// Names of errors, by their numbers; NULL: there is no such one. In the made file.
extern const char *const bm_trace_errors[BM_TRACE_ERRORS];
