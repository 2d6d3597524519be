// A fault on another core: one report that names the core, all cores stop, the machine ends.
// SPDX-License-Identifier: MIT
// @smp 4
// @status 37
// @expect ^fault: page fault: writing address 0x8 .*on core [123]$
// @expect ^  rip
// @expect ^  at image\+0x
// @forbid fault: another

#include <baremetal/work.h>

#include "check.h"

static void write_null(void *arg)
{
    *(volatile int *)hidden(8) = *(int *)arg;
}

int main(void)
{
    int value = 1;
    struct bm_work work[3];
    CHECK(bm_core_count() == 4);
    // All three fault at about the same time, while main prints.
    for (unsigned core = 1; core < 4; core++) {
        bm_work_init(&work[core - 1], write_null, &value);
        bm_work_submit_on(core, &work[core - 1]);
    }
    for (unsigned i = 0;; i++)
        if (i % 100000 == 0)
            putchar('\n');
}
