// Sockets in the descriptor table: read, write, poll, ioctl, close.
// SPDX-License-Identifier: MIT
#include "file.h"
#include "hooks.h"
#include "socket.h"

#include <baremetal/error.h>

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

static struct bm_socket_message message_of(const struct bm_file_piece *pieces, int count)
{
    return (struct bm_socket_message){.pieces = (struct bm_file_piece *)(uintptr_t)pieces,
                                      .count = (size_t)count};
}

static long socket_readv(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    struct bm_socket_message message = message_of(pieces, count);
    return bm_socket_receive_message(socket_of(file), &message, 0);
}

static long socket_writev(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    const struct bm_socket_message message = message_of(pieces, count);
    return bm_socket_send_message(socket_of(file), &message, 0);
}

static int socket_stat(struct bm_file *file, struct bm_file_status *status)
{
    (void)file;
    status->mode = BM_FILE_SOCKET | 0600;
    return 0;
}

static int socket_control(struct bm_file *file, unsigned long request, void *argument)
{
    if (request != FIONREAD)
        return -BM_ENOTTY;
    *(int *)argument = bm_socket_available(socket_of(file));
    return 0;
}

static int socket_set_flags(struct bm_file *file, int flags)
{
    return bm_socket_set_nonblocking(socket_of(file), (flags & BM_O_NONBLOCK) != 0);
}

static struct bm_file_watchers *socket_watchers(struct bm_file *file)
{
    return &socket_of(file)->watchers;
}

static int socket_close(struct bm_file *file)
{
    return bm_socket_close(socket_of(file));
}

static const struct bm_file_ops socket_ops = {
    .read = socket_read,
    .write = socket_write,
    .readv = socket_readv,
    .writev = socket_writev,
    .stat = socket_stat,
    .control = socket_control,
    .set_flags = socket_set_flags,
    .poll = bm_socket_events,
    .close = socket_close,
    .socket = &bm_net_socket_ops,
    .watchers = socket_watchers,
};

struct bm_file *bm_socket_file(struct bm_socket *socket)
{
    socket->file.ops = &socket_ops;
    socket->file.flags = BM_O_RDWR | (socket->nonblocking ? BM_O_NONBLOCK : 0);
    return &socket->file;
}

int bm_socket_install(struct bm_socket *socket)
{
    int descriptor = bm_file_install(bm_socket_file(socket), 0);
    if (descriptor < 0)
        bm_socket_close(socket);
    return descriptor;
}

int bm_socket_acquire(int descriptor, struct bm_socket **socket)
{
    struct bm_file *file = bm_file_acquire(descriptor);
    if (!file)
        return -BM_EBADF;
    if (file->ops != &socket_ops) {
        bm_file_release(file);
        return -BM_ENOTSOCK;
    }
    *socket = socket_of(file);
    return 0;
}

void bm_socket_release(struct bm_socket *socket)
{
    bm_file_release(&socket->file);
}
