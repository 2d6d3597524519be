// The core lock: who holds it is the network stack.
// SPDX-License-Identifier: MIT
// @optimize size
#include "device.h"

#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/panic.h>
#include <baremetal/wait.h>
#include <baremetal/watchdog.h>

#include "lwip/sys.h"

static struct bm_spinlock core_lock = BM_SPINLOCK_INIT;
static atomic_uint core_owner; // core that holds the lock, plus one
static uint32_t core_taken;    // how often it was
struct bm_spinlock bm_net_short_lock;

void bm_net_short_acquire(void)
{
    bm_spinlock_acquire(&bm_net_short_lock);
}

void bm_net_short_release(void)
{
    bm_spinlock_release(&bm_net_short_lock);
}

// A core that waits for itself would spin for ever: say what the program did.
static void lock_contended(unsigned self)
{
    if (atomic_load_explicit(&core_owner, memory_order_relaxed) == self)
        bm_panic("net: LOCK_TCPIP_CORE() or a socket call while this core holds the lock (in a callback of "
                 "lwIP?)");
    bm_spinlock_acquire(&core_lock);
}

bool bm_net_locked_here(void)
{
    return atomic_load_explicit(&core_owner, memory_order_relaxed) == bm_core_id() + 1;
}

void bm_net_lock(void)
{
    unsigned self = bm_core_id() + 1;
    BM_ASSERT_NO_HANDLER();
    if (!bm_spinlock_try(&core_lock))
        lock_contended(self);
    bm_switch_forbid(); // the owner is a core, and callbacks of the program run under the lock
    atomic_store_explicit(&core_owner, self, memory_order_relaxed);
    core_taken++;
}

static uint64_t lock_held(unsigned *core)
{
    unsigned owner = atomic_load(&core_owner);
    *core = owner - 1;
    return owner ? (uint64_t)1 << 32 | core_taken : 0;
}

void bm_net_lock_watch(void)
{
    static struct bm_watch watch = {.what = "the network's lock was held", .held = lock_held};
    bm_watchdog_add(&watch);
    BM_CHECK(bm_check_lock_leaf(&bm_net_short_lock));
}

void bm_net_unlock(void)
{
    BM_ASSERT(bm_net_locked_here(), "the network's lock must be released by the core that holds it");
    bm_net_interface_flush();
    atomic_store_explicit(&core_owner, 0, memory_order_relaxed);
    bm_spinlock_release(&core_lock);
    bm_switch_allow();
}
