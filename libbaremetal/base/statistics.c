// The list of statistics: what the linked files have placed in the section bm_statistics.
// SPDX-License-Identifier: MIT
#include <baremetal/statistics.h>

#include <stddef.h>

// By these names the linker keeps the section's parts when, and only when, this file is linked.
extern const struct bm_statistic __start_bm_statistics[] __attribute__((visibility("hidden")));
extern const struct bm_statistic __stop_bm_statistics[] __attribute__((visibility("hidden")));

const struct bm_statistic *bm_statistic_next(const struct bm_statistic *before)
{
    const struct bm_statistic *next = before ? before + 1 : __start_bm_statistics;
    return next < __stop_bm_statistics ? next : NULL;
}
