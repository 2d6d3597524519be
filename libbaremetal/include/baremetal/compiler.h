// What the compiler is told about a function or a condition beside it in the source.
// SPDX-License-Identifier: MIT
//
// How a whole file is compiled stands in its first lines: `// @optimize speed`, `balance` or `size`
// (cmake/README.md).
#pragma once

// A function that every packet or work item passes. Those of an image lie together, so that fewer pages and
// lines of the caches hold them (boot/image.ld).
#define BM_HOT __attribute__((hot))

// A function for what seldom happens: small, never inlined, out of the way of the others.
#define BM_COLD __attribute__((cold, noinline))

// A condition that is nearly always true, or false.
#define BM_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define BM_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
