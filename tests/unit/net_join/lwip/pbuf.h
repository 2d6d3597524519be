// Stand-in for lwIP: as much of its buffers and interfaces as net/join.c uses.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

typedef int8_t err_t;
typedef uint16_t u16_t;

struct pbuf {
    struct pbuf *next;
    void *payload;
    u16_t tot_len, len;
};

u16_t pbuf_clen(const struct pbuf *frame);
