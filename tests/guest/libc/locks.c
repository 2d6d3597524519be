// The C library's locks: stdio's are recursive, spinlocks can be tried.
// SPDX-License-Identifier: MIT
// @expect ^one line$

#include <baremetal/lock.h>

#include "check.h"

static struct bm_spinlock lock = BM_SPINLOCK_INIT;

// newlib has no flockfile().
static void print_locked(void)
{
#ifdef __PICOLIBC__
    flockfile(stdout);
    flockfile(stdout);
#endif
    fputs("one ", stdout);
    puts("line");
#ifdef __PICOLIBC__
    funlockfile(stdout);
    funlockfile(stdout);
#endif
}

int main(void)
{
    print_locked();
    CHECK(bm_spinlock_try(&lock));
    CHECK(!bm_spinlock_try(&lock));
    bm_spinlock_release(&lock);
    bm_spinlock_acquire(&lock);
    CHECK(!bm_spinlock_try(&lock));
    bm_spinlock_release(&lock);
    CHECK(bm_spinlock_try(&lock));
    bm_spinlock_release(&lock);
    return passed();
}
