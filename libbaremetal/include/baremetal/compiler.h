// What the compiler is told about a function or a condition beside it in the source.
// SPDX-License-Identifier: MIT
//
// How a whole file is compiled stands in its first lines: `// @optimize speed`, `balance` or `size`
// (cmake/README.md).
#pragma once

#ifndef __cplusplus
#include <stdatomic.h>
#endif
#include <stdbool.h>

// A function that every packet or work item passes. Those of an image lie together, so that fewer pages and
// lines of the caches hold them (boot/image.ld). (Not by the attribute hot, which gcc forgets when it is to
// guess no probabilities: BAREMETAL_SMALL.)
#define BM_HOT __attribute__((section(".text.hot." BM_LINE_TEXT(__LINE__))))
// For that: the text of the number `line`.
#define BM_LINE_TEXT(line)  BM_LINE_TEXT_(line)
#define BM_LINE_TEXT_(line) #line

// A function for what seldom happens: small, never inlined, out of the way of the others.
#define BM_COLD __attribute__((cold, noinline))

#ifdef __cplusplus
// A member that several cores change. Headers that C++ reads, too, have it: C++ sees the type below, of the
// same size.
#define BM_ATOMIC(type) type
// Stores value into such a member; to points to it; `order` is RELAXED or RELEASE.
#define BM_ATOMIC_STORE(to, value, order) __atomic_store_n(to, value, __ATOMIC_##order)
// Exchanges the value of such a member; to points to it; `order` is RELAXED, ACQUIRE or RELEASE.
#define BM_ATOMIC_EXCHANGE(to, value, order) __atomic_exchange_n(to, value, __ATOMIC_##order)
#else
// A member that several cores change. Headers that C++ reads, too, have it: C++ sees the type below, of the
// same size.
#define BM_ATOMIC(type)                      _Atomic(type)
// Stores value into such a member; to points to it; `order` is RELAXED or RELEASE.
#define BM_ATOMIC_STORE(to, value, order)    atomic_store_explicit(to, value, __ATOMIC_##order)
// Exchanges the value of such a member; to points to it; `order` is RELAXED, ACQUIRE or RELEASE.
#define BM_ATOMIC_EXCHANGE(to, value, order) atomic_exchange_explicit(to, value, __ATOMIC_##order)
#endif
typedef BM_ATOMIC(bool) bm_atomic_bool; // a bool that several cores change

// A condition that is nearly always true, or false.
#define BM_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define BM_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
