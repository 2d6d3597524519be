// The heap of programs that link no other, in the place of picolibc's, which searches all free blocks in
// order of address: baremetal::malloc_list, compiled for size, without its checks against misuse.
// SPDX-License-Identifier: MIT
// @optimize size
#define BM_BLOCK_PLAIN 1
#include <baremetal/lock.h>
#define bm_spinlock_acquire_inline bm_spinlock_acquire
#include "../../heap/list.c"
#include "../../heap/malloc_list.c"
#include "../../heap/zeroed.c"
#include "../malloc/malloc.c"
