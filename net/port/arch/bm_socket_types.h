// lwIP's socket layer with this project's POSIX types: socket addresses, options, messages.
// SPDX-License-Identifier: MIT
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lwip/err.h"
#include "lwip/inet.h"
#include "lwip/netif.h"

#define LWIP_SOCKET_HAVE_SA_LEN 0 // as Linux: no sa_len in addresses

typedef size_t msg_iovlen_t;
#ifndef IOV_MAX
#define IOV_MAX 1024
#endif
#ifndef IPTOS_TOS
#define IPTOS_TOS_MASK 0x1e
#define IPTOS_TOS(tos) ((tos)&IPTOS_TOS_MASK)
#endif

// Only lwip_select, which is never linked, asks for these.
#define LWIP_SELECT_MAXNFDS FD_SETSIZE
