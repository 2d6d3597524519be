// What of sockets is another in programs with baremetal::net, whose net/linux has the same names.
// SPDX-License-Identifier: MIT
// @optimize size
//
// Weak, since a program that has both by way of syscall() is to take those.
#include "linux.h"

#include <baremetal/local.h>
#include <baremetal/log.h>
#include <baremetal/socket_ops.h>
#include <baremetal/vsock.h>

#define WEAK __attribute__((weak))

extern __typeof__(bm_vsock_socket) bm_vsock_socket WEAK; // where the driver is

WEAK long bm_linux_socket(int family, int type, int protocol)
{
    enum { TYPE = 15, TYPES = 11 }; // without flags
    static bool told;
    if ((type & TYPE) >= TYPES)
        return -BM_EINVAL;
    if (family == BM_AF_UNIX)
        return bm_local_socket(type, protocol);
    if (family == BM_AF_VSOCK && bm_vsock_socket)
        return bm_vsock_socket(type, protocol);
    if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        bm_log_warn("linux", "the program called socket, which needs baremetal::net");
    return -BM_EAFNOSUPPORT;
}

WEAK bool bm_linux_name_server(unsigned index, char *text, size_t size)
{
    (void)index, (void)text, (void)size;
    return false;
}
