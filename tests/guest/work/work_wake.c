// Ping-pong between cores that halt: no wake-up is lost, in either direction.
// SPDX-License-Identifier: MIT
// @machines q35
// @cpus max
// @timeout 120
// @run two
// @smp 2
// @expect ^a core is woken by an interrupt$
// @expect ^2 cores: 1000 of 1000 rounds found the other core asleep$
// @run four
// @smp 4
// @expect ^4 cores: 1000 of 1000 rounds found the other core asleep$
// @run two that poll
// @smp 2
// @append idle=poll
// @expect ^a core is woken by a write$
// @expect ^2 cores: 1000 of 1000 rounds found the other core asleep$
// @run two with MWAIT
// @smp 2
// @append idle=mwait
// @expect ^a core is woken by a write$
// @expect ^2 cores: 1000 of 1000 rounds found the other core asleep$
// @run MWAIT wanted from a CPU that lacks it
// @smp 2
// @cpus max,-monitor
// @append idle=mwait
// @expect ^warning: idle: 'mwait' is not hlt
// @expect ^a core is woken by an interrupt$
// @run sixty-four
// @smp 64
// @memory 256
// @expect ^64 cores: 1000 of 1000 rounds found the other core asleep$
// @run two hundred and fifty-five
// @long 900
// @smp 255
// @memory 512
// @expect ^255 cores: 1000 of 1000 rounds found the other core asleep$

#include "../../../libbaremetal/base/core.h"
#include <baremetal/cpu.h>
#include <baremetal/work.h>

#include "check.h"

enum { ROUNDS = 1000 };

extern bool bm_halt_needs_interrupt; // libbaremetal/wait/halt_core.c: false with MWAIT

static struct bm_core *areas[BM_CORES_MAX];

static bool asleep(const struct bm_core *core)
{
    return atomic_load(&core->asleep);
}

static void note_area(void *arg)
{
    (void)arg;
    areas[bm_core_id()] = bm_core_self();
}

static void find_areas(void)
{
    for (unsigned core = 0; core < bm_core_count(); core++) {
        struct bm_work work;
        bm_work_init(&work, note_area, NULL);
        bm_work_submit_on(core, &work);
        bm_work_wait(&work);
    }
}

// Some rounds come at the very moment at which the core announces that it halts, others long afterwards. No
// pause instructions: at each of them QEMU takes a lock that the other cores need for their interrupts.
static void await_sleep(const struct bm_core *core, unsigned round)
{
    while (!asleep(core))
        ;
    for (unsigned i = 0; i < round % 8 * (round % 8) * 10; i++)
        __asm__ volatile("");
}

struct ball {
    struct bm_work work;
    unsigned round, ran_on;
    bool returned;
};

// Ends when core 0 halts too, so that it has to be woken.
static void play(void *arg)
{
    struct ball *ball = arg;
    ball->ran_on = bm_core_id();
    if (ball->returned)
        await_sleep(areas[0], ball->round);
}

// To a certain core, and back to core 0, which waits for it.
static void play_pinned(unsigned round, unsigned core)
{
    struct ball ball = {.round = round, .returned = true};
    bm_work_init(&ball.work, play, &ball);
    await_sleep(areas[core], round);
    bm_work_submit_on(core, &ball.work);
    bm_work_wait(&ball.work);
    CHECK(ball.ran_on == core);
}

// To any core, while all of them are asleep and core 0 does not help.
static void play_any(unsigned round)
{
    struct ball ball = {.round = round};
    for (unsigned core = 1; core < bm_core_count(); core++)
        await_sleep(areas[core], round);
    bm_work_init(&ball.work, play, &ball);
    bm_work_submit(&ball.work);
    while (!bm_work_done(&ball.work))
        ;
    CHECK(ball.ran_on > 0);
}

int main(void)
{
    const unsigned cores = bm_core_count();
    unsigned found_asleep = 0;
    printf("a core is woken by %s\n", bm_halt_needs_interrupt ? "an interrupt" : "a write");
    find_areas();
    for (unsigned round = 0; round < ROUNDS; round++, found_asleep++)
        if (round % 4 == 3)
            play_any(round);
        else
            play_pinned(round, 1 + round % (cores - 1));
    printf("%u cores: %u of %u rounds found the other core asleep\n", cores, found_asleep, ROUNDS);
    return passed();
}
