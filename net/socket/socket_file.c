// Sockets in the descriptor table: read, write, poll, ioctl, close.
// SPDX-License-Identifier: MIT
#include "../device/device.h"
#include "../lwip/error.h"
#include "../lwip/memory.h"
#include "../lwip/socket_state.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lwip/sockets.h"

static struct bm_socket *socket_of(struct bm_file *file)
{
    return (struct bm_socket *)file; // its first member
}

static long socket_read(struct bm_file *file, void *buffer, size_t size)
{
    return bm_socket_receive(socket_of(file), buffer, size, 0, NULL, NULL);
}

static long socket_write(struct bm_file *file, const void *data, size_t size)
{
    return bm_socket_send(socket_of(file), data, size, 0, NULL, 0);
}

static long socket_readv(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)count};
    return bm_socket_receive_message(socket_of(file), &message, 0);
}

static long socket_writev(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)count};
    return bm_socket_send_message(socket_of(file), &message, 0);
}

static int socket_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = BM_FILE_SOCKET | 0600;
    return 0;
}

static int set_nonblocking(struct bm_socket *socket, int on)
{
    return lwip_ioctl(socket->number, FIONBIO, &on) == 0 ? 0 : -bm_net_error();
}

static int socket_control(struct bm_file *file, unsigned long request, void *argument)
{
    struct bm_socket *socket = socket_of(file);
    if (request == FIONBIO) {
        int on = *(int *)argument != 0;
        file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK;
        return set_nonblocking(socket, on);
    }
    if (request == FIONREAD)
        return lwip_ioctl(socket->number, FIONREAD, argument) == 0 ? 0 : -bm_net_error();
    return -ENOTTY;
}

static int socket_set_flags(struct bm_file *file, int flags)
{
    return set_nonblocking(socket_of(file), (flags & O_NONBLOCK) != 0);
}

static int socket_poll(struct bm_file *file)
{
    const struct bm_socket *socket = socket_of(file);
    const unsigned state = bm_net_socket_state(socket->number);
    int events = 0;
    if (state & BM_NET_SOCKET_READABLE || socket->ended)
        events |= POLLIN;
    if (state & BM_NET_SOCKET_WRITABLE && !socket->listening)
        events |= POLLOUT;
    if (state & BM_NET_SOCKET_FAILED)
        events |= POLLERR | POLLHUP;
    if (socket->ended && socket->shut_write)
        events |= POLLHUP;
    return events;
}

static int socket_close(struct bm_file *file)
{
    struct bm_socket *socket = socket_of(file);
    // A linger of 0 means a reset, in Linux and the BSDs; lwIP does it only when something is unsent.
    if (socket->type == SOCK_STREAM && !socket->listening && bm_net_socket_is_unlingering(socket->number)) {
        bm_net_lock();
        bm_net_socket_reset(socket->number);
        bm_net_unlock();
    }
    int result = lwip_close(socket->number) == 0 ? 0 : -bm_net_error();
    bm_net_free(socket);
    return result;
}

static const struct bm_file_ops socket_ops = {
    .read = socket_read,
    .write = socket_write,
    .readv = socket_readv,
    .writev = socket_writev,
    .stat = socket_stat,
    .control = socket_control,
    .set_flags = socket_set_flags,
    .poll = socket_poll,
    .close = socket_close,
};

int bm_socket_install(int number, int family, int type, int protocol, bool nonblocking)
{
    struct bm_socket *socket = bm_net_allocate_zeroed(1, sizeof *socket);
    int descriptor = -ENOMEM;
    if (socket) {
        socket->file.ops = &socket_ops;
        socket->file.flags = O_RDWR | (nonblocking ? O_NONBLOCK : 0);
        socket->number = number;
        socket->family = family;
        socket->type = type;
        socket->protocol = protocol;
        if (nonblocking)
            set_nonblocking(socket, 1);
        descriptor = bm_file_install(&socket->file, 0);
    }
    if (descriptor < 0) {
        bm_net_free(socket);
        lwip_close(number);
        errno = -descriptor;
        return -1;
    }
    return descriptor;
}

struct bm_socket *bm_socket_acquire(int descriptor)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    if (!file) {
        errno = EBADF;
        return NULL;
    }
    if (file->ops != &socket_ops) {
        bm_file_release(file);
        errno = ENOTSOCK;
        return NULL;
    }
    return socket_of(file);
}

void bm_socket_release(struct bm_socket *socket)
{
    bm_file_release(&socket->file);
}

long bm_socket_result(long result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

// lwIP has one number for a reset and a refusal, one for a time-out and an abort, and tells only that there
// is no connection.
int bm_socket_error(const struct bm_socket *socket, int error)
{
    if (socket->connecting && error == ECONNRESET)
        return ECONNREFUSED;
    if (error == ECONNABORTED)
        return socket->connecting ? ETIMEDOUT : ECONNRESET;
    if (error == EHOSTUNREACH)
        return ENETUNREACH;
    if (error == EIO)
        return EINVAL;
    return error > 0 ? error : ENETDOWN;
}
