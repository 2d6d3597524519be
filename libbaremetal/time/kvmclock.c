// KVM's paravirtual clock: the host tells how its clock follows from the time-stamp counter.
// SPDX-License-Identifier: MIT
//
// Linux kernel documentation, "KVM CPUID bits" (leaf 0x40000001) and "KVM-specific MSRs"
// (MSR_KVM_SYSTEM_TIME_NEW). Used only where the host promises one clock for all cores, so that the page of
// core 0 serves them all.
#include "time.h"

#include <baremetal/cpu.h>
#include <baremetal/memory.h>
#include <stdatomic.h>

enum {
    LEAF_FEATURES = 0x40000001,
    FEATURE_CLOCKSOURCE2 = 1 << 3,
    FEATURE_CLOCKSOURCE_STABLE = 1 << 24,
    MSR_SYSTEM_TIME = 0x4b564d01,
    SYSTEM_TIME_ENABLE = 1,
    FLAG_TSC_STABLE = 1,
    VERSION_TRIES = 1000000
};

static struct {
    uint32_t version; // odd while the host writes
    uint32_t padding;
    uint64_t tsc;    // time-stamp counter at `time`
    uint64_t time;   // nanoseconds
    uint32_t factor; // nanoseconds per shifted tick, 32 fractional bits
    int8_t shift;
    uint8_t flags;
    uint8_t reserved[2];
} volatile page __attribute__((aligned(64))); // must not cross a page

uint64_t bm_kvmclock_read(void)
{
    uint64_t time = 0;
    for (unsigned tries = 0; tries < VERSION_TRIES; tries++) {
        uint32_t version = page.version;
        atomic_thread_fence(memory_order_acquire);
        __asm__ volatile("lfence");
        uint64_t ticks = bm_cpu_tsc() - page.tsc;
        ticks = page.shift < 0 ? ticks >> (-page.shift & 63) : ticks << (page.shift & 63);
        time = page.time + (uint64_t)((unsigned __int128)ticks * page.factor >> 32);
        atomic_thread_fence(memory_order_acquire);
        if (!(version & 1) && version == page.version)
            break;
    }
    return time;
}

bool bm_kvmclock_start(void)
{
    const struct bm_cpu_features *cpu = bm_cpu_features_get();
    const char *kvm = "KVMKVMKVM";
    for (unsigned i = 0; i < 10; i++)
        if (cpu->hypervisor_name[i] != kvm[i])
            return false;
    if (!cpu->hypervisor || cpu->hypervisor_leaf_max < LEAF_FEATURES)
        return false;
    uint32_t wanted = FEATURE_CLOCKSOURCE2 | FEATURE_CLOCKSOURCE_STABLE;
    if ((bm_cpu_id(LEAF_FEATURES, 0).eax & wanted) != wanted)
        return false;
    uint64_t physical = bm_memory_physical((const void *)&page);
    if (physical == BM_PHYSICAL_NONE)
        return false;
    bm_msr_write(MSR_SYSTEM_TIME, physical | SYSTEM_TIME_ENABLE);
    if (page.flags & FLAG_TSC_STABLE && page.factor)
        return true;
    bm_msr_write(MSR_SYSTEM_TIME, 0);
    return false;
}
