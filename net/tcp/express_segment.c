// Segments of TCP with their buffers: the last ones that were acknowledged wait for the next data.
// SPDX-License-Identifier: MIT
// @optimize speed
#include "express.h"

#include "../lwip/memory.h"

#include "lwip/memp.h"
#include <baremetal/compiler.h>

enum {
    SPARE_MAX = 8,
    HEADROOM = LWIP_MEM_ALIGN_SIZE(PBUF_TRANSPORT) + LWIP_MEM_ALIGN_SIZE(sizeof(struct pbuf))
};

static struct tcp_seg *spare[SPARE_MAX];
static unsigned spares;

static u16_t room_of(struct pbuf *buffer)
{
    size_t size = bm_net_memory_size(buffer);
    return size > HEADROOM ? (u16_t)(size - HEADROOM) : 0;
}

static void buffer_reset(struct pbuf *buffer, u16_t length)
{
    *buffer = (struct pbuf){.payload = (u8_t *)buffer + HEADROOM,
                            .tot_len = length,
                            .len = length,
                            .type_internal = (u8_t)PBUF_RAM,
                            .ref = 1};
}

BM_HOT struct tcp_seg *bm_net_segment_take(u16_t length)
{
    struct tcp_seg *segment = spares ? spare[spares - 1] : NULL;
    // Data as long as the last one fits, without a look at the memory.
    if (segment && (length <= segment->len || length <= room_of(segment->p))) {
        spares--;
        buffer_reset(segment->p, length);
        return segment;
    }
    segment = memp_malloc(MEMP_TCP_SEG);
    struct pbuf *buffer = segment ? pbuf_alloc(PBUF_TRANSPORT, length, PBUF_RAM) : NULL;
    if (!buffer) {
        memp_free(MEMP_TCP_SEG, segment);
        return NULL;
    }
    segment->p = buffer;
    return segment;
}

BM_HOT void bm_net_segment_give(struct tcp_seg *segment)
{
    struct pbuf *buffer = segment->p;
    // One that the device still reads, or that somebody else made, goes the common way.
    if (spares < SPARE_MAX && buffer->ref == 1 && !buffer->next && buffer->type_internal == (u8_t)PBUF_RAM &&
        !(buffer->flags & PBUF_FLAG_IS_CUSTOM))
        spare[spares++] = segment;
    else
        tcp_seg_free(segment);
}
