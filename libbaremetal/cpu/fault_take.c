// Exceptions that somebody takes.
// SPDX-License-Identifier: MIT
#include "fault_take.h"

#include <baremetal/assert.h>
#include <baremetal/lock.h>

#include <stdatomic.h>
#include <stddef.h>

enum { ENTRY_SIZE = 16 };

extern const char bm_fault_entries[];

static const uint8_t vectors[] = {0, 1, 3, 4, 5, 6, 11, 12, 13, 14, 16, 17, 19};

static struct bm_fault_taker *_Atomic first;
static struct bm_spinlock lock = BM_SPINLOCK_INIT;

void bm_fault_taker_add(struct bm_fault_taker *taker)
{
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&lock);
    bool is_first = !atomic_load(&first);
    struct bm_fault_taker *_Atomic *link = &first;
    while (!taker->early && *link && (*link)->early)
        link = &(*link)->next;
    atomic_store(&taker->next, atomic_load(link));
    atomic_store(link, taker);
    for (unsigned i = 0; is_first && i < sizeof vectors; i++)
        bm_interrupt_gate(vectors[i], bm_fault_entries + i * ENTRY_SIZE);
    bm_spinlock_release(&lock);
}

void bm_fault_take(struct bm_fault_frame *frame)
{
    struct bm_fault_taker *taker = atomic_load(&first);
    while (taker && !taker->take(frame))
        taker = taker->next;
    if (!taker)
        bm_fault_report(frame);
}
