// Watching files: who waits for several of them, and how a file tells that what it can do has changed.
// SPDX-License-Identifier: MIT
//
// A file that can be waited for keeps a list of its watchers (bm_file_ops.watchers). Whoever changes what the
// file's `poll` says calls bm_file_changed afterwards, which calls those that watch this file and nobody
// else; poll, select and epoll (epoll.h) put a watcher into the list of each file. Calls that block on one
// file wait in a queue of its own (waitqueue.h).
#pragma once

#include <baremetal/file.h>
#include <baremetal/lock.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_file_watcher;

// The watchers of a file; all zeros is an empty list. The kind embeds it in its structure, beside struct
// bm_file. The members are the list's.
struct bm_file_watchers {
    struct bm_spinlock lock;
    BM_ATOMIC(struct bm_file_watcher *) first;
    struct bm_file_watcher *last;
};

// What a watcher is told beside BM_POLL…: the file is closed, and the watcher is in no list any more.
enum { BM_FILE_GONE = 1 << 30 };

// One that watches a file. Its owner sets `changed` and `exclusive`, the other members are the list's.
struct bm_file_watcher {
    struct bm_file_watcher *next, *previous; // in the list
    struct bm_file_watchers *list;           // NULL: it watches nothing
    // Tells that some of `events` (BM_POLL…; 0: nobody knows which) may have come, or gone; the file's `poll`
    // says what is so. Called under the list's lock, on any core, perhaps under the network's lock: it wakes
    // or makes a note, and neither waits nor asks the file nor changes the list. Returns whether its owner
    // will act on it.
    bool (*changed)(struct bm_file_watcher *watcher, int events);
    bool exclusive; // of those that are exclusive, one that acts is enough
};

// Adds a watcher to a list, for changes from now on: whoever looks at the file afterwards misses none. Its
// file must be kept from being closed until the watcher is out of the list, or be ended by bm_file_gone. Any
// core, not in handlers.
void bm_file_watch(struct bm_file_watchers *list, struct bm_file_watcher *watcher);

// Takes a watcher out of its list; its `changed` is not called any more when this returns. Any core, not in
// handlers.
void bm_file_unwatch(struct bm_file_watcher *watcher);

// What `poll` says of the list's file has changed, in the way of `events` (as above). After the change. When
// nobody watches, it costs a fence and a load. Any core, not in handlers, also with locks held that no
// watcher's owner takes (the file's own, the network's).
void bm_file_changed(struct bm_file_watchers *list, int events);

// Empties the list and tells each watcher BM_FILE_GONE. By the kind's `close`, before the memory goes.
void bm_file_gone(struct bm_file_watchers *list);

// --- Waiting for several files: what poll and select are made of (file/poll.c) ---

struct bm_file_wait_page;

// A wait for several files, on the stack of who waits.
struct bm_file_wait {
    // Asks each file by bm_file_ask and returns whether the wait is over. Called at least once, and again
    // when a file has changed.
    bool (*ask)(struct bm_file_wait *wait);
    // Whether the wait ends for another reason, of which the context is woken by name; NULL: there is none.
    bool (*interrupted)(void *arg);
    void *arg;
    // The members below are the service's; all zeros at first.
    unsigned context; // that waits
    BM_ATOMIC(bool) told;
    bool watching; // bm_file_ask adds watchers
    bool silent;   // a file cannot tell, or memory has ended: all are asked whenever anything happens
    struct bm_file_wait_page *pages;
};

// What a descriptor can do now: BM_POLL… as they are, BM_POLLRDNORM and BM_POLLWRNORM, or BM_POLLNVAL when it
// is not open. In an `ask` alone.
int bm_file_ask(struct bm_file_wait *wait, int descriptor);

// Waits until ask(wait) is true, interrupted(arg) is, or the time `deadline` has come (nanoseconds of
// bm_time_monotonic(); UINT64_MAX: no limit; 0: the devices are served once). Returns what `ask` said last.
// Any core, not in handlers or pollers, with no lock held.
bool bm_file_wait(struct bm_file_wait *wait, uint64_t deadline);

#ifdef __cplusplus
}
#endif
