// AF_NETLINK for those who link it.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stddef.h>

// socket(AF_NETLINK, type, protocol), of net/linux/netlink.c, or of no_netlink.c where there is no network.
// Who names it links it, and then the call has it, too. Returns a descriptor or a negative error.
long bm_linux_netlink(int type, int protocol);

// Where such sockets are linked: if the file is one, at most 4000 bytes wait in it to be received. Whether it
// is one. Does not wait.
struct bm_file;
bool bm_net_netlink_tell(struct bm_file *file, const void *bytes, size_t size) __attribute__((weak));
