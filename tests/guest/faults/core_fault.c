// Faults on other cores: one report that names the core, whoever else faults meanwhile; the machine ends.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked
// @status 37
// @run three that follow each other
// @smp 4
// @append -- 1 2 3
// @expect ^fault: page fault: writing .* 0x8 .*on core [123]\n(  [ airs].*\n){6,}  names: .*\n\Z
// @run two at the same moment
// @smp 4
// @append -- together 1 2
// @boots 3
// @expect ^fault: page fault: writing .* 0x8 .*on core [12]\n(  [ airs].*\n){6,}  names: .*\n\Z
// @run all at the same moment
// @smp 4
// @append -- together 0 1 2 3
// @boots 3
// @expect ^fault: page fault: writing .* 0x8 .*on core [0123]\n(  [ airs].*\n){6,}  names: .*\n\Z
// @run the highest of 64
// @smp 64
// @memory 256
// @machines q35
// @cpus max
// @append -- 63
// @expect ^fault: page fault: writing .* 0x8 .*on core 63\n(  [ airs].*\n){6,}  names: .*\n\Z

#include <baremetal/work.h>

#include "check.h"

enum { CORES_MAX = 64 };

static atomic_uint present;
static unsigned wanted; // that fault together; 0: each when it comes

static void write_null(void *arg)
{
    atomic_fetch_add(&present, 1);
    while (atomic_load(&present) < wanted)
        ;
    *(volatile int *)hidden(8) = *(int *)arg;
}

// The arguments are the cores that fault; `together` before them makes them wait for each other.
int main(int argc, char **argv)
{
    static struct bm_work work[CORES_MAX];
    int value = 1, first = argc > 1 && strcmp(argv[1], "together") == 0 ? 2 : 1;
    bool here = false;
    wanted = first == 2 ? (unsigned)(argc - first) : 0;
    CHECK(first < argc);
    for (int i = first; i < argc; i++) {
        unsigned core = (unsigned)atoi(argv[i]);
        CHECK(core < bm_core_count() && core < CORES_MAX);
        here |= core == 0;
        bm_work_init(&work[core], write_null, &value);
        bm_work_submit_on(core, &work[core]);
    }
    if (here)
        bm_work_wait(&work[0]);
    for (unsigned i = 0;; i++) // the others fault while main prints
        if (i % 100000 == 0)
            puts("#");
}
