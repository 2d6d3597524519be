// Making the other cores forget translations, before the frames behind them are used for something else.
// SPDX-License-Identifier: MIT
#include "inside.h"

#include "../cpu/apic.h"
#include "../cpu/core.h"

#include <baremetal/interrupt.h>
#include <baremetal/lock.h>

#include <stdatomic.h>
#include <stddef.h>

static atomic_uint pending;             // cores that have not answered
static atomic_bool asked[BM_CORES_MAX]; // which those are
static int vector;

// Entries are not global, so that this drops all.
void bm_space_flush_answer(void)
{
    if (!atomic_exchange(&asked[bm_core_id()], false))
        return;
    uint64_t root;
    __asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r"(root)::"memory");
    atomic_fetch_sub(&pending, 1);
}

// In the handler.
static void forget(void *arg)
{
    (void)arg;
    bm_space_flush_answer();
}

bool bm_space_flush_start(void)
{
    if (vector <= 0)
        vector = bm_interrupt_allocate(forget, NULL);
    return vector > 0;
}

// Called under the space's lock, so there is one at a time. Cores that wait for that lock answer, too.
void bm_space_flush(void)
{
    unsigned count = bm_lock_shared ? bm_core_arrived() : 1;
    if (count == 1)
        return;
    atomic_store(&pending, count - 1);
    for (unsigned core = 0; core < count; core++) {
        if (core != bm_core_id()) {
            atomic_store(&asked[core], true);
            bm_apic_send(bm_core_get(core)->apic_id, (uint32_t)vector);
        }
    }
    while (atomic_load(&pending))
        __builtin_ia32_pause();
}
