// The cores that run.
// SPDX-License-Identifier: MIT
#include "core.h"

#include <stdatomic.h>
#include <stddef.h>

static struct bm_core *_Atomic cores[BM_CORES_MAX];
static _Atomic(unsigned) last; // number of the core that was added last

void bm_core_add(struct bm_core *core)
{
    core->context = core->id + 1;
    atomic_store_explicit(&cores[core->id], core, memory_order_relaxed);
    atomic_store(&last, core->id);
}

unsigned bm_core_arrived(void)
{
    return atomic_load_explicit(&last, memory_order_acquire) + 1;
}

struct bm_core *bm_core_get(unsigned id)
{
    return id < BM_CORES_MAX ? atomic_load_explicit(&cores[id], memory_order_acquire) : NULL;
}

static bool cores_read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    (void)statistic;
    value->value = bm_core_arrived();
    return value->index == 0;
}
BM_STATISTIC(cores) = {
    .name = "cores", .help = "Cores that run.", .kind = BM_STATISTIC_GAUGE, .read = cores_read};

bool bm_core_statistic_read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    const char *core = (const char *)bm_core_get(value->index);
    if (core)
        value->value = *(const uint64_t *)(core + statistic->argument);
    return core;
}

unsigned bm_core_count(void)
{
    bm_cores_await();
    return bm_core_arrived();
}
