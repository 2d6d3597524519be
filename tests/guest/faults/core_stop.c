// A fault on one core while all others print: they stop at once and for good. core_stop.py looks at them.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked
// @script core_stop.py

#include <baremetal/work.h>

#include "check.h"

enum { CORES_MAX = 64, PRINTED_BEFORE = 200 };

static atomic_uint printed;

static void print_for_ever(void *arg)
{
    (void)arg;
    for (;;) {
        puts("####");
        atomic_fetch_add(&printed, 1);
    }
}

static void fault(void *arg)
{
    (void)arg;
    *(volatile int *)hidden(8) = 1;
}

static void fault_later(void *arg)
{
    while (atomic_load(&printed) < PRINTED_BEFORE)
        ;
    fault(arg);
}

static void nothing(void *arg)
{
    (void)arg;
}

// Faults when one of the other cores has run an item and most of them are still on their way.
static void fault_early(void)
{
    struct bm_work work;
    bm_work_init(&work, nothing, NULL);
    bm_work_submit(&work);
    while (!bm_work_done(&work))
        ;
    fault(NULL);
}

// The argument is the core that faults; without one it is core 0, early.
int main(int argc, char **argv)
{
    if (argc == 1)
        fault_early();
    static struct bm_work work[CORES_MAX];
    CHECK(argc == 2);
    const unsigned faulty = (unsigned)atoi(argv[1]), cores = bm_core_count();
    CHECK(faulty < cores && cores <= CORES_MAX);
    puts("ready");
    CHECK(getchar() == '\n');
    for (unsigned core = 0; core < cores; core++) {
        bm_work_init(&work[core], core == faulty ? fault_later : print_for_ever, NULL);
        bm_work_submit_on(core, &work[core]);
    }
    bm_work_wait(&work[0]);
    return 1;
}
