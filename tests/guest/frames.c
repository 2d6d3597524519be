// The frame allocator: blocks are aligned and disjoint, come back when freed; the impossible gives NULL.
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

int main(void)
{
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
