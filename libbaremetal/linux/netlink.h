// AF_NETLINK for those who link it.
// SPDX-License-Identifier: MIT
#pragma once

// socket(AF_NETLINK, type, protocol), of net/linux/netlink.c, or of no_netlink.c where there is no network.
// Who names it links it, and then the call has it, too. Returns a descriptor or a negative error.
long bm_linux_netlink(int type, int protocol);
