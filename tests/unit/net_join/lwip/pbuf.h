// Stand-in for lwIP: as much of its buffers as net/tcp/join.c uses.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef int8_t err_t;
typedef uint8_t u8_t;
typedef uint16_t u16_t;
typedef uint32_t u32_t;
enum { ERR_OK };

struct pbuf {
    struct pbuf *next;
    void *payload;
    u16_t tot_len, len;
    u8_t ref;
};

u16_t pbuf_clen(const struct pbuf *buffers);
void pbuf_ref(struct pbuf *buffers);
