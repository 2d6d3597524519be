// Epoll: a table of watched files, and a list of those that may be ready.
// SPDX-License-Identifier: MIT
//
// The mutex guards the table and orders those that ask the files. The lock guards the ready list, which
// watchers change under the lock of a file's list, so nothing of a file is called under it. A file that is
// closed ends its watcher (BM_FILE_GONE); the item's memory goes when somebody has the mutex next.
#include "epoll.h"
#include "../wait/hooks.h"

#include <baremetal/time.h>
#include <baremetal/wait.h>

void bm_epoll_ready_add(struct epoll *epoll, struct item *item)
{
    if (item->ready || atomic_load(&item->gone))
        return;
    item->ready = true;
    item->ready_next = NULL;
    item->ready_previous = epoll->last;
    if (epoll->last)
        epoll->last->ready_next = item;
    else
        atomic_store(&epoll->first, item);
    epoll->last = item;
    epoll->count++;
}

void bm_epoll_ready_remove(struct epoll *epoll, struct item *item)
{
    if (!item->ready)
        return;
    item->ready = false;
    if (item->ready_next)
        item->ready_next->ready_previous = item->ready_previous;
    else
        epoll->last = item->ready_previous;
    if (item->ready_previous)
        item->ready_previous->ready_next = item->ready_next;
    else
        atomic_store(&epoll->first, item->ready_next);
    epoll->count--;
}

bool bm_epoll_keep(struct item *item)
{
    if (atomic_load(&item->gone))
        return false;
    int references = atomic_load(&item->file->references);
    while (references > 0)
        if (atomic_compare_exchange_weak(&item->file->references, &references, references + 1))
            return true;
    return false;
}

bool bm_epoll_tell(struct epoll *epoll)
{
    bool waited = bm_waitqueue_wake_one(&epoll->blocked);
    bm_file_changed(&epoll->watchers, BM_POLLIN);
    return waited;
}

bool bm_epoll_changed(struct bm_file_watcher *watcher, int events)
{
    struct item *item = (struct item *)watcher;
    struct epoll *epoll = item->epoll;
    bool concerns = false;
    bm_spinlock_acquire(&epoll->lock);
    if (events == BM_FILE_GONE) {
        bm_epoll_ready_remove(epoll, item);
        item->ready_next = epoll->gone;
        epoll->gone = item;
        atomic_store(&item->gone, true);
    } else {
        uint32_t told = told_of(item->wanted);
        events |= events & BM_POLLIN ? BM_POLLRDNORM : 0;
        events |= events & BM_POLLOUT ? BM_POLLWRNORM : 0;
        concerns = told && (!events || told & (uint32_t)events);
        if (concerns)
            bm_epoll_ready_add(epoll, item);
    }
    bm_spinlock_release(&epoll->lock);
    return concerns && (bm_epoll_tell(epoll) || !watcher->exclusive);
}

static struct item **link_of(struct epoll *epoll, const struct item *item)
{
    struct item **link = &epoll->buckets[(unsigned)item->descriptor % BUCKETS];
    while (*link != item)
        link = &(*link)->next;
    return link;
}

void bm_epoll_item_free(struct epoll *epoll, struct item *item)
{
    *link_of(epoll, item) = item->next;
    bm_file_free(item, sizeof *item);
}

// Held for moments, so that who finds it held lets others run but does not park: a condition of bm_wait_until
// may ask, too.
void bm_epoll_mutex_acquire(BM_ATOMIC(unsigned) * mutex)
{
    while (atomic_exchange(mutex, 1))
        if (bm_fiber_yield)
            bm_fiber_yield();
        else
            __builtin_ia32_pause();
}

void bm_epoll_enter(struct epoll *epoll)
{
    bm_epoll_mutex_acquire(&epoll->mutex);
    bm_spinlock_acquire(&epoll->lock);
    struct item *item = epoll->gone;
    epoll->gone = NULL;
    bm_spinlock_release(&epoll->lock);
    while (item) {
        struct item *next = item->ready_next;
        bm_epoll_item_free(epoll, item);
        item = next;
    }
}

void bm_epoll_leave(struct epoll *epoll)
{
    atomic_store(&epoll->mutex, 0);
}

uint32_t bm_epoll_ask(struct bm_file *file)
{
    int events = file->ops->poll(file);
    events |= (events & BM_POLLIN ? BM_POLLRDNORM : 0) | (events & BM_POLLOUT ? BM_POLLWRNORM : 0);
    return (uint32_t)events;
}

// The first that may be ready, taken out of the list, with its file kept; NULL: the file is being closed.
static struct item *take(struct epoll *epoll)
{
    bm_spinlock_acquire(&epoll->lock);
    struct item *item = atomic_load(&epoll->first);
    if (item) {
        bm_epoll_ready_remove(epoll, item);
        if (!bm_epoll_keep(item))
            item = NULL;
    }
    bm_spinlock_release(&epoll->lock);
    return item;
}

