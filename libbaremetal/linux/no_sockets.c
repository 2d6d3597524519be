// Calls of sockets in programs without baremetal::net, whose net/linux has the same names.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Weak, since a program that has both by way of syscall() is to take those.
#include "linux.h"

#include <baremetal/log.h>

#define WEAK __attribute__((weak))

WEAK long bm_linux_socket(int family, int type, int protocol)
{
    static bool told;
    (void)family, (void)type, (void)protocol;
    if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        bm_log_warn("linux", "the program called socket, which needs baremetal::net");
    return -BM_EAFNOSUPPORT;
}

// There is no socket, so what the descriptor names is none.
static long no_socket(int descriptor)
{
    struct bm_file *file = bm_linux_file(descriptor, -1);
    return file ? bm_linux_finish(file, -BM_ENOTSOCK) : -BM_EBADF;
}

WEAK long bm_linux_bind(int descriptor, const void *address, unsigned size)
{
    (void)address, (void)size;
    return no_socket(descriptor);
}

WEAK long bm_linux_listen(int descriptor, int backlog)
{
    (void)backlog;
    return no_socket(descriptor);
}

WEAK long bm_linux_accept4(int descriptor, void *address, unsigned *size, int flags)
{
    (void)address, (void)size, (void)flags;
    return no_socket(descriptor);
}

WEAK long bm_linux_accept(int descriptor, void *address, unsigned *size)
{
    (void)address, (void)size;
    return no_socket(descriptor);
}

WEAK long bm_linux_connect(int descriptor, const void *address, unsigned size)
{
    (void)address, (void)size;
    return no_socket(descriptor);
}

WEAK long bm_linux_sendto(int descriptor, const void *data, size_t size, int flags, const void *address,
                          unsigned address_size)
{
    (void)data, (void)size, (void)flags, (void)address, (void)address_size;
    return no_socket(descriptor);
}

WEAK long bm_linux_recvfrom(int descriptor, void *buffer, size_t size, int flags, void *address,
                            unsigned *address_size)
{
    (void)buffer, (void)size, (void)flags, (void)address, (void)address_size;
    return no_socket(descriptor);
}

WEAK long bm_linux_sendmsg(int descriptor, const void *message, int flags)
{
    (void)message, (void)flags;
    return no_socket(descriptor);
}

WEAK long bm_linux_recvmsg(int descriptor, void *message, int flags)
{
    (void)message, (void)flags;
    return no_socket(descriptor);
}

WEAK long bm_linux_sendmmsg(int descriptor, void *messages, unsigned count, unsigned flags)
{
    (void)messages, (void)count, (void)flags;
    return no_socket(descriptor);
}

WEAK long bm_linux_recvmmsg(int descriptor, void *messages, unsigned count, unsigned flags,
                            const struct linux_timespec *timeout)
{
    (void)messages, (void)count, (void)flags, (void)timeout;
    return no_socket(descriptor);
}

WEAK long bm_linux_shutdown(int descriptor, int how)
{
    (void)how;
    return no_socket(descriptor);
}

WEAK long bm_linux_getsockname(int descriptor, void *address, unsigned *size)
{
    (void)address, (void)size;
    return no_socket(descriptor);
}

WEAK long bm_linux_getpeername(int descriptor, void *address, unsigned *size)
{
    (void)address, (void)size;
    return no_socket(descriptor);
}

WEAK long bm_linux_getsockopt(int descriptor, int level, int option, void *value, unsigned *size)
{
    (void)level, (void)option, (void)value, (void)size;
    return no_socket(descriptor);
}

WEAK long bm_linux_setsockopt(int descriptor, int level, int option, const void *value, unsigned size)
{
    (void)level, (void)option, (void)value, (void)size;
    return no_socket(descriptor);
}

WEAK bool bm_linux_name_server(unsigned index, char *text, size_t size)
{
    (void)index, (void)text, (void)size;
    return false;
}
