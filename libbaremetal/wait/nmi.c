// Non-maskable interrupts from outside: every core tells where it is; the machine goes on, or ends.
// SPDX-License-Identifier: MIT
//
// Linked by baremetal::nmi; without it such an interrupt is a fault. It comes by the local APIC's input LINT1
// (Intel SDM volume 3, section 11.5.1; ACPI 6.4, section 5.2.12.7), of core 0. The others are asked by NMIs,
// too, and stand still until all is told: so their stacks are what they were.
#include "../cpu/apic.h"
#include "../cpu/core.h"

#include <baremetal/console.h>
#include <baremetal/cpu.h>
#include <baremetal/log.h>
#include <baremetal/option.h>
#include <baremetal/panic.h>
#include <baremetal/time.h>
#include <stdatomic.h>
#include <stddef.h>

BM_OPTION(nmi, "report (default): an NMI shows where every core is; or end: that, and the machine ends");

enum { ICR_NMI = 4 << 8 | 1 << 14, LVT_NMI = 4 << 8, VECTOR = 2, MSR_APIC_BASE = 0x1b, X2APIC = 1 << 10 };
#define ANSWER_TIME 1000000000ul // ns, of a core that is asked
#define LATE_TIME   100000000ul  // … in which its answer may still come when all is told

extern const char bm_nmi_entry[];                                // nmi.S
extern const char bm_watchdog_nmi_entry[] __attribute__((weak)); // which jumps there, where it is linked

static struct {
    bool ends;
    _Atomic(unsigned) reporter;      // core that tells, plus one; 0: none
    _Atomic(uint64_t) over;          // when the last report was
    atomic_bool there[BM_CORES_MAX]; // stands still
    atomic_bool asked[BM_CORES_MAX]; // by an NMI, which may come when it is there by another one
    uint64_t rip[BM_CORES_MAX], rbp[BM_CORES_MAX];
} nmi;

void bm_nmi_take(uint64_t rip, uint64_t rbp);
void bm_nmi_start(void);

static void print(const char *text, unsigned core)
{
    char line[64];
    int size = bm_format(line, sizeof line, text, core);
    bm_console_write_unlocked(line, (size_t)size);
}

// The command's two registers are kept: the core may have been between them.
static void ask(unsigned core)
{
    bool split = !(bm_msr_read(MSR_APIC_BASE) & X2APIC);
    uint32_t high = split ? bm_apic_read(BM_APIC_ICR_HIGH) : 0;
    atomic_store(&nmi.asked[core], true);
    bm_apic_send(bm_core_get(core)->apic_id, ICR_NMI);
    if (split)
        bm_apic_write(BM_APIC_ICR_HIGH, high);
}

static void report(unsigned me)
{
    unsigned cores = bm_core_arrived();
    uint64_t end = bm_time_monotonic() + ANSWER_TIME;
    for (unsigned i = 0; i < cores; i++)
        if (i != me && !atomic_load(&nmi.there[i]))
            ask(i);
    print("\nnmi: where the cores are, seen from core %u\n", me);
    for (unsigned i = 0; i < cores; i++) {
        while (i != me && !atomic_load(&nmi.there[i]) && bm_time_monotonic() < end)
            __builtin_ia32_pause();
        bool known = i == me || atomic_load(&nmi.there[i]);
        print(known ? "core %u:\n" : "core %u does not answer\n", i);
        if (known)
            bm_backtrace_print(nmi.rip[i], nmi.rbp[i]);
    }
}

// On the stack of NMIs, which no other one interrupts.
void bm_nmi_take(uint64_t rip, uint64_t rbp)
{
    unsigned me = bm_core_id(), nobody = 0;
    bool late = bm_time_monotonic() < atomic_load(&nmi.over) + LATE_TIME;
    if (!atomic_load(&nmi.reporter) && atomic_exchange(&nmi.asked[me], false) && late)
        return; // an answer that nobody waits for any more
    nmi.rip[me] = rip;
    nmi.rbp[me] = rbp;
    if (!atomic_compare_exchange_strong(&nmi.reporter, &nobody, me + 1)) {
        atomic_store(&nmi.there[me], true);
        while (atomic_load(&nmi.reporter))
            __builtin_ia32_pause();
        atomic_store(&nmi.there[me], false);
        return;
    }
    report(me);
    if (!nmi.ends)
        print("nmi: going on\n", 0);
    atomic_store(&nmi.over, bm_time_monotonic());
    atomic_store(&nmi.reporter, 0); // the others go on, or hear that they are to stop
    if (nmi.ends)
        bm_panic("an NMI has come, and nmi=end");
}

// On core 0, behind the drivers, before main.
__attribute__((constructor)) void bm_nmi_start(void)
{
    static const char end[] = "end", go_on[] = "report";
    char text[8];
    int length = bm_option_get("nmi", text, sizeof text);
    nmi.ends = length == sizeof end - 1 && !__builtin_memcmp(text, end, sizeof end);
    if (length >= 0 && !nmi.ends &&
        (length != sizeof go_on - 1 || __builtin_memcmp(text, go_on, sizeof go_on)))
        bm_log_error("nmi", "nmi=%s is neither report nor end: it is report", text);
    bm_interrupt_gate(VECTOR, bm_watchdog_nmi_entry ? bm_watchdog_nmi_entry : bm_nmi_entry);
    bm_apic_write(BM_APIC_LVT_LINT1, LVT_NMI);
}
