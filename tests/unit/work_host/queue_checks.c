// What the work queue promises, checked on the cores that the host's machine has.
// SPDX-License-Identifier: MIT
#include "queue_checks.h"

#include "machine.h"

#include "../../../libbaremetal/base/core.h"

#include <baremetal/cpu.h>
#include <baremetal/work.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 2000 }; // several times what a deque holds

struct counted {
    struct bm_work work;
    unsigned runs;
};

static struct counted items[ITEMS];

static void count_run(void *arg)
{
    ((struct counted *)arg)->runs++;
}

static void init_items(void)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        bm_work_init(&items[i].work, count_run, &items[i]);
        items[i].runs = 0;
    }
}

static void submit_and_count(unsigned wanted)
{
    for (unsigned i = 0; i < ITEMS; i++)
        bm_work_submit(&items[i].work);
    for (unsigned i = 0; i < ITEMS; i++) {
        bm_work_wait(&items[i].work);
        CHECK(bm_work_done(&items[i].work));
        CHECK(items[i].runs == wanted);
    }
}

// From main and from an item, twice: a done item may be submitted again, also by another core.
static void submit_from_item(void *arg)
{
    submit_and_count(*(unsigned *)arg);
}

void check_items(void)
{
    init_items();
    for (unsigned round = 1; round <= 4; round += 2) {
        submit_and_count(round);
        struct bm_work work;
        unsigned wanted = round + 1;
        bm_work_init(&work, submit_from_item, &wanted);
        bm_work_submit_on(round % machine_cores(), &work);
        bm_work_wait(&work);
    }
}

struct node {
    unsigned depth, leaves;
};

static void grow(void *arg)
{
    struct node *node = arg;
    if (node->depth == 0) {
        node->leaves = 1;
        return;
    }
    struct node left = {node->depth - 1, 0}, right = {node->depth - 1, 0};
    struct bm_work left_work, right_work;
    bm_work_init(&left_work, grow, &left);
    bm_work_init(&right_work, grow, &right);
    bm_work_submit(&left_work);
    bm_work_submit(&right_work);
    bm_work_wait(&left_work);
    bm_work_wait(&right_work);
    node->leaves = left.leaves + right.leaves;
}

void check_nesting(void)
{
    struct node root = {.depth = 10};
    grow(&root);
    CHECK(root.leaves == 1u << 10);
}

struct pinned {
    struct bm_work work;
    unsigned core, runs;
};

static void run_pinned(void *arg)
{
    struct pinned *pinned = arg;
    CHECK(bm_core_id() == pinned->core);
    pinned->runs++;
}

// Each core sends items to every core.
static void send_pinned(void *arg)
{
    enum { COUNT = 100 };
    (void)arg;
    struct pinned sent[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        sent[i].core = i % machine_cores();
        sent[i].runs = 0;
        bm_work_init(&sent[i].work, run_pinned, &sent[i]);
        bm_work_submit_on(sent[i].core, &sent[i].work);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        bm_work_wait(&sent[i].work);
        CHECK(sent[i].runs == 1);
    }
}

void check_pinned(void)
{
    struct bm_work senders[MACHINE_CORES_MAX];
    for (unsigned i = 0; i < machine_cores(); i++) {
        bm_work_init(&senders[i], send_pinned, NULL);
        bm_work_submit(&senders[i]);
    }
    for (unsigned i = 0; i < machine_cores(); i++)
        bm_work_wait(&senders[i]);
    struct pinned own = {.core = 0};
    bm_work_init(&own.work, run_pinned, &own);
    bm_work_submit_on(machine_cores(), &own.work); // no such core: the calling one
    bm_work_wait(&own.work);
    CHECK(own.runs == 1);
}

// A binary tree of items in one group; each adds two.
static struct bm_work_group tree_group;

static void grow_in_group(void *arg)
{
    struct counted *item = arg;
    item->runs++;
    size_t place = (size_t)(item - items);
    for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < ITEMS; child++) {
        bm_work_init(&items[child].work, grow_in_group, &items[child]);
        bm_work_group_add(&tree_group, &items[child].work);
    }
}

static void wait_for_group(void *arg)
{
    bm_work_group_wait(arg);
    for (unsigned i = 0; i < ITEMS; i++)
        CHECK(items[i].runs == 1);
}

