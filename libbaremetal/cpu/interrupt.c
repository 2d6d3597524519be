// Interrupt vectors: allocation and dispatch. Compiled without vector registers, which nobody saves.
// SPDX-License-Identifier: MIT
// @optimize balance
#include "../base/start.h"
#include "apic.h"
#include "core.h"

#include <baremetal/assert.h>
#include <baremetal/error.h>
#include <baremetal/interrupt.h>
#include <baremetal/lock.h>

#include <stddef.h>

enum { DEVICE_VECTORS = BM_VECTOR_DEVICE_LAST - BM_VECTOR_DEVICE_FIRST + 1 };

// A vector's owner. `taken` is set first and cleared last, so that a handler is never called with another's
// argument.
static struct {
    bool taken;
    bm_interrupt_handler handler;
    void *arg;
} devices[DEVICE_VECTORS];

static struct bm_spinlock devices_lock = BM_SPINLOCK_INIT;

int bm_interrupt_allocate(bm_interrupt_handler handler, void *arg)
{
    int vector = -BM_ENOSPC;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&devices_lock);
    for (int i = 0; i < DEVICE_VECTORS && vector < 0; i++) {
        if (devices[i].taken)
            continue;
        devices[i].taken = true;
        devices[i].arg = arg;
        devices[i].handler = handler;
        vector = BM_VECTOR_DEVICE_FIRST + i;
    }
    bm_spinlock_release(&devices_lock);
    return vector;
}

void bm_interrupt_free(int vector)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(vector >= BM_VECTOR_DEVICE_FIRST && vector <= BM_VECTOR_DEVICE_LAST &&
                  devices[vector - BM_VECTOR_DEVICE_FIRST].taken,
              "only a vector that bm_interrupt_allocate returned may be given back, once");
    if (vector < BM_VECTOR_DEVICE_FIRST || vector > BM_VECTOR_DEVICE_LAST)
        return;
    bm_spinlock_acquire(&devices_lock);
    devices[vector - BM_VECTOR_DEVICE_FIRST].handler = NULL;
    devices[vector - BM_VECTOR_DEVICE_FIRST].taken = false;
    bm_spinlock_release(&devices_lock);
}

// Physical destination, fixed delivery, edge (Intel SDM volume 3, section 11.11).
int bm_interrupt_message_get(int vector, unsigned core, struct bm_interrupt_message *message)
{
    const struct bm_core *target = bm_core_get(core);
    if (!target || target->apic_id >= UINT8_MAX)
        return -BM_EINVAL;
    *message =
        (struct bm_interrupt_message){0xfee00000ull | (uint64_t)target->apic_id << 12, (uint32_t)vector};
    return 0;
}

BM_CORE_STATISTIC(interrupts, "Interrupts taken.");

// An interrupt only wakes: the core looks again at what it waits for.
void bm_interrupt_dispatch(uint64_t vector)
{
    struct bm_core *core = bm_core_self();
    bool concerns = true; // somebody who waits
    BM_CORE_COUNT(interrupts);
    if (vector == BM_VECTOR_STOP)
        bm_core_stop();
    if (vector >= BM_VECTOR_DEVICE_FIRST && vector <= BM_VECTOR_DEVICE_LAST) {
        bm_interrupt_handler handler = devices[vector - BM_VECTOR_DEVICE_FIRST].handler;
        core->in_interrupt = BM_CORE_INTERRUPT;
        if (handler)
            handler(devices[vector - BM_VECTOR_DEVICE_FIRST].arg);
        concerns = core->in_interrupt != BM_CORE_QUIET_INTERRUPT;
        core->in_interrupt = BM_CORE_NO_INTERRUPT;
        if (concerns && bm_wait_interrupted)
            bm_wait_interrupted();
    }
    if (concerns)
        core->wake = 1;
    // Spurious interrupts, of the local APIC and of the masked PIC (vectors 0x20 to 0x2f), are not in
    // service.
    if (vector >= BM_VECTOR_DEVICE_FIRST && vector != BM_VECTOR_SPURIOUS)
        bm_apic_write(BM_APIC_EOI, 0);
}
