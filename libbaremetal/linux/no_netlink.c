// AF_NETLINK where there is no network: net/linux has the same name.
// SPDX-License-Identifier: MIT
// @optimize size
#include "netlink.h"

#include <baremetal/error.h>

__attribute__((weak)) long bm_linux_netlink(int type, int protocol)
{
    (void)type, (void)protocol;
    return -BM_EAFNOSUPPORT;
}
