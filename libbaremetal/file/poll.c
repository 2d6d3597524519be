// Waiting for several files: what poll and select have in common.
// SPDX-License-Identifier: MIT
//
// The files are asked once before anybody watches, since a busy program finds one ready most of the time.
#include "service.h"

#include <baremetal/file_watch.h>
#include <baremetal/memory.h>
#include <baremetal/wait.h>

// A watcher of one file, which is kept open by it.
struct watch {
    struct bm_file_watcher watcher;
    struct bm_file_wait *wait;
    struct bm_file *file;
};

struct bm_file_wait_page {
    struct bm_file_wait_page *next;
    struct watch *watches;
    unsigned count, room;
};

enum {
    FEW = 4, // stand on the stack of who waits
    PER_PAGE = (BM_PAGE_SIZE - sizeof(struct bm_file_wait_page)) / sizeof(struct watch)
};

static bool changed(struct bm_file_watcher *watcher, int events)
{
    struct bm_file_wait *wait = ((struct watch *)watcher)->wait;
    (void)events;
    atomic_store(&wait->told, true);
    bm_context_wake(wait->context);
    return true;
}

// Room for one more watcher; NULL when there is no memory.
static struct watch *room(struct bm_file_wait *wait)
{
    struct bm_file_wait_page *page = wait->pages;
    if (page->count == page->room) {
        if (!(page = bm_frame_allocate(0)))
            return NULL;
        *page = (struct bm_file_wait_page){wait->pages, (struct watch *)(page + 1), 0, PER_PAGE};
        wait->pages = page;
    }
    return &page->watches[page->count++];
}

// Returns whether the file is kept.
static bool watch(struct bm_file_wait *wait, struct bm_file *file)
{
    struct bm_file_watchers *list = file->ops->watchers ? file->ops->watchers(file) : NULL;
    struct watch *watch = list && !wait->silent ? room(wait) : NULL;
    if (!watch) {
        wait->silent = true;
        return false;
    }
    *watch = (struct watch){.watcher = {.changed = changed}, .wait = wait, .file = file};
    bm_file_watch(list, &watch->watcher);
    return true;
}

int bm_file_ask(struct bm_file_wait *wait, int descriptor)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    bool kept = false;
    int events = BM_POLLIN | BM_POLLOUT; // of a kind without poll, which never blocks: POSIX of regular files
    if (!file || file->flags & BM_O_PATH) {
        if (file)
            bm_file_release(file);
        return BM_POLLNVAL;
    }
    if (file->ops->poll) {
        kept = wait->watching && watch(wait, file);
        events = file->ops->poll(file);
    }
    if (!kept)
        bm_file_release(file);
    return events | (events & BM_POLLIN ? BM_POLLRDNORM : 0) | (events & BM_POLLOUT ? BM_POLLWRNORM : 0);
}

static bool is_interrupted(const struct bm_file_wait *wait)
{
    return wait->interrupted && wait->interrupted(wait->arg);
}

static bool told(void *arg)
{
    struct bm_file_wait *wait = arg;
    return atomic_load(&wait->told) || is_interrupted(wait);
}

// When some file cannot tell.
static bool over(void *arg)
{
    struct bm_file_wait *wait = arg;
    return wait->ask(wait) || is_interrupted(wait);
}

static void unwatch_all(struct bm_file_wait *wait, const struct bm_file_wait_page *first)
{
    for (struct bm_file_wait_page *page = wait->pages; page;) {
        struct bm_file_wait_page *next = page->next;
        for (unsigned i = 0; i < page->count; i++) {
            bm_file_unwatch(&page->watches[i].watcher);
            bm_file_release(page->watches[i].file);
        }
        if (page != first)
            bm_frame_free(page, 0);
        page = next;
    }
}

static bool watch_and_wait(struct bm_file_wait *wait, uint64_t deadline)
{
    struct watch few[FEW];
    struct bm_file_wait_page first = {NULL, few, 0, FEW};
    wait->pages = &first;
    wait->context = bm_context_id();
    wait->watching = true;
    bool found = wait->ask(wait);
    wait->watching = false;
    bool in_time = true;
    while (!found && in_time && !is_interrupted(wait)) {
        in_time = wait->silent ? bm_wait_until(over, wait, deadline) : bm_wait_woken(told, wait, deadline);
        atomic_exchange(&wait->told, false); // before the files are asked: what comes later tells again
        found = wait->ask(wait);
    }
    unwatch_all(wait, &first);
    return found;
}

bool bm_file_wait(struct bm_file_wait *wait, uint64_t deadline)
{
    BM_ASSERT_MAY_WAIT();
    bm_poll(); // a program that always finds something ready must not keep the devices from being served
    if (wait->ask(wait))
        return true;
    return deadline && !is_interrupted(wait) && watch_and_wait(wait, deadline);
}
