// Sets of descriptors, for lwip_select, which is compiled and never linked.
// SPDX-License-Identifier: MIT
#pragma once

#define FD_SETSIZE 1024

typedef struct {
    unsigned long words[FD_SETSIZE / 64];
} fd_set;

#define FD_SET(number, set)   ((void)((set)->words[(number) / 64] |= 1ul << (number) % 64))
#define FD_CLR(number, set)   ((void)((set)->words[(number) / 64] &= ~(1ul << (number) % 64)))
#define FD_ISSET(number, set) (((set)->words[(number) / 64] >> (number) % 64 & 1) != 0)
#define FD_ZERO(set)          ((void)(*(set) = (fd_set){{0}}))
