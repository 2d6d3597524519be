// Sockets over the virtio socket device: time that runs out, and who hears of a change.
// SPDX-License-Identifier: MIT
// @optimize size
#include "virtio_vsock.h"

#include <baremetal/time.h>

void bm_vsock_deadline_set(struct vsock *socket, uint64_t deadline)
{
    socket->deadline = deadline;
    if (deadline < bm_vsock.deadline)
        __atomic_store_n(&bm_vsock.deadline, deadline, __ATOMIC_RELAXED);
}

// A connection that did not come about, or a peer that does not answer the end.
static void time_out(struct vsock *socket)
{
    socket->deadline = UINT64_MAX;
    if (socket->state == VSOCK_CONNECTING || socket->state == VSOCK_CONNECTED) {
        bm_vsock_owe(socket, VSOCK_RESET);
        bm_vsock_end(socket, BM_ETIMEDOUT);
    }
}

struct vsock *bm_vsock_expire(void)
{
    uint64_t now = bm_time_monotonic(), first = UINT64_MAX;
    struct vsock *gone = NULL, **place = &bm_vsock.all;
    while (*place) {
        struct vsock *at = *place;
        if (at->deadline <= now)
            time_out(at);
        if (at->closed && at->state == VSOCK_ENDED && !at->owes) {
            *place = at->next;
            at->next = gone;
            gone = at;
            continue;
        }
        first = at->deadline < first ? at->deadline : first;
        place = &at->next;
    }
    __atomic_store_n(&bm_vsock.deadline, first, __ATOMIC_RELAXED);
    return gone;
}

void bm_vsock_changed(struct vsock *socket, int events)
{
    bm_waitqueue_wake_all(&socket->readers);
    if (events != BM_POLLIN)
        bm_waitqueue_wake_all(&socket->writers);
    bm_file_changed(&socket->watchers, events);
}

uint64_t bm_vsock_until(const struct vsock *socket, int flags, uint64_t time)
{
    if (flags & BM_MSG_DONTWAIT || socket->file.flags & BM_O_NONBLOCK)
        return 0;
    return time ? bm_time_monotonic() + time : UINT64_MAX;
}