// After the item was found ready: whether it stays in the list.
static void again(struct epoll *epoll, struct item *item, bool edge)
{
    bm_spinlock_acquire(&epoll->lock);
    if (item->wanted & BM_EPOLL_ONESHOT && !edge)
        item->wanted &= FLAGS;
    else if (!(item->wanted & BM_EPOLL_EDGE) || edge)
        bm_epoll_ready_add(epoll, item);
    bm_spinlock_release(&epoll->lock);
}

// Asks those that may be ready, each once, until `max` are. `events` NULL: leaves what is found in the list.
static int harvest(struct epoll *epoll, struct bm_epoll_event *events, int max)
{
    int found = 0;
    for (unsigned left = epoll->count; left && found < max; left--) {
        struct item *item = take(epoll);
        if (!item)
            continue;
        struct bm_file *file = item->file;
        uint32_t happened = bm_epoll_ask(file) & told_of(item->wanted);
        if (happened) {
            if (events)
                events[found] = (struct bm_epoll_event){happened, item->data};
            found++;
            again(epoll, item, !events);
        }
        bm_file_release(file); // which may be its end
    }
    return found;
}

static int epoll_poll(struct bm_file *file)
{
    struct epoll *epoll = (struct epoll *)file;
    bm_epoll_enter(epoll);
    int found = harvest(epoll, NULL, 1);
    bm_epoll_leave(epoll);
    return found ? BM_POLLIN : 0;
}

static struct bm_file_watchers *epoll_watchers(struct bm_file *file)
{
    return &((struct epoll *)file)->watchers;
}

static bool is_gone(void *item)
{
    return atomic_load(&((struct item *)item)->gone);
}

// Of an epoll that is closed. A file that is being closed meanwhile tells so in a moment.
static void item_end(struct epoll *epoll, struct item *item)
{
    bm_spinlock_acquire(&epoll->lock);
    bool kept = bm_epoll_keep(item);
    bm_spinlock_release(&epoll->lock);
    if (kept) {
        bm_file_unwatch(&item->watcher);
        bm_file_release(item->file);
    }
    while (!kept && !bm_wait_until(is_gone, item, bm_time_monotonic() + 1000000))
        ;
    bm_spinlock_acquire(&epoll->lock); // who has told so has let go of it
    bm_spinlock_release(&epoll->lock);
    bm_file_free(item, sizeof *item);
}

static int epoll_close(struct bm_file *file)
{
    struct epoll *epoll = (struct epoll *)file;
    bm_file_gone(&epoll->watchers);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct item *item = epoll->buckets[i], *next; item; item = next) {
            next = item->next;
            item_end(epoll, item);
        }
    bm_file_free(epoll, sizeof *epoll);
    return 0;
}

static int epoll_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = 0600;
    status->links = 1;
    status->block_size = 4096;
    return 0;
}

const struct bm_file_ops bm_epoll_ops = {
    .poll = epoll_poll, .watchers = epoll_watchers, .stat = epoll_stat, .close = epoll_close};

int bm_epoll_open(int flags)
{
    BM_ASSERT_NO_HANDLER();
    if (flags & ~BM_O_CLOEXEC)
        return -BM_EINVAL;
    struct epoll *epoll = bm_file_allocate(sizeof *epoll);
    if (!epoll)
        return -BM_ENOMEM;
    epoll->file.ops = &bm_epoll_ops;
    epoll->file.flags = BM_O_RDWR;
    int descriptor = bm_file_install(&epoll->file, 0);
    if (descriptor < 0)
        bm_file_free(epoll, sizeof *epoll);
    else if (flags)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}

struct wait {
    struct epoll *epoll;
    bool (*interrupted)(void *arg);
    void *arg;
};

static bool is_over(void *arg)
{
    const struct wait *wait = arg;
    return atomic_load(&wait->epoll->first) || (wait->interrupted && wait->interrupted(wait->arg));
}

static int wait_until(struct wait *wait, struct bm_epoll_event *events, int max, uint64_t deadline)
{
    struct epoll *epoll = wait->epoll;
    bm_poll(); // a program that always finds something ready must not keep the devices from being served
    for (;;) {
        int found = 0;
        if (atomic_load(&epoll->first)) {
            bm_epoll_enter(epoll);
            found = harvest(epoll, events, max);
            bm_epoll_leave(epoll);
            if (atomic_load(&epoll->first)) // for the next one that waits
                bm_waitqueue_wake_one(&epoll->blocked);
        }
        if (found || deadline == 0 || (wait->interrupted && wait->interrupted(wait->arg)))
            return found;
        if (!bm_waitqueue_wait(&epoll->blocked, is_over, wait, deadline))
            return 0;
    }
}

int bm_epoll_wait(int epoll, struct bm_epoll_event *events, int max, uint64_t deadline,
                  bool (*interrupted)(void *arg), void *arg)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_file *file = bm_file_acquire(epoll);
    if (!file)
        return -BM_EBADF;
    struct wait wait = {(struct epoll *)file, interrupted, arg};
    int result =
        max <= 0 || file->ops != &bm_epoll_ops ? -BM_EINVAL : wait_until(&wait, events, max, deadline);
    bm_file_release(file);
    return result;
}