void check_groups(void)
{
    bm_work_group_init(&tree_group);
    bm_work_group_wait(&tree_group); // empty
    for (unsigned round = 0; round < 3; round++) {
        init_items();
        bm_work_init(&items[0].work, grow_in_group, &items[0]);
        bm_work_group_add(&tree_group, &items[0].work);
        struct bm_work waiters[3];
        for (unsigned i = 0; i < 3; i++) {
            bm_work_init(&waiters[i], wait_for_group, &tree_group);
            bm_work_submit(&waiters[i]);
        }
        wait_for_group(&tree_group);
        for (unsigned i = 0; i < 3; i++)
            bm_work_wait(&waiters[i]);
    }
}

// An item that was in a group counts for it once, however often it is submitted later.
void check_group_then_alone(void)
{
    struct bm_work_group group;
    bm_work_group_init(&group);
    struct counted item = {.runs = 0}, other = {.runs = 0};
    bm_work_init(&item.work, count_run, &item);
    bm_work_init(&other.work, count_run, &other);
    bm_work_group_add(&group, &item.work);
    bm_work_group_wait(&group);
    bm_work_submit(&item.work);
    bm_work_wait(&item.work);
    bm_work_submit_on(0, &item.work);
    bm_work_wait(&item.work);
    bm_work_group_add(&group, &other.work);
    bm_work_group_wait(&group);
    CHECK(item.runs == 3 && other.runs == 1);
}

// An item that ends when it is told to.
struct gate {
    struct bm_work work;
    atomic_uint open;
    unsigned runs;
};

static void wait_at_gate(void *arg)
{
    struct gate *gate = arg;
    while (!atomic_load(&gate->open))
        machine_relax();
    gate->runs++;
}

static void wait_for_gate(void *arg)
{
    struct gate *gate = arg;
    bm_work_wait(&gate->work);
    CHECK(gate->runs == 1);
}

// Every core but 0 and 1 waits for the item that core 1 runs; core 0 lets it end when all of them halt.
void check_several_waiters(void)
{
    if (machine_cores() < 3)
        return;
    for (unsigned round = 0; round < 20; round++) {
        struct gate gate = {.runs = 0};
        struct bm_work waiters[MACHINE_CORES_MAX];
        bm_work_init(&gate.work, wait_at_gate, &gate);
        bm_work_submit_on(1, &gate.work);
        for (unsigned core = 2; core < machine_cores(); core++) {
            bm_work_init(&waiters[core], wait_for_gate, &gate);
            bm_work_submit_on(core, &waiters[core]);
        }
        for (unsigned core = 2; core < machine_cores(); core++)
            while (!machine_asleep(core))
                machine_relax();
        atomic_store(&gate.open, 1);
        for (unsigned core = 2; core < machine_cores(); core++)
            while (!bm_work_done(&waiters[core]))
                machine_relax();
    }
}

// Core 2 waits for an item that is submitted anew before core 2 has seen that it was done.
static void wait_for_any_round(void *arg)
{
    bm_work_wait(&((struct gate *)arg)->work);
}

void check_wait_while_submitted_anew(void)
{
    if (machine_cores() < 3)
        return;
    for (unsigned round = 0; round < 50; round++) {
        struct gate gate = {.runs = 0};
        struct bm_work waiter;
        bm_work_init(&gate.work, wait_at_gate, &gate);
        bm_work_init(&waiter, wait_for_any_round, &gate);
        bm_work_submit_on(1, &gate.work);
        bm_work_submit_on(2, &waiter);
        while (!machine_asleep(2))
            machine_relax();
        atomic_store(&gate.open, 1);
        while (!bm_work_done(&gate.work))
            ;
        atomic_store(&gate.open, 0);
        bm_work_submit_on(1, &gate.work);
        while (!machine_asleep(2) && !bm_work_done(&waiter))
            machine_relax();
        atomic_store(&gate.open, 1);
        while (!bm_work_done(&waiter))
            machine_relax();
        bm_work_wait(&gate.work);
        CHECK(gate.runs == 2);
    }
}

