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

// Which C library an object was compiled with, for the link (toolchain/tools/baremetal_tools/foreign.py): a
// local symbol, of which no image keeps a byte.
#if !defined(__ASSEMBLER__) && !defined(BM_INSIDE)
#ifdef __PICOLIBC__
__asm__(".set bm_object_libc_picolibc, 1");
#else
__asm__(".set bm_object_libc_newlib, 1");
#endif
#endif
