// Completes the C library's <sys/features.h>: which parts of POSIX this system has.
// SPDX-License-Identifier: MIT
#pragma once

// read and write return ssize_t; both C libraries are built that way.
#ifndef _READ_WRITE_RETURN_TYPE
#define _READ_WRITE_RETURN_TYPE _ssize_t
#endif

// Descriptors that an fd_set can hold.
#ifndef FD_SETSIZE
#define FD_SETSIZE 1024
#endif

#include_next <sys/features.h>

#ifndef _POSIX_VERSION
#define _POSIX_VERSION 200809L
#endif
#ifndef _POSIX_TIMERS
#define _POSIX_TIMERS 200809L
#endif
#ifndef _POSIX_MONOTONIC_CLOCK
#define _POSIX_MONOTONIC_CLOCK 200809L
#endif
#ifndef _POSIX_CLOCK_SELECTION
#define _POSIX_CLOCK_SELECTION 200809L
#endif
#ifndef _POSIX_CPUTIME
#define _POSIX_CPUTIME 200809L
#endif
