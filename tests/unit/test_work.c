// The work queue with threads as cores, under ThreadSanitizer; the kernel's own halting and waking below it.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/work/work.c libbaremetal/work/queue.c libbaremetal/work/parallel.c
// @sources libbaremetal/wait/halt.c
// @sources tests/unit/work_host/machine.c tests/unit/work_host/queue_checks.c
// @sanitize thread
#include "work_host/machine.h"
#include "work_host/queue_checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_all(void)
{
    check_items();
    check_nesting();
    check_pinned();
    check_groups();
    check_group_then_alone();
    check_several_waiters();
    check_wait_while_submitted_anew();
    check_interrupt_submissions();
    check_loops();
    if (machine_cores() > 1) {
        check_wake_one();
        check_wake_all();
    }
}

// Cores are added while the queue is in use and never leave, as on the machine.
static void cores_1(void **state)
{
    (void)state;
    machine_start("test_work");
    check_all();
}

static void cores_2(void **state)
{
    (void)state;
    machine_grow(2);
    check_all();
}

static void cores_3(void **state)
{
    (void)state;
    machine_grow(3);
    check_all();
}

static void cores_4(void **state)
{
    (void)state;
    machine_grow(4);
    check_all();
}

static void cores_8(void **state)
{
    (void)state;
    machine_grow(8);
    check_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_1), cmocka_unit_test(cores_2), cmocka_unit_test(cores_3),
        cmocka_unit_test(cores_4), cmocka_unit_test(cores_8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
