// Eventfd: a counter that is read and written as a file.
// SPDX-License-Identifier: MIT
#include "../wait/hooks.h"
#include "service.h"

#include <baremetal/eventfd.h>
#include <baremetal/file_watch.h>
#include <baremetal/lock.h>
#include <baremetal/waitqueue.h>

struct eventfd {
    struct bm_file file; // first
    struct bm_spinlock lock;
    uint64_t count;
    bool semaphore;
    struct bm_waitqueue readers;
    struct bm_waitqueue writers;
    struct bm_file_watchers watchers;
};

static struct eventfd *eventfd_of(struct bm_file *file)
{
    return (struct eventfd *)file; // its first member
}

static uint64_t count_of(struct eventfd *eventfd)
{
    bm_spinlock_acquire(&eventfd->lock);
    uint64_t count = eventfd->count;
    bm_spinlock_release(&eventfd->lock);
    return count;
}

static int eventfd_poll(struct bm_file *file)
{
    uint64_t count = count_of(eventfd_of(file));
    return (count ? BM_POLLIN : 0) | (count < UINT64_MAX - 1 ? BM_POLLOUT : 0);
}

static uint64_t deadline_of(const struct bm_file *file)
{
    return file->flags & BM_O_NONBLOCK ? 0 : UINT64_MAX;
}

static bool is_readable(void *eventfd)
{
    return count_of(eventfd) != 0;
}

static long eventfd_read(struct bm_file *file, void *buffer, size_t size)
{
    struct eventfd *eventfd = eventfd_of(file);
    uint64_t value;
    if (size < sizeof value)
        return -BM_EINVAL;
    for (;;) {
        bm_spinlock_acquire(&eventfd->lock);
        value = eventfd->semaphore ? eventfd->count != 0 : eventfd->count;
        bool more = eventfd->count -= value;
        bm_spinlock_release(&eventfd->lock);
        if (value) {
            bm_waitqueue_wake_all(&eventfd->writers); // which add different numbers
            if (more)
                bm_waitqueue_wake_one(&eventfd->readers);
            bm_file_changed(&eventfd->watchers, BM_POLLOUT);
            __builtin_memcpy(buffer, &value, sizeof value);
            return sizeof value;
        }
        int error = bm_wait_signal(&eventfd->readers, is_readable, eventfd, deadline_of(file));
        if (error)
            return error;
    }
}

struct addition {
    struct eventfd *eventfd;
    uint64_t value;
};

static bool has_room(void *arg)
{
    const struct addition *addition = arg;
    return UINT64_MAX - count_of(addition->eventfd) > addition->value;
}

static long eventfd_write(struct bm_file *file, const void *buffer, size_t size)
{
    struct addition addition = {eventfd_of(file), 0};
    struct eventfd *eventfd = addition.eventfd;
    if (size < sizeof addition.value)
        return -BM_EINVAL;
    __builtin_memcpy(&addition.value, buffer, sizeof addition.value);
    if (addition.value == UINT64_MAX)
        return -BM_EINVAL;
    for (;;) {
        bm_spinlock_acquire(&eventfd->lock);
        bool fits = UINT64_MAX - eventfd->count > addition.value;
        if (fits)
            eventfd->count += addition.value;
        bm_spinlock_release(&eventfd->lock);
        if (fits) {
            bm_waitqueue_wake_one(&eventfd->readers);
            bm_file_changed(&eventfd->watchers, BM_POLLIN);
            return sizeof addition.value;
        }
        int error = bm_wait_signal(&eventfd->writers, has_room, &addition, deadline_of(file));
        if (error)
            return error;
    }
}

static int eventfd_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = 0600;
    status->links = 1;
    status->block_size = 4096;
    return 0;
}

static struct bm_file_watchers *eventfd_watchers(struct bm_file *file)
{
    return &eventfd_of(file)->watchers;
}

static int eventfd_close(struct bm_file *file)
{
    bm_file_gone(&eventfd_of(file)->watchers);
    bm_file_free(file, sizeof(struct eventfd));
    return 0;
}

static const struct bm_file_ops eventfd_ops = {.read = eventfd_read,
                                               .write = eventfd_write,
                                               .poll = eventfd_poll,
                                               .watchers = eventfd_watchers,
                                               .stat = eventfd_stat,
                                               .close = eventfd_close};

int bm_eventfd_open(unsigned value, int flags)
{
    BM_ASSERT_NO_HANDLER();
    if (flags & ~(BM_EVENTFD_SEMAPHORE | BM_O_NONBLOCK | BM_O_CLOEXEC))
        return -BM_EINVAL;
    struct eventfd *eventfd = bm_file_allocate(sizeof *eventfd);
    if (!eventfd)
        return -BM_ENOMEM;
    eventfd->file.ops = &eventfd_ops;
    eventfd->file.flags = BM_O_RDWR | (flags & BM_O_NONBLOCK);
    eventfd->count = value;
    eventfd->semaphore = flags & BM_EVENTFD_SEMAPHORE;
    int descriptor = bm_file_install(&eventfd->file, 0);
    if (descriptor < 0)
        bm_file_free(eventfd, sizeof *eventfd);
    else if (flags & BM_O_CLOEXEC)
        bm_file_set_cloexec(descriptor, true);
    return descriptor;
}
