// Signals that are pending: who they are for, in which order they are taken, and how many there can be.
// SPDX-License-Identifier: MIT
//
// One lock for all lists. It is also taken where an exception or the end of a time slice has interrupted the
// program's own text (signal_frame.c), since no core holds it there.
#include "../thread/futex.h"
#include "../wait/hooks.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/assert.h>
#include <baremetal/memory.h>
#include <baremetal/wait.h>

enum { REAL_TIME = 32, CHUNK = 32 }; // the first that is queued more than once; entries made at once

// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS: taken first, as Linux does.
#define SYNCHRONOUS (1ull << 3 | 1ull << 4 | 1ull << 6 | 1ull << 7 | 1ull << 10 | 1ull << 30)

struct bm_linux_pending bm_linux_process_pending;

static struct bm_spinlock lock = BM_SPINLOCK_INIT;
static struct bm_linux_queued *unused; // of the pool
static unsigned made, used;            // entries of the pool

bool bm_linux_signal_is_pending(const struct bm_linux_signals *self, uint64_t set)
{
    uint64_t pending = atomic_load(&self->own.set);
    if (self->number)
        pending |= atomic_load(&bm_linux_process_pending.set);
    return pending & set;
}

bool bm_linux_signal_ready(void *arg)
{
    const struct bm_linux_signals *self = arg;
    return bm_linux_signal_is_pending(self, ~atomic_load(&self->blocked));
}

bool bm_signal_ready(void)
{
    return bm_linux_signal_ready(bm_linux_signals_self());
}

// With the lock held, which is let go of while memory is asked for.
static void pool_grow(void)
{
    bm_spinlock_release(&lock);
    struct bm_linux_queued *chunk =
        bm_memory_permanent(CHUNK * sizeof *chunk, _Alignof(struct bm_linux_queued));
    bm_spinlock_acquire(&lock);
    for (unsigned i = 0; chunk && i < CHUNK; i++) {
        chunk[i].next = unused;
        unused = &chunk[i];
    }
    made += chunk ? CHUNK : 0;
}

// NULL: there are as many as there may be, or there is no memory for more.
static struct bm_linux_queued *pool_take(bool beyond)
{
    enum { BEYOND = 128 }; // at most two a signal and a thread are not the program's own doing
    if (used >= bm_linux_signals_max() + (beyond ? BEYOND : 0))
        return NULL;
    if (!unused)
        pool_grow();
    struct bm_linux_queued *entry = unused;
    if (entry) {
        unused = entry->next;
        used++;
    }
    return entry;
}

static void pool_give(struct bm_linux_queued *entry)
{
    entry->next = unused;
    unused = entry;
    used--;
}

static void append(struct bm_linux_pending *pending, struct bm_linux_queued *entry)
{
    entry->next = NULL;
    *(pending->first ? &pending->last->next : &pending->first) = entry;
    pending->last = entry;
}

// Takes the first of that signal out of the list, or `own`; NULL: it is not there. *more: there is another.
static struct bm_linux_queued *take_out(struct bm_linux_pending *pending, int signal,
                                        const struct bm_linux_queued *own, bool *more)
{
    struct bm_linux_queued **link = &pending->first, *before = NULL, *found = NULL;
    *more = false;
    while (*link) {
        struct bm_linux_queued *at = *link;
        bool wanted = own ? at == own : at->what.signal == signal;
        if (wanted && !found) {
            found = at;
            *link = at->next;
            if (!*link)
                pending->last = before;
            continue;
        }
        *more |= at->what.signal == signal;
        before = at;
        link = &at->next;
    }
    return found;
}

// Takes one of the signal that is pending.
static struct bm_linux_queued *take(struct bm_linux_pending *pending, int signal,
                                    struct bm_linux_signal *what)
{
    bool more;
    struct bm_linux_queued *entry = take_out(pending, signal, NULL, &more);
    *what = entry ? entry->what : (struct bm_linux_signal){.signal = signal};
    if (!more)
        atomic_fetch_and(&pending->set, ~bm_linux_signal_bit(signal));
    if (entry && !entry->own)
        pool_give(entry);
    else if (entry)
        atomic_store(&entry->queued, false);
    return entry && entry->own ? entry : NULL;
}

bool bm_linux_signal_next(struct bm_linux_signals *self, uint64_t set, struct bm_linux_signal *what)
{
    struct bm_linux_queued *timer = NULL;
    if (!bm_linux_signal_is_pending(self, set))
        return false;
    bm_spinlock_acquire(&lock);
    struct bm_linux_pending *pending = &self->own;
    uint64_t ready = atomic_load(&pending->set) & set;
    if (!ready && self->number) {
        pending = &bm_linux_process_pending;
        ready = atomic_load(&pending->set) & set;
    }
    if (ready)
        timer = take(pending, __builtin_ctzll(ready & SYNCHRONOUS ? ready & SYNCHRONOUS : ready) + 1, what);
    bm_spinlock_release(&lock);
    if (timer && bm_linux_timer_taken)
        bm_linux_timer_taken(timer, what);
    return ready;
}

static bool wants(const struct bm_linux_signals *thread, int signal)
{
    uint64_t bit = bm_linux_signal_bit(signal);
    return !thread->ended && (!(atomic_load(&thread->blocked) & bit & ~LINUX_UNBLOCKABLE) ||
                              atomic_load(&thread->awaited) & bit);
}

