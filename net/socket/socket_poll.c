// What a socket has to say: its events, what waits in it, whether its calls wait, why they fail.
// SPDX-License-Identifier: MIT
#include "../lwip/error.h"
#include "../lwip/refused.h"
#include "../lwip/socket_state.h"
#include "socket.h"
#include "wait/hooks.h"

#include <baremetal/error.h>
#include <baremetal/wait.h>

#include "lwip/sockets.h"

int bm_socket_events(struct bm_file *file)
{
    const struct bm_socket *socket = (const struct bm_socket *)file; // its first member
    const unsigned state = bm_net_socket_state(socket->number);
    const bool ended = socket->ended || state & BM_NET_SOCKET_ENDED;
    int events = 0;
    if (state & BM_NET_SOCKET_READABLE || ended || socket->shut_read)
        events |= BM_POLLIN;
    if (state & BM_NET_SOCKET_WRITABLE && !socket->listening)
        events |= BM_POLLOUT;
    if (ended)
        events |= BM_POLLRDHUP;
    if (state & BM_NET_SOCKET_FAILED)
        events |= BM_POLLERR | (socket->type == BM_SOCK_STREAM ? BM_POLLHUP : 0);
    if ((ended || socket->shut_read) && socket->shut_write)
        events |= BM_POLLHUP;
    return events;
}

struct question {
    struct bm_file_watcher watcher; // first
    struct bm_socket *socket;
    unsigned context;
    int wanted, found;
};

static bool changed(struct bm_file_watcher *watcher, int events)
{
    (void)events;
    bm_context_wake(((struct question *)watcher)->context);
    return true;
}

static bool is_answered(void *arg)
{
    struct question *question = arg;
    question->found = bm_socket_events(&question->socket->file) & question->wanted;
    return question->found != 0;
}

static struct question question_of(struct bm_socket *socket, int events)
{
    return (struct question){.watcher = {.changed = changed},
                             .socket = socket,
                             .context = bm_context_id(),
                             .wanted = events | BM_POLLERR | BM_POLLHUP};
}

int bm_socket_await(struct bm_socket *socket, int events, uint64_t deadline)
{
    if (deadline == 0)
        return -BM_EAGAIN;
    struct question question = question_of(socket, events);
    bm_file_watch(&socket->watchers, &question.watcher);
    int error = bm_wait_signal(NULL, is_answered, &question, deadline);
    bm_file_unwatch(&question.watcher);
    return error;
}

int bm_socket_poll(struct bm_socket *socket, int events, uint64_t deadline)
{
    BM_SOCKET_ASSERT(socket);
    struct question question = question_of(socket, events);
    bm_poll(); // a program that always finds something ready must not keep the devices from being served
    if (is_answered(&question) || deadline == 0)
        return question.found;
    bm_file_watch(&socket->watchers, &question.watcher);
    bm_wait_woken(is_answered, &question, deadline);
    bm_file_unwatch(&question.watcher);
    return question.found;
}

int bm_socket_available(struct bm_socket *socket)
{
    BM_SOCKET_ASSERT(socket);
    int bytes = 0;
    return lwip_ioctl(socket->number, FIONREAD, &bytes) == 0 ? bytes : 0;
}

int bm_socket_set_nonblocking(struct bm_socket *socket, bool on)
{
    BM_SOCKET_ASSERT(socket);
    socket->nonblocking = on;
    return 0;
}

// lwIP has one number for a reset and a refusal, one for a time-out and an abort, and tells only that there
// is no connection.
int bm_socket_error(const struct bm_socket *socket, int error)
{
    if (bm_net_refused_told && socket->type == BM_SOCK_DGRAM && error == BM_ECONNRESET) {
        bm_net_refused_told(socket->number);
        return BM_ECONNREFUSED;
    }
    if (socket->connecting && error == BM_ECONNRESET)
        return BM_ECONNREFUSED;
    if (error == BM_ECONNABORTED && socket->broken_off)
        return BM_ECONNRESET;
    if (error == BM_ECONNABORTED)
        return BM_ETIMEDOUT;
    if (error == BM_EHOSTUNREACH)
        return BM_ENETUNREACH;
    if (error == BM_EIO)
        return BM_EINVAL;
    return error > 0 ? error : BM_ENETDOWN;
}

int bm_socket_failure(const struct bm_socket *socket)
{
    return -bm_socket_error(socket, bm_net_error());
}
