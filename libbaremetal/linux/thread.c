// What threads ask for: who they are, where they run, and their end.
// SPDX-License-Identifier: MIT
#include "../space/space.h"
#include "../wait/hooks.h"
#include "clone.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/core.h>
#include <baremetal/cpu.h>
#include <baremetal/thread.h>
#include <baremetal/wait.h>

enum { MSR_FS_BASE = (int)0xc0000100 };

void bm_fiber_pointer_set(uint64_t pointer) __attribute__((weak)); // where there are threads

// Main has the process' number.
int bm_linux_thread(void)
{
    return (int)bm_context_id();
}

long bm_linux_gettid(void)
{
    return bm_linux_thread();
}

uint32_t *bm_linux_main_word;

// Main says so before it is a thread.
long bm_linux_set_tid_address(int *address)
{
    int self = bm_linux_thread();
    if (self == LINUX_PROCESS)
        bm_linux_main_word = (uint32_t *)address;
    else if (bm_linux_thread_end)
        bm_linux_thread_word((uint32_t *)address);
    return self;
}

long bm_linux_arch_prctl(int code, uint64_t address)
{
    switch (code) {
    case LINUX_ARCH_SET_FS:
        if (bm_fiber_pointer_set)
            bm_fiber_pointer_set(address);
        else
            bm_msr_write((uint32_t)MSR_FS_BASE, address);
        return 0;
    case LINUX_ARCH_GET_FS:
        *(uint64_t *)address = bm_msr_read((uint32_t)MSR_FS_BASE);
        return 0;
    default:
        return -BM_EINVAL;
    }
}

// The last thread ends the program.
long bm_linux_exit(int status)
{
    if (bm_linux_thread_end)
        bm_linux_thread_end();
    return bm_linux_exit_group(status);
}

long bm_linux_sched_yield(void)
{
    if (bm_fiber_yield)
        bm_fiber_yield();
    else
        bm_poll();
    if (bm_linux_signals_self)
        bm_linux_signal_take(bm_linux_signals_self());
    return 0;
}

static void fill_cores(uint8_t *mask, size_t bytes)
{
    __builtin_memset(mask, 0, bytes);
    for (unsigned core = 0; core < bm_core_count() && core / 8 < bytes; core++)
        mask[core / 8] |= (uint8_t)(1u << core % 8);
}

extern __typeof__(bm_linux_signals_find) bm_linux_signals_find __attribute__((weak)); // where others may run

// One that runs; 0 is the caller.
static bool is_thread(int number)
{
    return number == 0 || number == bm_linux_thread() || number == LINUX_PROCESS ||
           (bm_linux_signals_find && bm_linux_signals_find(number));
}

long bm_linux_sched_getaffinity(int thread, unsigned size, void *mask)
{
    enum { BYTES = (BM_CORES_MAX + 63) / 64 * 8 };
    if (!is_thread(thread))
        return -BM_ESRCH;
    if (size % sizeof(uint64_t) || size * 8ull < bm_core_count())
        return -BM_EINVAL;
    size_t bytes = size < BYTES ? size : BYTES;
    fill_cores(mask, bytes);
    return (long)bytes;
}

long bm_linux_sched_setaffinity(int thread, unsigned size, const void *mask)
{
    (void)size;
    (void)mask;
    return is_thread(thread) ? 0 : -BM_ESRCH;
}

long bm_linux_getcpu(unsigned *core, unsigned *node)
{
    if (core)
        *core = bm_core_id();
    if (node)
        *node = 0;
    return 0;
}

enum { BARRIER_QUERY = 0, BARRIER_GLOBAL = 1, BARRIER_PRIVATE = 8, BARRIER_REGISTER_PRIVATE = 16 };

// Threads that do not run passed a barrier when their core was given away; an interrupt is one for the
// others.
long bm_linux_membarrier(int command, unsigned flags)
{
    if (flags)
        return -BM_EINVAL;
    switch (command) {
    case BARRIER_QUERY:
        return BARRIER_GLOBAL | BARRIER_PRIVATE | BARRIER_REGISTER_PRIVATE;
    case BARRIER_GLOBAL:
    case BARRIER_PRIVATE:
        return bm_space_barrier();
    case BARRIER_REGISTER_PRIVATE:
        return 0;
    default:
        return -BM_EINVAL;
    }
}
