// What a Linux program maps comes out of the balloon when other memory has ended, page by page as it is
// touched, and at once.
// SPDX-License-Identifier: MIT
// @variants musl
// @link virtio_balloon virtio_legacy
// @script virtio_balloon.py

#include <baremetal/balloon.h>
#include <baremetal/memory.h>
#include <baremetal/wait.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"

static const uint64_t mib = 1 << 20, reserve = 24 << 20;

static bool is_at_reserve(void *arg)
{
    (void)arg;
    return bm_balloon_state_get().wanted > 100 * mib &&
           bm_memory_statistics_get().free < reserve + 2 * BM_PAGE_SIZE;
}

static bool is_empty(void *arg)
{
    (void)arg;
    return bm_balloon_state_get().wanted == 0;
}

static void map(size_t size, int flags)
{
    unsigned char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t i = 0; i < size; i += BM_PAGE_SIZE)
        memset(memory + i, (int)(i / BM_PAGE_SIZE), BM_PAGE_SIZE);
    for (size_t i = 0; i < size; i += BM_PAGE_SIZE)
        CHECK(memory[i] == (unsigned char)(i / BM_PAGE_SIZE) && memory[i + 4095] == memory[i]);
    CHECK(munmap(memory, size) == 0);
}

int main(void)
{
    bm_balloon_reserve_set(reserve);
    puts("ready");
    CHECK(bm_wait_until(is_at_reserve, NULL, UINT64_MAX));
    size_t free = bm_memory_statistics_get().free, held = bm_balloon_state_get().held;
    char line[8];
    puts("at the reserve");
    CHECK(fgets(line, sizeof line, stdin) != NULL); // the host has asked for the balloon's size
    CHECK(held > 40 * mib);
    map(free + 20 * mib, 0);
    CHECK(bm_balloon_state_get().returned >= 19 * mib);
    map(free + 36 * mib, MAP_POPULATE);
    CHECK(bm_balloon_state_get().returned >= 35 * mib);
    puts("taken: more");
    CHECK(bm_wait_until(is_empty, NULL, UINT64_MAX));
    return passed();
}
