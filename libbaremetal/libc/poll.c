// poll and select over every kind of descriptor.
// SPDX-License-Identifier: MIT
#include "terminal.h"

#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>

BM_TERMINAL_INPUT_NEEDED;

struct set {
    struct pollfd *descriptors;
    nfds_t count;
    int ready; // descriptors with events, when the condition was last looked at
};

// What happened on a descriptor, of what was asked for and of what is always told.
static short events_of(int descriptor, short wanted)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    if (!file)
        return POLLNVAL;
    // A kind without poll never blocks, as POSIX says of regular files.
    int events = file->ops->poll ? file->ops->poll(file) : POLLIN | POLLOUT;
    bm_file_release(file);
    if (events & POLLIN)
        events |= POLLRDNORM;
    if (events & POLLOUT)
        events |= POLLWRNORM;
    return (short)(events & (wanted | POLLERR | POLLHUP));
}

static bool any_ready(void *arg)
{
    struct set *set = arg;
    set->ready = 0;
    for (nfds_t i = 0; i < set->count; i++) {
        struct pollfd *at = &set->descriptors[i];
        at->revents = at->fd < 0 ? 0 : events_of(at->fd, at->events);
        set->ready += at->revents != 0;
    }
    return set->ready != 0;
}

static uint64_t deadline_after(uint64_t nanoseconds)
{
    uint64_t now = bm_time_monotonic();
    return nanoseconds > UINT64_MAX - now ? UINT64_MAX : now + nanoseconds;
}

int poll(struct pollfd *descriptors, nfds_t count, int timeout)
{
    if (count > BM_FILES_MAX) {
        errno = EINVAL;
        return -1;
    }
    struct set set = {descriptors, count, 0};
    uint64_t deadline = UINT64_MAX;
    if (timeout >= 0)
        deadline = timeout == 0 ? 0 : deadline_after((uint64_t)timeout * 1000000);
    bm_poll(); // a program that always finds something ready must not keep the devices from being served
    bm_wait_until(any_ready, &set, deadline);
    return set.ready;
}

struct selection {
    int count;
    const fd_set *wanted[3]; // read, write, exceptional; NULL: none
    fd_set found[3];
    int ready; // bits in found; -1: a descriptor is not open
};

// The conditions of the three sets (POSIX.1-2008, select): an error or the end of a connection makes a
// descriptor both readable and writable.
static const short set_events[3] = {POLLIN | POLLERR | POLLHUP, POLLOUT | POLLERR | POLLHUP, POLLPRI};

static bool any_selected(void *arg)
{
    struct selection *selection = arg;
    memset(selection->found, 0, sizeof selection->found);
    selection->ready = 0;
    for (int descriptor = 0; descriptor < selection->count; descriptor++) {
        short events = -1; // not asked yet
        for (int i = 0; i < 3; i++) {
            if (!selection->wanted[i] || !FD_ISSET(descriptor, selection->wanted[i]))
                continue;
            if (events == -1)
                events = events_of(descriptor, POLLIN | POLLOUT | POLLPRI);
            if (events & POLLNVAL) {
                selection->ready = -1;
                return true;
            }
            if (events & set_events[i]) {
                FD_SET(descriptor, &selection->found[i]);
                selection->ready++;
            }
        }
    }
    return selection->ready != 0;
}

static int select_until(int count, fd_set *sets[3], uint64_t deadline)
{
    if (count < 0 || count > FD_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    struct selection selection = {.count = count, .wanted = {sets[0], sets[1], sets[2]}};
    bm_poll(); // as in poll
    bm_wait_until(any_selected, &selection, deadline);
    if (selection.ready < 0) {
        errno = EBADF;
        return -1;
    }
    for (int i = 0; i < 3; i++)
        if (sets[i])
            *sets[i] = selection.found[i];
    return selection.ready;
}

static bool deadline_of(long long seconds, long fraction, long fractions, uint64_t *deadline)
{
    if (seconds < 0 || fraction < 0 || fraction >= fractions)
        return false;
    if (seconds == 0 && fraction == 0)
        *deadline = 0;
    else if (seconds > INT_MAX)
        *deadline = UINT64_MAX;
    else
        *deadline =
            deadline_after((uint64_t)seconds * 1000000000 + (uint64_t)(fraction * (1000000000 / fractions)));
    return true;
}

int select(int count, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout)
{
    uint64_t deadline = UINT64_MAX;
    if (timeout && !deadline_of(timeout->tv_sec, (long)timeout->tv_usec, 1000000, &deadline)) {
        errno = EINVAL;
        return -1;
    }
    return select_until(count, (fd_set *[]){readable, writable, exceptional}, deadline);
}

// No signal interrupts a wait here, so the mask has nothing to do.
int pselect(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
            const struct timespec *timeout, const sigset_t *mask)
{
    (void)mask;
    uint64_t deadline = UINT64_MAX;
    if (timeout && !deadline_of(timeout->tv_sec, timeout->tv_nsec, 1000000000, &deadline)) {
        errno = EINVAL;
        return -1;
    }
    return select_until(count, (fd_set *[]){readable, writable, exceptional}, deadline);
}
