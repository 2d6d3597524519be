// Epoll: adding, modifying and deleting what is watched.
// SPDX-License-Identifier: MIT
#include "epoll.h"

enum { NESTS_MAX = 4 };
#define WITH_EXCLUSIVE (BM_POLLIN | BM_POLLOUT | BM_POLLERR | BM_POLLHUP | BM_EPOLL_WAKEUP | BM_EPOLL_EDGE)

static BM_ATOMIC(unsigned) nesting; // held while an epoll is put into another

// Epolls below this one, in a row; more than NESTS_MAX when `sought` is among them or itself.
static unsigned depth_below(struct epoll *epoll, const struct epoll *sought, unsigned level, unsigned above)
{
    unsigned depth = 0;
    if (epoll == sought || level > NESTS_MAX)
        return NESTS_MAX + 1;
    bm_epoll_enter(epoll);
    if (above > epoll->above)
        epoll->above = above;
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct item *item = epoll->buckets[i]; item; item = item->next) {
            bm_spinlock_acquire(&epoll->lock);
            bool kept = bm_epoll_keep(item);
            bm_spinlock_release(&epoll->lock);
            if (!kept)
                continue;
            struct bm_file *file = item->file;
            if (file->ops == &bm_epoll_ops) {
                unsigned below =
                    1 + depth_below((struct epoll *)file, sought, level + 1, above ? above + 1 : 0);
                depth = below > depth ? below : depth;
            }
            bm_file_release(file);
        }
    bm_epoll_leave(epoll);
    return depth;
}

static int add(struct epoll *epoll, struct bm_file *file, int descriptor, const struct bm_epoll_event *event)
{
    struct bm_file_watchers *list = file->ops->watchers(file);
    struct item *item = bm_file_allocate(sizeof *item);
    if (!item)
        return -BM_ENOMEM;
    item->watcher.changed = bm_epoll_changed;
    item->watcher.exclusive = event->events & BM_EPOLL_EXCLUSIVE;
    item->epoll = epoll;
    item->file = file;
    item->descriptor = descriptor;
    item->wanted = event->events | ALWAYS;
    item->data = event->data;
    struct item **bucket = &epoll->buckets[(unsigned)descriptor % BUCKETS];
    item->next = *bucket;
    *bucket = item;
    bm_file_watch(list, &item->watcher);
    return 0;
}

// Puts an item among the ready ones if it is.
static void look(struct epoll *epoll, struct item *item)
{
    if (!(bm_epoll_ask(item->file) & told_of(item->wanted)))
        return;
    bm_spinlock_acquire(&epoll->lock);
    bm_epoll_ready_add(epoll, item);
    bm_spinlock_release(&epoll->lock);
    bm_epoll_tell(epoll);
}

static struct item *find(struct epoll *epoll, const struct bm_file *file, int descriptor)
{
    struct item *item = epoll->buckets[(unsigned)descriptor % BUCKETS];
    while (item && (item->file != file || item->descriptor != descriptor || atomic_load(&item->gone)))
        item = item->next;
    return item;
}

// In the mutex, with the file kept.
static int change(struct epoll *epoll, int operation, struct bm_file *file, int descriptor,
                  const struct bm_epoll_event *event)
{
    struct item *item = find(epoll, file, descriptor);
    if (operation == BM_EPOLL_ADD) {
        int error = item ? -BM_EEXIST : add(epoll, file, descriptor, event);
        if (!error)
            look(epoll, find(epoll, file, descriptor));
        return error;
    }
    if (!item)
        return -BM_ENOENT;
    if (operation == BM_EPOLL_MODIFY) {
        if (item->watcher.exclusive)
            return -BM_EINVAL;
        bm_spinlock_acquire(&epoll->lock);
        item->wanted = event->events | ALWAYS;
        item->data = event->data;
        bm_spinlock_release(&epoll->lock);
        look(epoll, item);
        return 0;
    }
    bm_file_unwatch(&item->watcher);
    bm_spinlock_acquire(&epoll->lock);
    bm_epoll_ready_remove(epoll, item);
    bm_spinlock_release(&epoll->lock);
    bm_epoll_item_free(epoll, item);
    return 0;
}

static int check(const struct epoll *epoll, int operation, const struct bm_file *file,
                 const struct bm_epoll_event *event)
{
    if (!file->ops->watchers)
        return -BM_EPERM;
    if (epoll->file.ops != &bm_epoll_ops || file == &epoll->file)
        return -BM_EINVAL;
    if (operation < BM_EPOLL_ADD || operation > BM_EPOLL_MODIFY)
        return -BM_EINVAL;
    if (operation == BM_EPOLL_DELETE || !(event->events & BM_EPOLL_EXCLUSIVE))
        return 0;
    bool goes = operation == BM_EPOLL_ADD && file->ops != &bm_epoll_ops &&
                !(event->events & ~(WITH_EXCLUSIVE | BM_EPOLL_EXCLUSIVE));
    return goes ? 0 : -BM_EINVAL;
}

static int control(struct epoll *epoll, int operation, struct bm_file *file, int descriptor,
                   const struct bm_epoll_event *event)
{
    int error = check(epoll, operation, file, event);
    bool nests = !error && operation == BM_EPOLL_ADD && file->ops == &bm_epoll_ops;
    if (nests) {
        bm_epoll_mutex_acquire(&nesting);
        struct epoll *inner = (struct epoll *)file;
        unsigned below = depth_below(inner, epoll, 0, 0);
        if (below > NESTS_MAX || epoll->above + 1 + below > NESTS_MAX)
            error = -BM_ELOOP;
        else
            depth_below(inner, epoll, 0, epoll->above + 1);
    }
    if (!error) {
        bm_epoll_enter(epoll);
        error = change(epoll, operation, file, descriptor, event);
        bm_epoll_leave(epoll);
    }
    if (nests)
        atomic_store(&nesting, 0);
    return error;
}

int bm_epoll_control(int epoll, int operation, int descriptor, const struct bm_epoll_event *event)
{
    BM_ASSERT_MAY_WAIT();
    struct bm_file *own = bm_file_acquire(epoll), *file = own ? bm_file_acquire(descriptor) : NULL;
    int result = -BM_EBADF;
    if (file) {
        if (!(file->flags & BM_O_PATH))
            result = control((struct epoll *)own, operation, file, descriptor, event);
        bm_file_release(file);
    }
    if (own)
        bm_file_release(own);
    return result;
}
