// The work queue: every item runs exactly once, waits end, loops cover their range, on any number of cores.
// SPDX-License-Identifier: MIT
// @variants picolibc newlib-checked clang musl
// @link virtio_mmio
// @memory 64
// @timeout 120
// @run one
// @expect ^1 cores$
// @run two
// @smp 2
// @expect ^2 cores$
// @run three, started, one left out
// @smp 4
// @append cores=3
// @expect ^3 cores$
// @run four
// @smp 4
// @expect ^4 cores$
// @run sixteen
// @smp 16
// @memory 128
// @machines q35
// @expect ^16 cores$
// @run many
// @smp 64
// @memory 256
// @machines q35
// @cpus max
// @expect ^64 cores$
// @run four of a machine without PCI, PIC and PIT
// @smp 4
// @machines microvm-bare microvm-noacpi
// @expect ^4 cores$

#include <baremetal/work.h>

#include "check.h"

enum { ITEMS = 20000, DEPTH = 14, INDICES = 1000000, ROUNDS = 1000 };

static struct bm_work items[ITEMS];
static atomic_uint runs[ITEMS];
static atomic_uint total;

static void count_run(void *arg)
{
    atomic_fetch_add(&runs[(struct bm_work *)arg - items], 1);
    atomic_fetch_add(&total, 1);
}

// More items than any deque holds, submitted before any is waited for; twice, since a done item may be
// submitted again.
static void check_items(void)
{
    for (unsigned round = 1; round <= 2; round++) {
        for (unsigned i = 0; i < ITEMS; i++) {
            if (round == 1)
                bm_work_init(&items[i], count_run, &items[i]);
            bm_work_submit(&items[i]);
        }
        for (unsigned i = 0; i < ITEMS; i++) {
            bm_work_wait(&items[i]);
            CHECK(bm_work_done(&items[i]));
        }
        for (unsigned i = 0; i < ITEMS; i++)
            CHECK(atomic_load(&runs[i]) == round);
        CHECK(atomic_load(&total) == round * ITEMS);
    }
}

// A tree of items that submit and wait for others.
struct node {
    struct bm_work work;
    unsigned depth, leaves;
};

static void grow(void *arg)
{
    struct node *node = arg;
    if (node->depth == 0) {
        node->leaves = 1;
        return;
    }
    struct node left = {.depth = node->depth - 1}, right = {.depth = node->depth - 1};
    bm_work_init(&left.work, grow, &left);
    bm_work_init(&right.work, grow, &right);
    bm_work_submit(&left.work);
    bm_work_submit(&right.work);
    bm_work_wait(&left.work);
    bm_work_wait(&right.work);
    node->leaves = left.leaves + right.leaves;
}

static void check_nesting(void)
{
    struct node root = {.depth = DEPTH};
    grow(&root);
    CHECK(root.leaves == 1u << DEPTH);
}

static void note_core(void *arg)
{
    *(unsigned *)arg = bm_core_id();
}

// An item for a certain core runs there.
static void check_pinned(void)
{
    for (unsigned core = 0; core < bm_core_count(); core++) {
        struct bm_work work;
        unsigned ran_on = 1000;
        bm_work_init(&work, note_core, &ran_on);
        bm_work_submit_on(core, &work);
        bm_work_wait(&work);
        CHECK(ran_on == core);
    }
}

static void check_group(void)
{
    struct bm_work_group group;
    bm_work_group_init(&group);
    bm_work_group_wait(&group); // empty
    unsigned before = atomic_load(&total);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 500; i++) {
            bm_work_init(&items[i], count_run, &items[i]);
            bm_work_group_add(&group, &items[i]);
        }
        bm_work_group_wait(&group);
        CHECK(atomic_load(&total) == before + 500 * (round + 1));
    }
    // What was in a group may be submitted alone: the group, which is empty, does not notice.
    bm_work_submit(&items[0]);
    bm_work_wait(&items[0]);
    CHECK((uint32_t)atomic_load(&group.state) == 0);
}

static unsigned char touched[INDICES];

static void touch(size_t begin, size_t end, void *arg)
{
    CHECK(arg == touched);
    for (size_t i = begin; i < end; i++)
        touched[i]++;
}

static void add_range(size_t begin, size_t end, void *part, void *arg)
{
    (void)arg;
    for (size_t i = begin; i < end; i++)
        *(unsigned long *)part += i;
}

static void add(void *result, const void *part, void *arg)
{
    (void)arg;
    *(unsigned long *)result += *(const unsigned long *)part;
}

static void check_loops(void)
{
    bm_parallel_for(0, INDICES, 0, touch, touched);
    bm_parallel_for(10, INDICES, 1000, touch, touched);
    bm_parallel_for(5, 5, 1, touch, touched);
    for (size_t i = 0; i < INDICES; i++)
        CHECK(touched[i] == (i < 10 ? 1 : 2));
    unsigned long sum = 1, zero = 0;
    bm_parallel_reduce(0, INDICES, 0, add_range, add, &sum, &zero, sizeof sum, NULL);
    CHECK(sum == 1 + (unsigned long)INDICES * (INDICES - 1) / 2);
}

// Each round finds the other cores asleep or about to be: no wake-up may be lost in either direction.
static void check_wake(void)
{
    unsigned cores = bm_core_count();
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct bm_work work;
        unsigned ran_on = 1000;
        bm_work_init(&work, note_core, &ran_on);
        bm_work_submit_on(round % cores, &work);
        for (unsigned spin = 0; spin < round % 64 * 16; spin++)
            __builtin_ia32_pause();
        bm_work_wait(&work);
        CHECK(ran_on == round % cores);
    }
}

int main(void)
{
    CHECK(bm_core_id() == 0);
    printf("%u cores\n", bm_core_count());
    check_items();
    check_nesting();
    check_pinned();
    check_group();
    check_loops();
    check_wake();
    return passed();
}
