// The balloon: filled and emptied as the host says, down to the reserve; memory that ends comes back from it.
// SPDX-License-Identifier: MIT
// @variants newlib-checked picolibc
// @link virtio_balloon virtio_legacy
// @script virtio_balloon.py

#include <baremetal/balloon.h>
#include <baremetal/memory.h>
#include <baremetal/statistics.h>
#include <baremetal/wait.h>
#include <string.h>

#include "check.h"

static const uint64_t mib = 1 << 20, reserve = 24 << 20;

static bool is_full(void *arg)
{
    const struct bm_balloon_state state = bm_balloon_state_get();
    (void)arg;
    return state.wanted && state.held == state.wanted;
}

static bool is_empty(void *arg)
{
    const struct bm_balloon_state state = bm_balloon_state_get();
    (void)arg;
    return state.wanted == 0 && state.held == 0;
}

// The host wants more than there is: what is free goes down to the reserve. A message takes 256 pages at
// most.
static bool is_at_reserve(void *arg)
{
    (void)arg;
    return bm_balloon_state_get().wanted > 100 * mib &&
           bm_memory_statistics_get().free < reserve + 2 * BM_PAGE_SIZE;
}

// The last pages come back with the device's answer.
static bool is_free_again(void *bytes)
{
    return bm_memory_statistics_get().free == *(uint64_t *)bytes;
}

static void balloon_follows_the_host(void)
{
    printf("reserve: %u MiB\n", (unsigned)(reserve / mib)); // for which the C library may take memory
    uint64_t before = bm_memory_statistics_get().free;
    puts("ready");
    CHECK(bm_wait_until(is_full, NULL, UINT64_MAX));
    struct bm_balloon_state state = bm_balloon_state_get();
    uint64_t taken = before - bm_memory_statistics_get().free, sheets = state.held / 1021 + BM_PAGE_SIZE;
    CHECK(state.held == 40 * mib);
    CHECK(taken >= state.held && taken <= state.held + sheets);
    printf("full: %u MiB\n", (unsigned)(state.held / mib));
    CHECK(bm_wait_until(is_empty, NULL, UINT64_MAX));
    CHECK(bm_wait_until(is_free_again, &before, UINT64_MAX));
    puts("empty");
}

static void reserve_stays(void)
{
    CHECK(bm_wait_until(is_at_reserve, NULL, UINT64_MAX));
    CHECK(bm_memory_statistics_get().free >= reserve);
    CHECK(bm_balloon_state_get().returned == 0);
    char line[8];
    puts("at the reserve");
    CHECK(fgets(line, sizeof line, stdin) != NULL); // the host has asked for the balloon's size
}

// Takes all memory page by page. Each page is written, so that one that the host still has would show.
static uint64_t take_all(void)
{
    uint64_t count = 0, **last = NULL, **page;
    for (; (page = bm_frame_allocate(0)); last = page, count++) {
        memset(page, (int)count, BM_PAGE_SIZE);
        *page = (uint64_t *)(void *)last;
    }
    for (uint64_t i = count; last; i--) {
        uint64_t **next = (uint64_t **)(void *)*last;
        unsigned char *bytes = (unsigned char *)last;
        CHECK(bytes[8] == (unsigned char)(i - 1) && bytes[BM_PAGE_SIZE - 1] == (unsigned char)(i - 1));
        bm_frame_free(last, 0);
        last = next;
    }
    return count * BM_PAGE_SIZE;
}

static uint64_t statistic(const char *name, unsigned index)
{
    for (const struct bm_statistic *s = NULL; (s = bm_statistic_next(s));) {
        struct bm_statistic_value value = {.index = index};
        if (strcmp(s->name, name) == 0 && s->read(s, &value))
            return value.value;
    }
    CHECK(false);
    return 0;
}

int main(int argc, char **argv)
{
    bool gives = argc > 1 && strcmp(argv[1], "gives") == 0;
    bm_balloon_reserve_set(reserve);
    balloon_follows_the_host();
    reserve_stays();
    uint64_t held = bm_balloon_state_get().held, free = bm_memory_statistics_get().free, taken = take_all();
    struct bm_balloon_state state = bm_balloon_state_get();
    if (gives) {
        CHECK(taken >= free + held && state.returned >= held);
    } else {
        CHECK(taken <= free && state.returned == 0);
    }
    CHECK(statistic("balloon_bytes", 0) == state.wanted);
    CHECK(statistic("balloon_returned_bytes", 0) == state.returned);
    printf("taken: %s\n", gives ? "more" : "the rest");
    CHECK(bm_wait_until(is_empty, NULL, UINT64_MAX));
    return passed();
}
