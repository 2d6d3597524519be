// The C library's own heap passes what the others must.
// SPDX-License-Identifier: MIT
// @machines q35
// @cpus max
// @memory 64
// @timeout 120
// @run one core
// @expect ^1 cores$
// @run two cores
// @smp 2
// @expect ^2 cores$
// @run four cores
// @smp 4
// @expect ^4 cores$
// @run many cores
// @smp 64
// @memory 256
// @expect ^64 cores$

#define HEAP_OF_LIBC
#define WASTE 0
#include "heap/checks.h"
