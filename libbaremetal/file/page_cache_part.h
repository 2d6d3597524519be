// What is in the page cache, for its own files.
// SPDX-License-Identifier: MIT
#pragma once

#include "service.h"

#include <baremetal/page_cache.h>

enum bm_page_state { BM_PAGE_LOADING, BM_PAGE_READY, BM_PAGE_FAILED };

struct bm_cached_page {
    struct bm_cached_page *chain, *older, *newer;
    uint64_t number, index; // of the file, in it
    void *data;
    uint32_t references;
    bool in_table;
    BM_ATOMIC(uint32_t) state;
    BM_ATOMIC(uint64_t) cores[4]; // that wait for it
};

// All of these under the cache's lock.
struct bm_cached_page *bm_page_cache_find(const struct bm_page_cache *cache, uint64_t number, uint64_t index);
// Takes a page out of the table; it goes with its last reference.
void bm_page_cache_forget(struct bm_page_cache *cache, struct bm_cached_page *page);
// A reference more, and one less.
void bm_page_cache_hold(struct bm_page_cache *cache, struct bm_cached_page *page);
void bm_page_cache_drop(struct bm_page_cache *cache, struct bm_cached_page *page);
// Without it: waits until a page that is held is no longer being read.
void bm_page_cache_wait(struct bm_cached_page *page);
