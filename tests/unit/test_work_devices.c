// Idle cores serve devices while items come and go, with threads as cores, under ThreadSanitizer.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/work/work.c libbaremetal/work/queue.c libbaremetal/work/parallel.c
// @sources libbaremetal/wait/halt.c libbaremetal/wait/wait.c
// @sources tests/unit/work_host/machine.c tests/unit/work_host/queue_checks.c
// @sanitize thread
#include "work_host/machine.h"
#include "work_host/queue_checks.h"

#include <baremetal/wait.h>
#include <baremetal/work.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// A device whose events a poller serves. It interrupts only when it is armed, as network cards do.
static atomic_uint raised, served;
static atomic_bool armed;

static bool device_poll(void *arg)
{
    (void)arg;
    unsigned due = atomic_load(&raised);
    return atomic_exchange(&served, due) != due;
}

static bool device_arm(void *arg)
{
    (void)arg;
    atomic_store(&armed, true);
    return atomic_load(&raised) != atomic_load(&served);
}

static struct bm_poller poller = {.name = "device", .poll = device_poll, .arm = device_arm};

// Raises an event and waits until it was served.
static void raise_event(unsigned core)
{
    unsigned event = atomic_fetch_add(&raised, 1) + 1;
    if (atomic_exchange(&armed, false))
        machine_interrupt(core);
    while (atomic_load(&served) != event)
        machine_relax();
}

static atomic_bool finished;

static void *device_main(void *arg)
{
    unsigned *events = arg;
    for (unsigned i = 0; i < *events; i++)
        raise_event(i % 4 ? 0 : i / 4 % machine_cores()); // most interrupts go to core 0
    atomic_store(&finished, true);
    return NULL;
}

static void serve(unsigned events, void (*meanwhile)(void))
{
    pthread_t device;
    atomic_store(&finished, false);
    CHECK(pthread_create(&device, NULL, device_main, &events) == 0);
    while (!atomic_load(&finished))
        meanwhile();
    CHECK(pthread_join(device, NULL) == 0);
}

static void until_finished(void *arg)
{
    (void)arg;
    while (!atomic_load(&finished))
        machine_relax();
}

// Main computes: it neither waits nor serves.
static void compute(void)
{
    until_finished(NULL);
}

// Main halts for an item that another core runs.
static void wait_for_long_item(void)
{
    struct bm_work work;
    bm_work_init(&work, until_finished, NULL);
    bm_work_submit_on(1, &work);
    bm_work_wait(&work);
}

static bool is_finished(void *arg)
{
    (void)arg;
    return atomic_load(&finished) || atomic_load(&served) == atomic_load(&raised);
}

// Main waits for the device itself.
static void wait_for_device(void)
{
    bm_wait_until(is_finished, NULL, UINT64_MAX);
}

static void nothing(void *arg)
{
    (void)arg;
}

// Cores change between items and serving: a pinned item a core, and main waits for them or does not.
static void churn(void)
{
    struct bm_work work[MACHINE_CORES_MAX];
    for (unsigned core = 0; core < machine_cores(); core++) {
        bm_work_init(&work[core], nothing, NULL);
        if (core % 2)
            bm_work_submit_on(core, &work[core]);
        else
            bm_work_submit(&work[core]);
    }
    for (unsigned core = 0; core < machine_cores(); core++)
        bm_work_wait(&work[core]);
}

// All cores but one, whichever, run long items: the last one that idles serves.
static void all_but_one(void)
{
    struct bm_work work[MACHINE_CORES_MAX];
    for (unsigned i = 2; i < machine_cores(); i++) {
        bm_work_init(&work[i], until_finished, NULL);
        bm_work_submit(&work[i]);
    }
    compute();
    for (unsigned i = 2; i < machine_cores(); i++)
        bm_work_wait(&work[i]);
}

// Devices each of which is bound to a core: that core alone serves it, whatever the others do, and it is
// served although its core idles and another one is the watcher.
static struct bound_device {
    struct bm_poller poller;
    atomic_uint raised, served, strangers;
    atomic_bool armed;
    unsigned core;
} bound_devices[MACHINE_CORES_MAX];

static bool bound_poll(void *arg)
{
    struct bound_device *device = arg;
    unsigned due = atomic_load(&device->raised);
    atomic_fetch_add(&device->strangers, bm_core_id() != device->core);
    return atomic_exchange(&device->served, due) != due;
}

static bool bound_arm(void *arg)
{
    struct bound_device *device = arg;
    atomic_fetch_add(&device->strangers, bm_core_id() != device->core);
    atomic_store(&device->armed, true);
    return atomic_load(&device->raised) != atomic_load(&device->served);
}

static void *bound_main(void *arg)
{
    unsigned *events = arg, cores = machine_cores();
    for (unsigned i = 0; i < *events; i++) {
        struct bound_device *device = &bound_devices[1 + i % (cores - 1)];
        unsigned event = atomic_fetch_add(&device->raised, 1) + 1;
        if (atomic_exchange(&device->armed, false))
            machine_interrupt(device->core); // aimed there
        while (atomic_load(&device->served) != event)
            machine_relax();
    }
    atomic_store(&finished, true);
    return NULL;
}

// Core 0 has none: it computes here.
static void check_bound(void)
{
    static unsigned bound_count = 1;
    unsigned events = 200;
    for (; bound_count < machine_cores(); bound_count++) {
        struct bound_device *device = &bound_devices[bound_count];
        device->core = bound_count;
        device->poller =
            (struct bm_poller){.name = "bound", .poll = bound_poll, .arm = bound_arm, .arg = device};
        bm_poller_bind(&device->poller, bound_count);
        bm_poller_add(&device->poller);
        bm_core_wake(bound_count);
    }
    pthread_t thread;
    atomic_store(&finished, false);
    CHECK(pthread_create(&thread, NULL, bound_main, &events) == 0);
    compute();
    CHECK(pthread_join(thread, NULL) == 0);
    for (unsigned i = 1; i < bound_count; i++)
        CHECK(atomic_load(&bound_devices[i].strangers) == 0);
}

static void check_all(unsigned cores)
{
    machine_grow(cores);
    if (cores > 1)
        check_bound();
    serve(200, wait_for_device);
    if (cores > 1) {
        serve(200, compute);
        serve(200, churn);
        for (unsigned round = 0; round < 20; round++)
            serve(5, all_but_one);
        check_wake_one();
        check_wake_all();
    }
    if (cores > 2)
        for (unsigned round = 0; round < 20; round++)
            serve(5, wait_for_long_item);
    check_nesting();
    check_groups();
}

static void cores_1(void **state)
{
    (void)state;
    machine_start("test_work_devices");
    bm_poller_add(&poller);
    check_all(1);
}

static void cores_2(void **state)
{
    (void)state;
    check_all(2);
}

static void cores_3(void **state)
{
    (void)state;
    check_all(3);
}

static void cores_4(void **state)
{
    (void)state;
    check_all(4);
}

static void cores_8(void **state)
{
    (void)state;
    check_all(8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_1), cmocka_unit_test(cores_2), cmocka_unit_test(cores_3),
        cmocka_unit_test(cores_4), cmocka_unit_test(cores_8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
