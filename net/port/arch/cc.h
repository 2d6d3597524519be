// What lwIP asks of the compiler and the C library.
// SPDX-License-Identifier: MIT
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif
#define LWIP_NO_UNISTD_H      1
#define LWIP_NO_CTYPE_H       1
#define LWIP_ERRNO_STDINCLUDE 1

#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)
#ifndef htons // as in <netinet/in.h>; nd6.c uses one of them
#define htons(x) __builtin_bswap16(x)
#define ntohs(x) __builtin_bswap16(x)
#define htonl(x) __builtin_bswap32(x)
#define ntohl(x) __builtin_bswap32(x)
#endif

// lwIP never prints; in the checked build, a broken invariant that it names ends the machine (lwipopts.h).
#define LWIP_PLATFORM_DIAG(x) ((void)0)

uint32_t bm_net_random(void);
void *bm_net_allocate(size_t size);
void *bm_net_allocate_zeroed(size_t count, size_t size);
void bm_net_free(void *memory);
uint16_t bm_net_checksum_sum(const void *data, int length);
