// What the files of epoll share.
// SPDX-License-Identifier: MIT
#pragma once

#include "service.h"

#include <baremetal/epoll.h>
#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/waitqueue.h>

enum { BUCKETS = 128 };
#define FLAGS (BM_EPOLL_EXCLUSIVE | BM_EPOLL_WAKEUP | BM_EPOLL_ONESHOT | BM_EPOLL_EDGE)

struct item {
    struct bm_file_watcher watcher; // first
    struct epoll *epoll;
    struct bm_file *file; // not kept; valid until the item is gone
    int descriptor;       // it was added by: with the file what names it
    uint32_t wanted;
    uint64_t data;
    struct item *next;                        // in its bucket
    struct item *ready_next, *ready_previous; // in the list of the ready ones, or of those that are gone
    bool ready;
    _Atomic(bool) gone;
};

struct epoll {
    struct bm_file file; // first
    struct bm_file_watchers watchers;
    BM_ATOMIC(unsigned) mutex;
    struct item *buckets[BUCKETS];
    struct bm_spinlock lock;
    BM_ATOMIC(struct item *) first; // that may be ready
    struct item *last, *gone;
    unsigned count; // that may be ready
    struct bm_waitqueue blocked;
    unsigned above; // epolls that watch this one, in a row, at most
};

// What is to be told of an item; 0: nothing, after BM_EPOLL_ONESHOT.
enum { ALWAYS = BM_POLLERR | BM_POLLHUP }; // told until ONESHOT disarms
static inline uint32_t told_of(uint32_t wanted)
{
    return wanted & ~FLAGS ? (wanted & ~FLAGS) | ALWAYS : 0;
}

extern const struct bm_file_ops bm_epoll_ops;

// Under the lock: puts an item into the list of those that may be ready, and takes it out.
void bm_epoll_ready_add(struct epoll *epoll, struct item *item);
void bm_epoll_ready_remove(struct epoll *epoll, struct item *item);

// Under the lock: keeps the item's file from being closed; false: that has begun.
bool bm_epoll_keep(struct item *item);

// Something may be ready. Returns whether somebody waited.
bool bm_epoll_tell(struct epoll *epoll);

// Takes the mutex and frees what is gone; gives it back.
void bm_epoll_enter(struct epoll *epoll);
void bm_epoll_leave(struct epoll *epoll);
void bm_epoll_mutex_acquire(BM_ATOMIC(unsigned) * mutex);

// In the mutex: what a file says, and the end of an item.
uint32_t bm_epoll_ask(struct bm_file *file);
void bm_epoll_item_free(struct epoll *epoll, struct item *item);

// The items' watchers.
bool bm_epoll_changed(struct bm_file_watcher *watcher, int events);
