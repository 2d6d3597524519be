// Lists of those that watch a file.
// SPDX-License-Identifier: MIT
#include "service.h"

#include <baremetal/file_watch.h>

// Those that are exclusive stand at the end, and are told in the order in which they came.
void bm_file_watch(struct bm_file_watchers *list, struct bm_file_watcher *watcher)
{
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(watcher->changed, "a watcher must have a function `changed`");
    BM_ASSERT(!watcher->list, "a watcher must not watch two files");
    bm_spinlock_acquire(&list->lock);
    struct bm_file_watcher *first = atomic_load_explicit(&list->first, memory_order_relaxed);
    bool at_end = watcher->exclusive || !first;
    watcher->list = list;
    watcher->previous = at_end ? list->last : NULL;
    watcher->next = at_end ? NULL : first;
    if (watcher->next)
        watcher->next->previous = watcher;
    else
        list->last = watcher;
    if (watcher->previous)
        watcher->previous->next = watcher;
    else
        atomic_store_explicit(&list->first, watcher, memory_order_relaxed);
    bm_spinlock_release(&list->lock);
    // Pairs with the fence between a change and the look at who watches.
    atomic_thread_fence(memory_order_seq_cst);
}

static void take_out(struct bm_file_watchers *list, struct bm_file_watcher *watcher)
{
    if (watcher->next)
        watcher->next->previous = watcher->previous;
    else
        list->last = watcher->previous;
    if (watcher->previous)
        watcher->previous->next = watcher->next;
    else
        atomic_store_explicit(&list->first, watcher->next, memory_order_relaxed);
    watcher->list = NULL;
}

void bm_file_unwatch(struct bm_file_watcher *watcher)
{
    struct bm_file_watchers *list = watcher->list;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(list, "a watcher must be in a list");
    bm_spinlock_acquire(&list->lock);
    take_out(list, watcher);
    bm_spinlock_release(&list->lock);
}

void bm_file_changed(struct bm_file_watchers *list, int events)
{
    BM_ASSERT_NO_HANDLER();
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&list->first, memory_order_relaxed))
        return;
    bm_spinlock_acquire(&list->lock);
    struct bm_file_watcher *watcher = atomic_load_explicit(&list->first, memory_order_relaxed);
    while (watcher && !(watcher->changed(watcher, events) && watcher->exclusive))
        watcher = watcher->next;
    bm_spinlock_release(&list->lock);
}

void bm_file_gone(struct bm_file_watchers *list)
{
    struct bm_file_watcher *watcher;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&list->lock);
    while ((watcher = atomic_load_explicit(&list->first, memory_order_relaxed))) {
        take_out(list, watcher);
        watcher->changed(watcher, BM_FILE_GONE); // which may end it
    }
    bm_spinlock_release(&list->lock);
}
