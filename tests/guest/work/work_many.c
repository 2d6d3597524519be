// Many items, submitted by all cores at once: every one runs exactly once, and the sums are right.
// SPDX-License-Identifier: MIT
// @memory 128
// @timeout 120
// @machines q35
// @cpus max
// @run one
// @append -- items=1000000
// @run two
// @smp 2
// @append -- items=1000000
// @run three
// @smp 3
// @append -- items=1000000
// @run four
// @smp 4
// @append -- items=1000000
// @run sixteen
// @smp 16
// @append -- items=200000
// @run sixty-four
// @smp 64
// @memory 256
// @append -- items=100000
// @run all of them, one
// @long 600
// @append -- items=10000000
// @run all of them, two
// @long 600
// @smp 2
// @append -- items=10000000
// @run all of them, three
// @long 600
// @smp 3
// @append -- items=10000000
// @run all of them, four
// @long 600
// @smp 4
// @append -- items=10000000
// @run all of them, sixteen
// @long 900
// @smp 16
// @append -- items=10000000
// @run all of them, sixty-four
// @long 1800
// @smp 64
// @memory 256
// @append -- items=10000000
// @run all of them, two hundred and fifty-five
// @long 3600
// @smp 255
// @memory 512
// @append -- items=10000000

#include <baremetal/cpu.h>
#include <baremetal/work.h>

#include "check.h"

enum { BATCH = 600, PINNED_EVERY = 64, CORES_MAX = BM_CORES_MAX };
_Static_assert((int)BATCH > 256, "more than a core's deque holds");

struct item {
    struct bm_work work;
    unsigned long number;
};

// Each core submits the numbers [begin, end), BATCH at a time.
struct share {
    _Alignas(64) struct bm_work work;
    unsigned long begin, end;
    struct item *items;
};

static struct share shares[CORES_MAX];
static struct {
    _Alignas(64) unsigned long sum, count; // of the items that ran on this core
} ran[CORES_MAX];

static atomic_uchar *runs; // of each item
static unsigned cores;

static void run_item(void *arg)
{
    const struct item *item = arg;
    CHECK(atomic_fetch_add(&runs[item->number], 1) == 0);
    ran[bm_core_id()].sum += item->number;
    ran[bm_core_id()].count++;
}

// Most go where any core takes them; some to one core alone.
static void submit_share(void *arg)
{
    struct share *share = arg;
    struct bm_work_group group;
    bm_work_group_init(&group);
    for (unsigned long begin = share->begin; begin < share->end; begin += BATCH) {
        const unsigned long left = share->end - begin, count = left < BATCH ? left : BATCH;
        for (unsigned long i = 0; i < count; i++) {
            struct item *item = &share->items[i];
            item->number = begin + i;
            bm_work_init(&item->work, run_item, item);
            if (item->number % PINNED_EVERY)
                bm_work_group_add(&group, &item->work);
            else
                bm_work_submit_on(item->number / PINNED_EVERY % cores, &item->work);
        }
        bm_work_group_wait(&group);
        for (unsigned long i = 0; i < count; i++)
            bm_work_wait(&share->items[i].work);
    }
}

static void submit_all(unsigned long items)
{
    for (unsigned core = 0; core < cores; core++) {
        struct share *share = &shares[core];
        share->begin = items * core / cores;
        share->end = items * (core + 1) / cores;
        CHECK((share->items = calloc(BATCH, sizeof(*share->items))) != NULL);
        bm_work_init(&share->work, submit_share, share);
    }
    for (unsigned core = 0; core < cores; core++)
        bm_work_submit_on(core, &shares[core].work);
    for (unsigned core = 0; core < cores; core++)
        bm_work_wait(&shares[core].work);
}

static void check_all(unsigned long items)
{
    unsigned long sum = 0, count = 0, helped = 0;
    for (unsigned core = 0; core < cores; core++) {
        sum += ran[core].sum;
        count += ran[core].count;
        helped += ran[core].count > 0;
    }
    for (unsigned long i = 0; i < items; i++)
        CHECK(atomic_load(&runs[i]) == 1);
    CHECK(count == items && sum == items * (items - 1) / 2);
    CHECK(helped == cores);
    printf("%lu items ran once each on %u cores, sum %lu\n", items, cores, sum);
}

int main(int argc, char **argv)
{
    unsigned long items = 0;
    CHECK(argc == 2 && sscanf(argv[1], "items=%lu", &items) == 1 && items >= 1000);
    CHECK((runs = calloc(items, 1)) != NULL);
    cores = bm_core_count();
    submit_all(items);
    check_all(items);
    return passed();
}
