// Memory above 4 GiB is in the allocator and can be written and read; addresses translate both ways.
// SPDX-License-Identifier: MIT
// @variants picolibc
// @memory 6G
// @timeout 60

#include <baremetal/memory.h>
#include <stdint.h>

#include "check.h"

enum { ORDER = 14, BLOCKS_MAX = 4096 }; // 64 MiB each

static void *blocks[BLOCKS_MAX];

static void check_block(unsigned char *block, unsigned long size)
{
    for (unsigned long offset = 0; offset < size; offset += 1 << 20) {
        block[offset] = (unsigned char)(offset >> 20);
    }
    for (unsigned long offset = 0; offset < size; offset += 1 << 20) {
        CHECK(block[offset] == (unsigned char)(offset >> 20));
    }
}

int main(void)
{
    unsigned long size = BM_PAGE_SIZE << ORDER;
    puts("start"); // the C library has its buffers now
    struct bm_memory_statistics before = bm_memory_statistics_get();
    printf("total %lu MiB\n", (unsigned long)(before.total >> 20));
    CHECK(before.total > 5900ul << 20);
    CHECK(before.total <= 6144ul << 20);
    unsigned count = 0, high = 0;
    while (count < BLOCKS_MAX && (blocks[count] = bm_frame_allocate(ORDER)) != NULL) {
        uint64_t physical = bm_memory_physical(blocks[count]);
        CHECK(physical != BM_PHYSICAL_NONE);
        CHECK(physical % size == 0);
        CHECK(bm_memory_direct(physical) == blocks[count]);
        if (physical >= 4ul << 30) {
            high++;
            check_block(blocks[count], size);
        }
        count++;
    }
    printf("%u blocks, %u of them above 4 GiB\n", count, high);
    CHECK(count < BLOCKS_MAX);
    CHECK(high >= 40);
    CHECK(count >= 88);
    for (unsigned i = 0; i < count; i++) {
        bm_frame_free(blocks[i], ORDER);
    }
    CHECK(bm_memory_statistics_get().free == before.free);
    void *low = bm_frame_allocate_below(0, 32);
    CHECK(low != NULL);
    CHECK(bm_memory_physical(low) < 4ul << 30);
    bm_frame_free(low, 0);
    return passed();
}
