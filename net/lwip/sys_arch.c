// lwIP's semaphores, mailboxes, clock and threads: a core that waits serves the devices meanwhile.
// SPDX-License-Identifier: MIT
#include "memory.h"
#include "wait/hooks.h"

#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/random.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <string.h>

#include "lwip/def.h"
#include "lwip/err.h"
#include "lwip/sys.h"

enum { MAILBOX_FIRST = 8, MILLISECOND = 1000000, SEVERAL = BM_CONTEXT_ALL };

void sys_init(void)
{
}

u32_t sys_now(void)
{
    return (u32_t)(bm_time_monotonic() / MILLISECOND);
}

u32_t sys_jiffies(void)
{
    return sys_now();
}

uint32_t bm_net_random(void)
{
    return (uint32_t)bm_random_u64();
}

// There is no tcpip thread: the poller does its work.
sys_thread_t sys_thread_new(const char *name, lwip_thread_fn thread, void *arg, int stack_size, int priority)
{
    (void)name, (void)thread, (void)arg, (void)stack_size, (void)priority;
    return 0;
}

err_t sys_mutex_new(sys_mutex_t *mutex)
{
    *mutex = 0;
    return ERR_OK;
}

void sys_mutex_free(sys_mutex_t *mutex)
{
    (void)mutex;
}

void sys_mutex_lock(sys_mutex_t *mutex)
{
    for (; __atomic_exchange_n(mutex, 1, __ATOMIC_ACQUIRE); __builtin_ia32_pause())
        if (bm_fiber_yield && !bm_switch_forbidden()) // who has it may be a thread of this core
            bm_fiber_yield();
}

void sys_mutex_unlock(sys_mutex_t *mutex)
{
    __atomic_store_n(mutex, 0, __ATOMIC_RELEASE);
}

// 0 milliseconds means for ever.
static uint64_t deadline_after(u32_t milliseconds)
{
    return milliseconds ? bm_time_monotonic() + (uint64_t)milliseconds * MILLISECOND : UINT64_MAX;
}

