// baremetal::mimalloc: a heap for each core, pages of blocks of one size.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked
// @link mimalloc
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
// @memory 512
// @expect ^64 cores$

#define WASTE 3
#include "heap/checks.h"
