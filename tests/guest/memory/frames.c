// The frame allocator: blocks are aligned and disjoint, come back when freed; the impossible gives NULL.
// Permanent memory shares pages; devices see what the processor sees.
// SPDX-License-Identifier: MIT

#include <baremetal/memory.h>
#include <stdint.h>

#include "check.h"

enum { COUNT = 600 };

static unsigned char *blocks[COUNT];

static unsigned order_of(unsigned i)
{
    return i % 5;
}

static void take(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        blocks[i] = bm_frame_allocate(order_of(i));
        CHECK(blocks[i] != NULL);
        CHECK((bm_memory_physical(blocks[i]) & ((BM_PAGE_SIZE << order_of(i)) - 1)) == 0);
        memset(blocks[i], (int)(i & 0xff), BM_PAGE_SIZE << order_of(i));
    }
}

static void verify(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned long last = (BM_PAGE_SIZE << order_of(i)) - 1;
        CHECK(blocks[i][0] == (i & 0xff));
        CHECK(blocks[i][last / 2] == (i & 0xff));
        CHECK(blocks[i][last] == (i & 0xff));
    }
}

static void permanent(void)
{
    enum { PIECES = 40, SIZE = 80 };
    uint64_t free_before = bm_memory_statistics_get().free;
    for (unsigned i = 0; i < PIECES; i++) {
        unsigned char *piece = bm_memory_permanent(SIZE, 16);
        CHECK(piece != NULL && (uintptr_t)piece % 16 == 0);
        for (unsigned k = 0; k < SIZE; k++)
            CHECK(piece[k] == 0);
        memset(piece, 0xff, SIZE);
    }
    CHECK(free_before - bm_memory_statistics_get().free <= BM_PAGE_SIZE);
    CHECK(bm_memory_permanent(1ul << 40, 8) == NULL);
}

// The pieces of a buffer of the heap, whose pages lie anywhere, are its bytes in their order.
static void device_addresses(void)
{
    static unsigned char image[3];
    enum { SIZE = 5 * BM_PAGE_SIZE, OFFSET = 100, MAX = 8 };
    struct bm_dma_segment segments[MAX];
    unsigned char *buffer = malloc(SIZE + OFFSET);
    CHECK(buffer != NULL);
    int count = bm_dma_segments(buffer + OFFSET, SIZE, segments, MAX);
    CHECK(count >= 1);
    unsigned char *at = buffer + OFFSET;
    for (int i = 0; i < count; i++) {
        for (uint32_t k = 0; k < segments[i].length; k++, at++)
            CHECK(bm_dma_address(at) == segments[i].address + k);
    }
    CHECK(at == buffer + OFFSET + SIZE);
    CHECK(bm_dma_segments(buffer, SIZE, segments, 0) < 0);
    CHECK(bm_dma_segments(image, sizeof image, segments, MAX) >= 1);
    CHECK(bm_dma_address(hidden(0x1000)) == BM_DMA_NONE);
    CHECK(bm_dma_segments(hidden(0x1000), 16, segments, MAX) < 0);
    free(buffer);
}

int main(void)
{
    permanent();
    device_addresses();
    uint64_t free_before = bm_memory_statistics_get().free;
    for (int round = 0; round < 3; round++) {
        take();
        verify();
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned other = (i * 7) % COUNT; // a different order than taken
            bm_frame_free(blocks[other], order_of(other));
            blocks[other] = NULL;
        }
        CHECK(bm_memory_statistics_get().free == free_before);
    }
    bm_frame_free(NULL, 0);
    CHECK(bm_frame_allocate(BM_FRAME_ORDER_MAX + 1) == NULL);
    CHECK(bm_frame_allocate(BM_FRAME_ORDER_MAX) == NULL); // 1 GiB of 64 MiB
    return passed();
}
