// The buffer of received bytes, between interrupt handlers and whoever reads.
// SPDX-License-Identifier: MIT
//
// Linked only into programs that read from the console.
#include "../base/start.h"
#include "console.h"

#include <baremetal/assert.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <stdatomic.h>
#include <stdint.h>

enum { SIZE = 256, FILLED = 0x100 };

// Several handlers on several cores may produce at once, so a slot is first reserved by moving `head` and
// then marked as filled.
static struct {
    _Atomic(uint16_t) ring[SIZE];
    _Atomic(uint32_t) head, tail, dropped;
    struct bm_spinlock lock; // consumers'
} input;

size_t bm_console_input_room(void)
{
    return SIZE - (atomic_load(&input.head) - atomic_load(&input.tail));
}

void bm_console_input(char byte)
{
    uint32_t head = atomic_load(&input.head);
    do {
        if (head - atomic_load(&input.tail) >= SIZE) {
            atomic_fetch_add(&input.dropped, 1);
            return;
        }
    } while (!atomic_compare_exchange_weak(&input.head, &head, head + 1));
    atomic_store(&input.ring[head % SIZE], (uint16_t)(FILLED | (unsigned char)byte));
}

size_t bm_console_read(char *buffer, size_t size)
{
    size_t count = 0;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&input.lock);
    uint32_t tail = atomic_load(&input.tail);
    for (; count < size; count++) {
        uint16_t slot = atomic_exchange(&input.ring[tail % SIZE], 0);
        if (!slot)
            break;
        buffer[count] = (char)slot;
        atomic_store(&input.tail, ++tail);
    }
    bm_spinlock_release(&input.lock);
    uint32_t dropped = count ? atomic_exchange(&input.dropped, 0) : 0;
    if (dropped)
        bm_log_warn("console", "%u bytes of input were lost: nobody read them in time", dropped);
    if (!count)
        bm_serial_resume();
    return count;
}

bool bm_console_readable(void)
{
    return atomic_load(&input.ring[atomic_load(&input.tail) % SIZE]) != 0;
}

void bm_console_listen(void)
{
    bm_serial_listen();
}
