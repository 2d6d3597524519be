// Functions on other cores: one at a time each, as a work item of that core.
// SPDX-License-Identifier: MIT
#include "exokernel.h"

#include "../cpu/core.h"

#include <baremetal/work.h>

static struct bm_work work[BM_CORES_MAX];
static _Atomic(uint64_t) code_of[BM_CORES_MAX]; // 0: nothing

enum { PRESENT = 1, FLAGS = 15, LOCKED = 1 };

u64 bm_exokernel_smp_id(void)
{
    return bm_core_self()->apic_id;
}

static void run(void *arg)
{
    _Atomic(uint64_t) *code = arg;
    ((void (*)(void))(uintptr_t)*code)();
    *code = 0;
}

static int core_find(u64 apic_id)
{
    for (unsigned i = 0; i < bm_core_count(); i++)
        if (bm_core_get(i)->apic_id == apic_id)
            return (int)i;
    return -1;
}

u64 bm_exokernel_smp_set(u64 code, u64 apic_id)
{
    int core = core_find(apic_id);
    uint64_t nothing = 0;
    if (core < 0 || !code || (unsigned)core == bm_core_id() ||
        !atomic_compare_exchange_strong(&code_of[core], &nothing, code))
        return 0;
    while (!bm_work_done(&work[core])) // its function has returned just now
        __builtin_ia32_pause();
    bm_work_init(&work[core], run, &code_of[core]);
    bm_work_submit_on((unsigned)core, &work[core]);
    return code;
}

u64 bm_exokernel_smp_get(void)
{
    return (code_of[bm_core_id()] & ~(uint64_t)FLAGS) | PRESENT;
}

u64 bm_exokernel_smp_busy(void)
{
    for (unsigned i = 0; i < bm_core_count(); i++)
        if (i != bm_core_id() && code_of[i])
            return 1;
    return 0;
}

// Programs keep the variable as they like, so its address may be odd; the processor takes that. Some give the
// variable where its address is wanted: on BareMetal 0 is an address as any other.
static uint16_t *lock_at(u64 address)
{
    static uint16_t at_zero;
    return address ? (uint16_t *)(uintptr_t)address : &at_zero;
}

void bm_exokernel_smp_lock(u64 address)
{
    uint16_t *lock = lock_at(address);
    bool taken;
    do {
        while (*(volatile uint16_t *)lock & LOCKED)
            __builtin_ia32_pause();
        __asm__ volatile("lock btsw $0, %0" : "+m"(*lock), "=@ccc"(taken) : : "memory");
    } while (taken);
}

void bm_exokernel_smp_unlock(u64 address)
{
    __asm__ volatile("lock btrw $0, %0" : "+m"(*lock_at(address)) : : "memory", "cc");
}
