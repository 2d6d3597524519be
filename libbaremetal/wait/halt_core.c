// The instructions that halt a core; apart from the protocol in halt.c, which host tests run, too.
// SPDX-License-Identifier: MIT
//
// HLT ends with an interrupt. MWAIT ends also when somebody writes the word that MONITOR named (Intel SDM
// volume 3, section 9.10.4), which saves the interrupt between cores. Its hint 0 is C1, in which the local
// APIC's timer runs on all CPUs. It is used only when the command line says so: hypervisors hide it or make a
// busy loop of it, and Bochs 2.7 misses writes to pages that the writer has in its TLB.
#include "halt.h"

#include "../check/check.h"

#include <baremetal/cpu.h>
#include <baremetal/log.h>
#include <baremetal/option.h>

#include <stdatomic.h>

BM_OPTION(idle, "how cores without work wait: hlt (default), mwait, poll");

enum way { HLT = 'h', MWAIT = 'm', POLL = 'p' }; // first letters of the option's values
static enum way way = HLT;
bool bm_halt_needs_interrupt = true;

// Left out are models of Intel's family 6 on which a write may not wake, Goldmont (erratum APL30) and Lunar
// Lake, and those whose line has to be flushed before MONITOR: Dunnington, Nehalem-EX, Westmere-EX (AAI65).
static bool mwait_works(void)
{
    static const char unfit[] = {0x1d, 0x2e, 0x2f, 0x5c, (char)0xbd, 0};
    uint32_t version = bm_cpu_id(1, 0).eax;
    char model = (char)((version >> 4 & 15) | (version >> 12 & 0xf0));
    for (const char *bad = unfit; *bad; bad++)
        if (*bad == model && (version >> 8 & 15) == 6)
            return false;
    return bm_cpu_features_get()->monitor;
}

void bm_halt_start(void)
{
    char word[6] = "";
    bm_option_get("idle", word, sizeof(word));
    if (word[0] == POLL || (word[0] == MWAIT && mwait_works()))
        way = (enum way)word[0];
    else if (word[0] && word[0] != HLT)
        bm_log_warn("idle", "'%s' is not hlt, poll or a working mwait; taking hlt", word);
    bm_halt_needs_interrupt = way == HLT;
}

BM_CORE_STATISTIC(halts, "Times that a core went to sleep.");

void bm_halt(struct bm_core *core)
{
    BM_CHECK(bm_check_no_lock(__func__, "a core must not halt with a spinlock held, taken by the caller"));
    if (way == POLL)
        return;
    BM_CORE_COUNT(halts);
    // From here on a write to the word ends MWAIT, or keeps it from beginning. So does an interrupt, whose
    // handler writes the word.
    if (way == MWAIT)
        __asm__ volatile("monitor" : : "a"(&core->wake), "c"(0), "d"(0) : "memory");
    __asm__ volatile("cli" ::: "memory");
    if (atomic_load(&core->wake))
        __asm__ volatile("sti" ::: "memory");
    else if (way == MWAIT)
        __asm__ volatile("sti; mwait" : : "a"(0), "c"(0) : "memory");
    else
        __asm__ volatile("sti; hlt" ::: "memory"); // no interrupt is taken between the two
}
