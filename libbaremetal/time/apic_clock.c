// The time-stamp counter's frequency by the local APIC's timer, whose rate a hypervisor promises.
// SPDX-License-Identifier: MIT
//
// QEMU's and KVM's emulated timers count nanoseconds, that is 1 GHz (KVM: documentation of
// KVM_CAP_X86_APIC_BUS_CYCLES_NS, the default; QEMU's own, of TCG, follows its virtual clock). A real one
// counts at a rate that nobody tells.
#include "../cpu/apic.h"
#include "time.h"

#include <baremetal/cpu.h>
#include <stdbool.h>

enum { DIVIDE_BY_1 = 0xb, LENGTH = 1000 * 1000, PAIR_TRIES = 8, LOOKS_MAX = 200000 };

static bool hypervisor_is(const char name[9])
{
    const struct bm_cpu_features *cpu = bm_cpu_features_get();
    for (unsigned i = 0; i < 9; i++)
        if (cpu->hypervisor_name[i] != name[i])
            return false;
    return cpu->hypervisor;
}

// Both counters as close together as a few tries allow.
static void read_pair(uint64_t *tsc, uint32_t *count)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < PAIR_TRIES; i++) {
        uint64_t before = bm_cpu_tsc();
        uint32_t value = bm_apic_read(BM_APIC_TIMER_CURRENT);
        uint64_t width = bm_cpu_tsc() - before;
        if (width < best) {
            best = width;
            *tsc = before + width / 2;
            *count = value;
        }
    }
}

uint64_t bm_apic_measure_tsc(void)
{
    if (!hypervisor_is("KVMKVMKVM") && !hypervisor_is("TCGTCGTCG"))
        return 0;
    bm_apic_write(BM_APIC_LVT_TIMER, BM_APIC_LVT_MASKED);
    bm_apic_write(BM_APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    bm_apic_write(BM_APIC_TIMER_INITIAL, UINT32_MAX);
    uint64_t tsc_first, tsc_last;
    uint32_t first, last; // it counts down
    read_pair(&tsc_first, &first);
    for (unsigned i = 0; i < LOOKS_MAX && first - bm_apic_read(BM_APIC_TIMER_CURRENT) < LENGTH; i++)
        __builtin_ia32_pause();
    read_pair(&tsc_last, &last);
    bm_apic_write(BM_APIC_TIMER_INITIAL, 0);
    uint32_t nanoseconds = first - last;
    return nanoseconds >= LENGTH ? (tsc_last - tsc_first) * 1000000000 / nanoseconds : 0;
}
