// Error numbers, for lwIP's sockets. There is no variable: what lwIP would leave in it is kept by
// lwip/error.c.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/error.h>

#define ENXIO         BM_ENXIO
#define EIO           BM_EIO
#define EBADF         BM_EBADF
#define EAGAIN        BM_EAGAIN
#define EWOULDBLOCK   BM_EAGAIN
#define ENOMEM        BM_ENOMEM
#define EFAULT        BM_EFAULT
#define EBUSY         BM_EBUSY
#define ENODEV        BM_ENODEV
#define EINVAL        BM_EINVAL
#define ENFILE        BM_ENFILE
#define ENOSPC        BM_ENOSPC
#define EDOM          BM_EDOM
#define ERANGE        BM_ERANGE
#define ENOSYS        BM_ENOSYS
#define EMSGSIZE      BM_EMSGSIZE
#define ENOPROTOOPT   BM_ENOPROTOOPT
#define EOPNOTSUPP    BM_EOPNOTSUPP
#define EAFNOSUPPORT  BM_EAFNOSUPPORT
#define EADDRINUSE    BM_EADDRINUSE
#define EADDRNOTAVAIL BM_EADDRNOTAVAIL
#define ECONNABORTED  BM_ECONNABORTED
#define ECONNRESET    BM_ECONNRESET
#define ENOBUFS       BM_ENOBUFS
#define EISCONN       BM_EISCONN
#define ENOTCONN      BM_ENOTCONN
#define EHOSTUNREACH  BM_EHOSTUNREACH
#define EALREADY      BM_EALREADY
#define EINPROGRESS   BM_EINPROGRESS

void bm_net_error_set(int error);
#define set_errno(error) ((error) ? bm_net_error_set(error) : (void)0)