// What interrupt handlers submit, on every core at once.
static void submit_in_handler(void *arg)
{
    enum { COUNT = 200 };
    (void)arg;
    struct counted sent[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        bm_work_init(&sent[i].work, count_run, &sent[i]);
        sent[i].runs = 0;
        bm_core_self()->in_interrupt = i % 3 > 0;
        bm_work_submit(&sent[i].work);
        bm_core_self()->in_interrupt = false;
    }
    for (unsigned i = 0; i < COUNT; i++) {
        bm_work_wait(&sent[i].work);
        CHECK(sent[i].runs == 1);
    }
}

void check_interrupt_submissions(void)
{
    struct bm_work submitters[MACHINE_CORES_MAX];
    for (unsigned i = 0; i < machine_cores(); i++) {
        bm_work_init(&submitters[i], submit_in_handler, NULL);
        bm_work_submit_on(i, &submitters[i]);
    }
    for (unsigned i = 0; i < machine_cores(); i++)
        bm_work_wait(&submitters[i]);
}

enum { INDICES = 5000 };
static unsigned char touched[INDICES + 2];

static void touch(size_t begin, size_t end, void *arg)
{
    CHECK(begin < end && end - begin <= *(size_t *)arg);
    for (size_t i = begin; i < end; i++)
        touched[i]++;
}

static void add_range(size_t begin, size_t end, void *part, void *arg)
{
    CHECK(*(const int *)arg == 42);
    for (size_t i = begin; i < end; i++)
        *(unsigned long *)part += i;
}

static void add(void *result, const void *part, void *arg)
{
    CHECK(*(const int *)arg == 42);
    *(unsigned long *)result += *(const unsigned long *)part;
}

static void sum_some(size_t begin, size_t end, void *arg)
{
    int answer = 42;
    unsigned long sum = 7, zero = 0;
    (void)arg;
    bm_parallel_reduce(begin, end, 3, add_range, add, &sum, &zero, sizeof(sum), &answer);
    CHECK(sum == 7 + (begin + end - 1) * (end - begin) / 2);
}

void check_loops(void)
{
    static const size_t grains[] = {0, 1, 7, INDICES, INDICES + 1};
    for (size_t i = 0; i < sizeof(grains) / sizeof(*grains); i++) {
        size_t most = grains[i] ? grains[i] : INDICES;
        memset(touched, 0, sizeof(touched));
        bm_parallel_for(1, INDICES + 1, grains[i], touch, &most);
        CHECK(touched[0] == 0 && touched[INDICES + 1] == 0);
        for (size_t k = 1; k <= INDICES; k++)
            CHECK(touched[k] == 1);
    }
    bm_parallel_for(5, 5, 0, touch, NULL); // nothing to do
    bm_parallel_for(0, 1000, 50, sum_some, NULL);
}

// Main does not help: the item is lost when nobody wakes. Every other round begins when all cores halt.
void check_wake_one(void)
{
    enum { ROUNDS = 1000 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct counted item = {.runs = 0};
        for (unsigned core = 1; core < machine_cores() && round % 2; core++)
            while (!machine_asleep(core))
                machine_relax();
        bm_work_init(&item.work, count_run, &item);
        bm_work_submit(&item.work);
        while (!bm_work_done(&item.work))
            if (round % 4 < 2)
                machine_relax();
        CHECK(item.runs == 1);
    }
}

// As many items as there are other cores, each of which waits for all of them: every core must take one.
struct meeting {
    atomic_uint present;
    unsigned wanted;
};

static void meet(void *arg)
{
    struct meeting *meeting = arg;
    atomic_fetch_add(&meeting->present, 1);
    while (atomic_load(&meeting->present) < meeting->wanted)
        machine_relax();
}

void check_wake_all(void)
{
    enum { ROUNDS = 300 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct meeting meeting = {.wanted = machine_cores() - 1};
        struct bm_work work[MACHINE_CORES_MAX];
        for (unsigned core = 1; core < machine_cores() && round % 2; core++)
            while (!machine_asleep(core))
                machine_relax();
        for (unsigned i = 0; i < meeting.wanted; i++) {
            bm_work_init(&work[i], meet, &meeting);
            bm_core_self()->in_interrupt = round % 4 > 1;
            bm_work_submit(&work[i]);
            bm_core_self()->in_interrupt = false;
        }
        for (unsigned i = 0; i < meeting.wanted; i++)
            while (!bm_work_done(&work[i]))
                machine_relax();
    }
}
