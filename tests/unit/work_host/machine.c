// Threads of the host as cores, for tests of the work queue.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "machine.h"

#include "../../../libbaremetal/cpu/apic.h"
#include "../../../libbaremetal/cpu/core.h"
#include "../../../libbaremetal/time/time.h"
#include "../../../libbaremetal/wait/halt.h"
#include "../../../libbaremetal/work/idle.h"
#include "../../../libbaremetal/work/work.h"

#include <baremetal/memory.h>
#include <baremetal/panic.h>
#include <baremetal/time.h>
#include <baremetal/work.h>

#include <asm/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HANG_SECONDS = 100 };

static struct machine_core {
    _Alignas(64) struct bm_core core;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned interrupts; // that came so far
} cores[MACHINE_CORES_MAX];
static _Atomic(unsigned) arrived;

// MACHINE_MWAIT: cores halt by MWAIT, which a write ends, and need no interrupt.
#ifdef MACHINE_MWAIT
bool bm_halt_needs_interrupt = false;
#else
bool bm_halt_needs_interrupt = true;
#endif
static const char *test_name;

static void become(unsigned id)
{
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &cores[id].core)) {
        perror("arch_prctl");
        exit(1);
    }
}

static void on_hang(int signal)
{
    (void)signal;
    static const char text[] = ": hang: a wake-up was lost, or cores wait for each other\n";
    if (write(2, test_name, strlen(test_name)) < 0 || write(2, text, sizeof(text) - 1) < 0)
        _exit(2);
    _exit(1);
}

static void enter(unsigned id)
{
    cores[id].core.self = &cores[id].core;
    cores[id].core.id = id;
    cores[id].core.apic_id = id;
    pthread_mutex_init(&cores[id].mutex, NULL);
    pthread_cond_init(&cores[id].changed, NULL);
    become(id);
    bm_work_core_start(id, memset(bm_frame_allocate(0), 0, BM_WORK_MEMORY));
    atomic_store(&arrived, id + 1);
}

void machine_start(const char *test)
{
    test_name = test;
    signal(SIGALRM, on_hang);
    alarm(HANG_SECONDS);
    enter(0);
}

static void *core_main(void *arg)
{
    enter((unsigned)((struct machine_core *)arg - cores));
    bm_work_loop();
}

void machine_grow(unsigned wanted)
{
    while (machine_cores() < wanted) {
        unsigned id = machine_cores();
        pthread_t thread;
        if (pthread_create(&thread, NULL, core_main, &cores[id]) || pthread_detach(thread))
            exit(1);
        while (machine_cores() == id)
            machine_relax();
    }
}

unsigned machine_cores(void)
{
    return atomic_load(&arrived);
}

bool machine_asleep(unsigned core)
{
    return atomic_load(&cores[core].core.asleep);
}

void machine_relax(void)
{
    sched_yield();
}

// Called where the order of cores matters: now and then others go first, so that a core is interrupted
// between any two steps of the protocols, which preemption alone seldom does.
static void perturb(void)
{
    static _Thread_local uint32_t random = 1;
    random = random * 1664525 + 1013904223; // "Numerical Recipes"
    for (uint32_t yields = random >> 24; yields > 251; yields--)
        sched_yield();
}

void machine_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    _exit(1);
}

// What the kernel has elsewhere.

// The queue asks between any two looks at other cores.
unsigned bm_core_arrived(void)
{
    perturb();
    return machine_cores();
}

unsigned bm_core_count(void)
{
    return machine_cores();
}

unsigned bm_core_id(void)
{
    return bm_core_self()->id;
}

unsigned bm_context_id(void)
{
    return bm_core_self()->id + 1;
}

bool bm_core_statistic_read(const struct bm_statistic *statistic, struct bm_statistic_value *value)
{
    (void)statistic, (void)value;
    return false;
}

struct bm_core *bm_core_get(unsigned id)
{
    return id < machine_cores() ? &cores[id].core : NULL;
}

unsigned bm_work_core(void)
{
    return bm_core_self()->id;
}

void **bm_work_local(void)
{
    return &bm_core_self()->queue;
}

bool bm_work_in_interrupt(void)
{
    return bm_core_self()->in_interrupt;
}

unsigned bm_halt_sleepers(void)
{
    perturb();
    return atomic_load_explicit(&bm_halt_sleeper_count, memory_order_relaxed);
}

void *bm_frame_allocate(unsigned order)
{
    size_t size = (size_t)4096 << order;
    return aligned_alloc(size, size);
}

// The target takes the interrupt at once, or when it halts: either way its handler sets `wake`. None is kept
// for a later halt, so a wake-up that the protocol loses is lost here, too.
static void deliver(struct machine_core *to)
{
    perturb();
    pthread_mutex_lock(&to->mutex);
    atomic_store(&to->core.wake, 1);
    to->interrupts++;
    pthread_cond_signal(&to->changed);
    pthread_mutex_unlock(&to->mutex);
}

void bm_apic_send(uint32_t apic_id, uint32_t command)
{
    (void)command;
    deliver(&cores[apic_id]);
}

void bm_halt(struct bm_core *core)
{
    struct machine_core *me = &cores[core->id];
    perturb();
    pthread_mutex_lock(&me->mutex); // "cli"
    unsigned before = me->interrupts;
    if (bm_halt_needs_interrupt && !atomic_load(&core->wake))
        while (me->interrupts == before)
            pthread_cond_wait(&me->changed, &me->mutex);
    pthread_mutex_unlock(&me->mutex);
    while (!bm_halt_needs_interrupt && !atomic_load(&core->wake)) // the handler writes it, too
        machine_relax();
}

void machine_interrupt(unsigned id)
{
    become(id); // of a thread that is no core itself
    if (bm_wait_interrupted)
        bm_wait_interrupted();
    deliver(&cores[id]);
}

void bm_timer_arm(uint64_t deadline)
{
    if (deadline != UINT64_MAX)
        machine_fail(__FILE__, __LINE__, "no poller of these tests has a deadline");
}

uint64_t bm_time_monotonic(void)
{
    return 0;
}

void bm_panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    _exit(1);
}
