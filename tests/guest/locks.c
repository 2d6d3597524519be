// The C library's locks: stdio's are recursive, spinlocks can be tried.
// SPDX-License-Identifier: MIT
// @expect ^one line$

#include <baremetal/lock.h>

#include "check.h"

static struct bm_spinlock lock = BM_SPINLOCK_INIT;

int main(void)
{
    flockfile(stdout);
    flockfile(stdout);
    fputs("one ", stdout);
    puts("line");
    funlockfile(stdout);
    funlockfile(stdout);
    CHECK(bm_spinlock_try(&lock));
    CHECK(!bm_spinlock_try(&lock));
    bm_spinlock_release(&lock);
    bm_spinlock_acquire(&lock);
    CHECK(!bm_spinlock_try(&lock));
    bm_spinlock_release(&lock);
    CHECK(bm_spinlock_try(&lock));
    return passed();
}
