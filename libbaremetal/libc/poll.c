// poll and select over every kind of descriptor.
// SPDX-License-Identifier: MIT
#include "terminal.h"

#include <baremetal/file_watch.h>
#include <baremetal/time.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>

BM_TERMINAL_INPUT_NEEDED;

struct set {
    struct bm_file_wait wait; // first
    struct pollfd *descriptors;
    nfds_t count;
    int ready; // descriptors with events, when they were last asked
};

static bool any_ready(struct bm_file_wait *wait)
{
    struct set *set = (struct set *)wait;
    set->ready = 0;
    for (nfds_t i = 0; i < set->count; i++) {
        struct pollfd *at = &set->descriptors[i];
        int told = at->events | POLLERR | POLLHUP | POLLNVAL; // what was asked for, and what is always told
        at->revents = at->fd < 0 ? 0 : (short)(bm_file_ask(wait, at->fd) & told);
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
    if (count > BM_FILES_DEFAULT) {
        errno = EINVAL;
        return -1;
    }
    struct set set = {.wait = {.ask = any_ready}, .descriptors = descriptors, .count = count};
    uint64_t deadline = UINT64_MAX;
    if (timeout >= 0)
        deadline = timeout == 0 ? 0 : deadline_after((uint64_t)timeout * 1000000);
    bm_file_wait(&set.wait, deadline);
    return set.ready;
}

struct selection {
    struct bm_file_wait wait; // first
    int count;
    const fd_set *wanted[3]; // read, write, exceptional; NULL: none
    fd_set found[3];
    int ready; // bits in found; -1: a descriptor is not open
};

// The conditions of the three sets (POSIX.1-2008, select): an error or the end of a connection makes a
// descriptor both readable and writable.
static const short set_events[3] = {POLLIN | POLLERR | POLLHUP, POLLOUT | POLLERR | POLLHUP, POLLPRI};

static bool any_selected(struct bm_file_wait *wait)
{
    struct selection *selection = (struct selection *)wait;
    memset(selection->found, 0, sizeof selection->found);
    selection->ready = 0;
    for (int descriptor = 0; descriptor < selection->count; descriptor++) {
        int events = -1; // not asked yet
        for (int i = 0; i < 3; i++) {
            if (!selection->wanted[i] || !FD_ISSET(descriptor, selection->wanted[i]))
                continue;
            if (events == -1)
                events = bm_file_ask(wait, descriptor);
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
    struct selection selection = {
        .wait = {.ask = any_selected}, .count = count, .wanted = {sets[0], sets[1], sets[2]}};
    bm_file_wait(&selection.wait, deadline);
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