// Who is to take one that was sent to the process: main if it can; NULL: all block it.
static struct bm_linux_signals *taker_of(int signal)
{
    struct bm_linux_signals *main = bm_linux_signals_find(LINUX_PROCESS), *thread;
    if (main && wants(main, signal))
        return main;
    for (thread = atomic_load(&bm_linux_signals_all); thread && !wants(thread, signal);)
        thread = thread->next;
    return thread;
}

// Ends what the thread waits in.
static void interrupt(struct bm_linux_signals *thread)
{
    bm_context_wake(thread->number);
    bm_spinlock_acquire(&thread->lock);
    if (thread->waiter && bm_linux_signal_ready(thread))
        bm_futex_interrupt(thread->waiter);
    bm_spinlock_release(&thread->lock);
}

// Under the lock. Those that do not count are queued once; whose order and values matter, as often as they
// come.
static int add(struct bm_linux_pending *pending, const struct bm_linux_signal *what,
               struct bm_linux_queued *own)
{
    uint64_t bit = bm_linux_signal_bit(what->signal);
    bool once = what->signal < REAL_TIME && what->code != LINUX_SI_TIMER;
    if ((once && atomic_load(&pending->set) & bit) || (own && atomic_load(&own->queued)))
        return 0;
    struct bm_linux_queued *entry = own ? own : pool_take(what->signal < REAL_TIME);
    if (once && atomic_load(&pending->set) & bit) { // it came while the lock was let go of
        if (entry && !own)
            pool_give(entry);
        return 0;
    }
    if (!entry && what->signal >= REAL_TIME && what->code != LINUX_SI_USER)
        return -BM_EAGAIN;
    if (entry) {
        entry->what = *what;
        entry->own = own;
        atomic_store(&entry->queued, true);
        append(pending, entry);
    }
    atomic_fetch_or(&pending->set, bit);
    return 1;
}

int bm_linux_signal_send(struct bm_linux_signals *to, const struct bm_linux_signal *what,
                         struct bm_linux_queued *own)
{
    BM_ASSERT_NO_HANDLER();
    bm_linux_signal_prepare(); // it may be the first of all, and nobody has a handler
    struct bm_linux_action action = bm_linux_action_of(what->signal, false);
    const struct bm_linux_signals *judge = to ? to : bm_linux_signals_find(LINUX_PROCESS);
    bool blocked = judge && atomic_load(&judge->blocked) & bm_linux_signal_bit(what->signal);
    // One that is blocked stays, even if nobody wants it now (POSIX leaves that open, Linux does it).
    if (bm_linux_action_ignores(&action, what->signal) && (!blocked || what->signal == LINUX_SIGSTOP))
        return 0;
    bm_spinlock_acquire(&lock);
    int result = add(to ? &to->own : &bm_linux_process_pending, what, own);
    bm_spinlock_release(&lock);
    if (result < 0)
        return result;
    if (bm_linux_signalfd_tell)
        bm_linux_signalfd_tell(bm_linux_signal_bit(what->signal));
    struct bm_linux_signals *taker = to ? to : taker_of(what->signal);
    if (taker && taker->number && wants(taker, what->signal))
        interrupt(taker);
    return result;
}

static void discard(struct bm_linux_pending *pending, int signal)
{
    struct bm_linux_signal what;
    while (atomic_load(&pending->set) & bm_linux_signal_bit(signal)) {
        bm_spinlock_acquire(&lock);
        struct bm_linux_queued *timer = take(pending, signal, &what);
        bm_spinlock_release(&lock);
        if (timer && bm_linux_timer_taken)
            bm_linux_timer_taken(timer, &what);
    }
}

void bm_linux_signal_discard(int signal)
{
    discard(&bm_linux_process_pending, signal);
    struct bm_linux_signals *thread = atomic_load(&bm_linux_signals_all);
    for (; thread; thread = thread->next)
        discard(&thread->own, signal);
}

void bm_linux_signals_clear(struct bm_linux_signals *thread)
{
    for (int signal = 1; signal <= LINUX_SIGNALS && atomic_load(&thread->own.set); signal++)
        discard(&thread->own, signal);
}

bool bm_linux_signal_withdraw(struct bm_linux_signals *to, struct bm_linux_queued *own)
{
    struct bm_linux_pending *pending = to ? &to->own : &bm_linux_process_pending;
    bool more;
    bm_spinlock_acquire(&lock);
    bool was = atomic_load(&own->queued);
    if (was) {
        take_out(pending, own->what.signal, own, &more);
        if (!more)
            atomic_fetch_and(&pending->set, ~bm_linux_signal_bit(own->what.signal));
        atomic_store(&own->queued, false);
    }
    bm_spinlock_release(&lock);
    return was;
}

// An ending thread leaves to others what was sent to the process and woke it alone.
void bm_linux_signals_end(void)
{
    struct bm_linux_signals *self = bm_linux_signals_self();
    if (bm_linux_robust_leave)
        bm_linux_robust_leave(self);
    self->ended = 1;
    atomic_store(&self->blocked, UINT64_MAX);
    bm_linux_signals_clear(self);
    bm_linux_signals_retarget(UINT64_MAX);
}

void bm_linux_signals_retarget(uint64_t set)
{
    uint64_t left = atomic_load(&bm_linux_process_pending.set) & set;
    for (; left; left &= left - 1) {
        struct bm_linux_signals *other = taker_of(__builtin_ctzll(left) + 1);
        if (other)
            interrupt(other);
    }
}
