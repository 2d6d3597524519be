// An NMI from outside shows where every core is, computing or asleep; then the machine goes on, or ends.
// SPDX-License-Identifier: MIT
// @link nmi net
// @symbols
// @script nmi.py
// @variants newlib-checked picolibc
#include "check.h"

#include <baremetal/core.h>
#include <baremetal/work.h>
#include <stdatomic.h>

static atomic_bool started, stop;
static struct bm_work work;

static __attribute__((noinline)) void compute(void *arg)
{
    (void)arg;
    atomic_store(&started, true);
    while (!atomic_load(&stop))
        __asm__ volatile("");
}

int main(void)
{
    CHECK(bm_core_count() == 3);
    bm_work_init(&work, compute, NULL);
    bm_work_submit_on(1, &work);
    while (!atomic_load(&started))
        __builtin_ia32_pause();
    puts("ready");
    fflush(stdout);
    int got = getchar();
    atomic_store(&stop, true);
    bm_work_wait(&work);
    CHECK(got == 'g');
    return passed();
}
