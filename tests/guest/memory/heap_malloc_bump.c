// baremetal::malloc_bump: cut from chunks.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked musl
// @link malloc_bump
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
// @run given back twice
// @append -- twice
// @status 37
// @forbid not noticed
// @expect ^panic: heap: the block at 0xffff[0-9a-f]{12} is free already
// @run given back twice, large
// @append -- large
// @status 37
// @forbid not noticed
// @expect ^panic: heap: the block at 0xffff[0-9a-f]{12} is free already
// @run inside of a block
// @append -- inside
// @status 37
// @forbid not noticed
// @expect ^panic: heap: 0xffff[0-9a-f]{12} is no block of the heap
// @run overwritten from below
// @append -- before
// @status 37
// @forbid not noticed
// @expect ^panic: heap: 0xffff[0-9a-f]{12} is no block of the heap, or what stands before it was overwritten

#define WASTE 0
#include "heap/checks.h"