static bool exchange(unsigned *value, unsigned *expected, unsigned wanted)
{
    return __atomic_compare_exchange_n(value, expected, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void wake(unsigned context)
{
    if (context)
        bm_context_wake(context);
}

// Waits for condition(arg) as the waiter; returns whether it came true. When several contexts wait for the
// same thing, all are woken from then on. The condition only looks, since bm_wait_until may ask again after a
// yes.
static bool wait_as(unsigned *waiter, bool (*condition)(void *), void *arg, uint64_t deadline)
{
    unsigned mine = bm_context_id(), expected = 0;
    if (!exchange(waiter, &expected, mine) && expected != mine)
        __atomic_store_n(waiter, SEVERAL, __ATOMIC_SEQ_CST);
    bool got = bm_wait_woken(condition, arg, deadline);
    expected = mine;
    exchange(waiter, &expected, 0);
    return got;
}

static u32_t milliseconds_since(uint64_t start)
{
    return (u32_t)((bm_time_monotonic() - start) / MILLISECOND);
}

err_t sys_sem_new(sys_sem_t *semaphore, u8_t count)
{
    semaphore->count = count;
    semaphore->waiter = 0;
    semaphore->valid = true;
    return ERR_OK;
}

void sys_sem_free(sys_sem_t *semaphore)
{
    semaphore->valid = false;
}

void sys_sem_signal(sys_sem_t *semaphore)
{
    BM_ASSERT(semaphore->valid, "a semaphore must not be signalled after it was freed");
    // Once it is counted, the waiter may free the semaphore: nothing of it is touched any more.
    uint64_t before = __atomic_fetch_add(&semaphore->both, 1, __ATOMIC_SEQ_CST);
    wake((unsigned)(before >> 32));
}

static bool semaphore_take(sys_sem_t *semaphore)
{
    unsigned count = __atomic_load_n(&semaphore->count, __ATOMIC_SEQ_CST);
    while (count)
        if (exchange(&semaphore->count, &count, count - 1))
            return true;
    return false;
}

static bool semaphore_is_up(void *arg)
{
    const sys_sem_t *semaphore = arg;
    return __atomic_load_n(&semaphore->count, __ATOMIC_SEQ_CST) != 0;
}

u32_t sys_arch_sem_wait(sys_sem_t *semaphore, u32_t timeout)
{
    BM_ASSERT(semaphore->valid, "a semaphore must not be waited for after it was freed");
    if (semaphore_take(semaphore))
        return 0;
    uint64_t start = bm_time_monotonic(), deadline = deadline_after(timeout);
    do {
        if (!wait_as(&semaphore->waiter, semaphore_is_up, semaphore, deadline))
            return SYS_ARCH_TIMEOUT;
    } while (!semaphore_take(semaphore)); // another core was faster
    return milliseconds_since(start);
}

// A queue of pointers that grows to its limit on demand: most connections never hold more than a few.
struct bm_net_mailbox {
    struct bm_spinlock lock;
    unsigned waiter, head, count, capacity, limit;
    void **slots;
};

err_t sys_mbox_new(sys_mbox_t *mailbox, int size)
{
    struct bm_net_mailbox *box = bm_net_allocate_zeroed(1, sizeof *box);
    if (!box)
        return ERR_MEM;
    box->limit = size > 0 ? (unsigned)size : MAILBOX_FIRST;
    *mailbox = box;
    return ERR_OK;
}

void sys_mbox_free(sys_mbox_t *mailbox)
{
    bm_net_free((*mailbox)->slots);
    bm_net_free(*mailbox);
}

static bool mailbox_grow(struct bm_net_mailbox *box)
{
    unsigned capacity = LWIP_MIN(box->capacity ? box->capacity * 2 : MAILBOX_FIRST, box->limit);
    void **slots = capacity > box->capacity ? bm_net_allocate(capacity * sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (unsigned i = 0; i < box->count; i++)
        slots[i] = box->slots[(box->head + i) % box->capacity];
    bm_net_free(box->slots);
    box->slots = slots;
    box->head = 0;
    box->capacity = capacity;
    return true;
}

err_t sys_mbox_trypost(sys_mbox_t *mailbox, void *message)
{
    struct bm_net_mailbox *box = *mailbox;
    bm_spinlock_acquire(&box->lock);
    bool room = box->count < box->capacity || mailbox_grow(box);
    if (room) {
        unsigned at = box->head + box->count++;
        box->slots[at < box->capacity ? at : at - box->capacity] = message;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST); // who announces itself after this look sees the message
    unsigned waiter = __atomic_load_n(&box->waiter, __ATOMIC_SEQ_CST);
    bm_spinlock_release(&box->lock); // from here on the receiver may free the mailbox
    if (!room)
        return ERR_MEM;
    wake(waiter);
    return ERR_OK;
}

static bool mailbox_has_room(void *arg)
{
    struct bm_net_mailbox *box = arg;
    bm_spinlock_acquire(&box->lock);
    bool room = box->count < box->limit;
    bm_spinlock_release(&box->lock);
    return room;
}

void sys_mbox_post(sys_mbox_t *mailbox, void *message)
{
    while (sys_mbox_trypost(mailbox, message) != ERR_OK)
        bm_wait_until(mailbox_has_room, *mailbox,
                      bm_time_monotonic() + MILLISECOND); // memory may be short, too
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mailbox, void **message)
{
    struct bm_net_mailbox *box = *mailbox;
    bm_spinlock_acquire(&box->lock);
    bool some = box->count != 0;
    if (some) {
        void *first = box->slots[box->head];
        box->count--;
        if (++box->head == box->capacity)
            box->head = 0;
        if (message)
            *message = first;
    }
    bm_spinlock_release(&box->lock);
    return some ? 0 : SYS_MBOX_EMPTY;
}

bool bm_net_mailbox_look(struct bm_net_mailbox *box, unsigned index, void **message)
{
    bm_spinlock_acquire(&box->lock);
    bool there = index < box->count;
    if (there) {
        unsigned at = box->head + index;
        *message = box->slots[at < box->capacity ? at : at - box->capacity];
    }
    bm_spinlock_release(&box->lock);
    return there;
}

static bool mailbox_has_message(void *arg)
{
    struct bm_net_mailbox *box = arg;
    return __atomic_load_n(&box->count, __ATOMIC_SEQ_CST) != 0;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mailbox, void **message, u32_t timeout)
{
    if (sys_arch_mbox_tryfetch(mailbox, message) != SYS_MBOX_EMPTY)
        return 0;
    uint64_t start = bm_time_monotonic(), deadline = deadline_after(timeout);
    do {
        if (!wait_as(&(*mailbox)->waiter, mailbox_has_message, *mailbox, deadline)) {
            if (message)
                *message = NULL;
            return SYS_ARCH_TIMEOUT;
        }
    } while (sys_arch_mbox_tryfetch(mailbox, message) == SYS_MBOX_EMPTY); // another core was faster
    return milliseconds_since(start);
}
