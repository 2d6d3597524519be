// poll and select over every kind of descriptor.
// SPDX-License-Identifier: MIT
#include "../libc/terminal.h"
#include "linux.h"
#include "signals.h"

#include <baremetal/file_watch.h>

BM_TERMINAL_INPUT_NEEDED;

struct set {
    struct bm_file_wait wait; // first
    struct linux_pollfd *descriptors;
    uint64_t count;
    int ready; // descriptors with events, when they were last asked
};

static struct bm_linux_signals *signals_self(void)
{
    return bm_linux_signals_self ? bm_linux_signals_self() : NULL;
}

// A wait that asks so, and that the caller's signals end.
static struct bm_file_wait wait_of(bool (*ask)(struct bm_file_wait *wait))
{
    struct bm_linux_signals *signals = signals_self();
    return (struct bm_file_wait){
        .ask = ask, .interrupted = signals ? bm_linux_signal_ready : NULL, .arg = signals};
}

// What a wait has found: a count, or a signal, which is taken before the call ends.
static long found(int ready)
{
    struct bm_linux_signals *signals = signals_self();
    return ready || !signals || !bm_linux_signal_ready(signals) ? ready : -BM_EINTR;
}

static bool any_ready(struct bm_file_wait *wait)
{
    struct set *set = (struct set *)wait;
    set->ready = 0;
    for (uint64_t i = 0; i < set->count; i++) {
        struct linux_pollfd *at = &set->descriptors[i];
        // What was asked for, and what is always told.
        int told = at->events | LINUX_POLLERR | LINUX_POLLHUP | LINUX_POLLNVAL;
        at->revents = at->fd < 0 ? 0 : (short)(bm_file_ask(wait, at->fd) & told);
        set->ready += at->revents != 0;
    }
    return set->ready != 0;
}

static long poll_until(struct linux_pollfd *descriptors, uint64_t count, uint64_t deadline)
{
    if (count > BM_FILES_MAX)
        return -BM_EINVAL;
    struct set set = {.wait = wait_of(any_ready), .descriptors = descriptors, .count = count};
    bm_file_wait(&set.wait, deadline);
    return found(set.ready);
}

long bm_linux_poll(struct linux_pollfd *descriptors, unsigned count, int timeout)
{
    uint64_t deadline = UINT64_MAX;
    if (timeout >= 0)
        deadline = timeout == 0 ? 0 : bm_linux_deadline((uint64_t)timeout * 1000000);
    return bm_linux_mask_end(NULL, 0, poll_until(descriptors, count, deadline));
}

int bm_linux_deadline_of(const struct linux_timespec *timeout, uint64_t *deadline)
{
    uint64_t duration;
    *deadline = UINT64_MAX;
    if (!timeout)
        return 0;
    int error = bm_linux_nanoseconds(timeout, &duration);
    *deadline = duration ? bm_linux_deadline(duration) : 0;
    return error;
}

uint64_t bm_linux_mask_begin(const uint64_t *mask)
{
    struct bm_linux_signals *signals = signals_self();
    return signals && mask ? bm_linux_signal_mask(signals, *mask) : 0;
}

long bm_linux_mask_end(const uint64_t *mask, uint64_t before, long result)
{
    struct bm_linux_signals *signals = signals_self();
    if (signals && mask && result == -BM_EINTR)
        bm_linux_signal_unmask(signals, before);
    else if (signals && mask)
        bm_linux_signal_mask(signals, before);
    if (signals)
        bm_linux_signal_take(signals);
    return result;
}

long bm_linux_ppoll(struct linux_pollfd *descriptors, unsigned count, const struct linux_timespec *timeout,
                    const uint64_t *mask, size_t size)
{
    uint64_t deadline;
    int error = mask && size != sizeof *mask ? -BM_EINVAL : bm_linux_deadline_of(timeout, &deadline);
    if (error)
        return error;
    uint64_t before = bm_linux_mask_begin(mask);
    return bm_linux_mask_end(mask, before, poll_until(descriptors, count, deadline));
}

enum { SELECT_MAX = 1024, WORDS = SELECT_MAX / 64 };

struct selection {
    struct bm_file_wait wait; // first
    int count;
    uint64_t *wanted[3]; // read, write, exceptional; NULL: none
    uint64_t found[3][WORDS];
    int ready; // bits in found; -1: a descriptor is not open
};

// The conditions of the three sets: an error or the end of a connection makes a descriptor both readable and
// writable.
static const short set_events[3] = {LINUX_POLLIN | LINUX_POLLERR | LINUX_POLLHUP,
                                    LINUX_POLLOUT | LINUX_POLLERR | LINUX_POLLHUP, LINUX_POLLPRI};

static bool any_selected(struct bm_file_wait *wait)
{
    struct selection *selection = (struct selection *)wait;
    __builtin_memset(selection->found, 0, sizeof selection->found);
    selection->ready = 0;
    for (int descriptor = 0; descriptor < selection->count; descriptor++) {
        int events = -1; // not asked yet
        uint64_t bit = 1ull << descriptor % 64;
        for (int i = 0; i < 3; i++) {
            if (!selection->wanted[i] || !(selection->wanted[i][descriptor / 64] & bit))
                continue;
            if (events == -1)
                events = bm_file_ask(wait, descriptor);
            if (events & LINUX_POLLNVAL) {
                selection->ready = -1;
                return true;
            }
            if (events & set_events[i]) {
                selection->found[i][descriptor / 64] |= bit;
                selection->ready++;
            }
        }
    }
    return selection->ready != 0;
}

static long select_until(int count, uint64_t *const sets[3], uint64_t deadline)
{
    if (count < 0)
        return -BM_EINVAL;
    struct selection selection = {.wait = wait_of(any_selected),
                                  .count = count < SELECT_MAX ? count : SELECT_MAX,
                                  .wanted = {sets[0], sets[1], sets[2]}};
    bm_file_wait(&selection.wait, deadline);
    if (selection.ready < 0)
        return -BM_EBADF;
    long result = found(selection.ready);
    for (int i = 0; i < 3 && result >= 0; i++)
        if (sets[i])
            __builtin_memcpy(sets[i], selection.found[i], (size_t)(selection.count + 63) / 64 * 8);
    return result;
}

long bm_linux_select(int count, uint64_t *readable, uint64_t *writable, uint64_t *exceptional,
                     const struct linux_timeval *timeout)
{
    uint64_t deadline;
    struct linux_timespec wanted = {0, 0};
    if (timeout)
        wanted = (struct linux_timespec){timeout->seconds + timeout->microseconds / 1000000,
                                         timeout->microseconds % 1000000 * 1000};
    int error = bm_linux_deadline_of(timeout ? &wanted : NULL, &deadline);
    if (error)
        return error;
    return bm_linux_mask_end(
        NULL, 0, select_until(count, (uint64_t *const[]){readable, writable, exceptional}, deadline));
}

long bm_linux_pselect6(int count, uint64_t *readable, uint64_t *writable, uint64_t *exceptional,
                       const struct linux_timespec *timeout, const struct bm_linux_mask *mask)
{
    uint64_t deadline;
    const uint64_t *set = mask ? mask->set : NULL;
    int error = set && mask->size != sizeof *set ? -BM_EINVAL : bm_linux_deadline_of(timeout, &deadline);
    if (error)
        return error;
    uint64_t before = bm_linux_mask_begin(set);
    return bm_linux_mask_end(
        set, before, select_until(count, (uint64_t *const[]){readable, writable, exceptional}, deadline));
}
