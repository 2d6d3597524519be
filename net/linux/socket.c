// The network's sockets under musl: what the calls of libbaremetal/linux/socket.c find in their files.
// SPDX-License-Identifier: MIT
#include "../lwip/refused.h"
#include "../socket/file.h"
#include "../socket/hooks.h"
#include "file/credentials.h"
#include "linux/calls.h"
#include "linux/netlink.h"

#include <baremetal/error.h>
#include <baremetal/local.h>
#include <baremetal/socket.h>
#include <baremetal/vsock.h>

static struct bm_socket *socket_of(struct bm_file *file)
{
    return (struct bm_socket *)file; // its first member
}

static int socket_bind(struct bm_file *file, const void *address, uint32_t size)
{
    return bm_socket_bind(socket_of(file), address, size);
}

static int socket_listen(struct bm_file *file, int backlog)
{
    return bm_socket_listen(socket_of(file), backlog);
}

static int socket_accept(struct bm_file *file, void *address, uint32_t *size, int flags,
                         struct bm_file **accepted)
{
    struct bm_socket *made;
    int error = bm_socket_accept(socket_of(file), address, size, flags, &made);
    if (!error)
        *accepted = bm_socket_file(made);
    return error;
}

static int socket_connect(struct bm_file *file, const void *address, uint32_t size)
{
    return bm_socket_connect(socket_of(file), address, size);
}

static long socket_send(struct bm_file *file, const void *data, size_t size, int flags, const void *address,
                        uint32_t address_size)
{
    return bm_socket_send(socket_of(file), data, size, flags, address, address_size);
}

static long socket_receive(struct bm_file *file, void *buffer, size_t size, int flags, void *address,
                           uint32_t *address_size)
{
    return bm_socket_receive(socket_of(file), buffer, size, flags, address, address_size);
}

static long socket_send_message(struct bm_file *file, const struct bm_socket_message *message, int flags)
{
    return bm_socket_send_message(socket_of(file), message, flags);
}

static long socket_receive_message(struct bm_file *file, struct bm_socket_message *message, int flags)
{
    return bm_socket_receive_message(socket_of(file), message, flags);
}

static int socket_shutdown(struct bm_file *file, int how)
{
    return bm_socket_shutdown(socket_of(file), how);
}

static int socket_name(struct bm_file *file, void *address, uint32_t *size)
{
    return bm_socket_name(socket_of(file), address, size);
}

static int socket_peer(struct bm_file *file, void *address, uint32_t *size)
{
    return bm_socket_peer(socket_of(file), address, size);
}

static int option_get(struct bm_file *file, int level, int option, void *value, uint32_t *size)
{
    return bm_socket_option_get(socket_of(file), level, option, value, size);
}

static int option_set(struct bm_file *file, int level, int option, const void *value, uint32_t size)
{
    return bm_socket_option_set(socket_of(file), level, option, value, size);
}

const struct bm_socket_ops bm_net_socket_ops = {.bind = socket_bind,
                                                .listen = socket_listen,
                                                .accept = socket_accept,
                                                .connect = socket_connect,
                                                .send = socket_send,
                                                .receive = socket_receive,
                                                .send_message = socket_send_message,
                                                .receive_message = socket_receive_message,
                                                .shutdown = socket_shutdown,
                                                .name = socket_name,
                                                .peer = socket_peer,
                                                .option_get = option_get,
                                                .option_set = option_set};

// So that a refused datagram is an error of its socket.
static const char *const refused_needed __attribute__((used)) = &bm_net_refused_linked;

// What ioctl asks on any socket has to be in every image that makes one.
extern const char bm_net_interface_linked;
static const char *const interfaces __attribute__((used)) = &bm_net_interface_linked;

// Linked by who needs it (netlink.c).
extern long bm_linux_netlink(int type, int protocol) __attribute__((weak));
extern __typeof__(bm_vsock_socket) bm_vsock_socket __attribute__((weak)); // where the driver is

long bm_linux_socket(int family, int type, int protocol)
{
    enum { TYPE = 15, TYPES = 11 }; // without flags
    struct bm_socket *made;
    if ((type & TYPE) >= TYPES)
        return -BM_EINVAL;
    if (family == BM_AF_UNIX)
        return bm_local_socket(type, protocol);
    if (family == BM_AF_NETLINK && bm_linux_netlink)
        return bm_linux_netlink(type, protocol);
    if (family == BM_AF_VSOCK && bm_vsock_socket)
        return bm_vsock_socket(type, protocol);
    if ((type & TYPE) == BM_SOCK_RAW && !bm_may(BM_CAP_NET_RAW))
        return -BM_EPERM;
    int result = bm_socket_open(family, type, protocol, &made);
    if (result)
        return result;
    result = bm_socket_install(made);
    if (result >= 0 && type & BM_SOCK_CLOEXEC)
        bm_file_set_cloexec(result, true);
    return result;
}
