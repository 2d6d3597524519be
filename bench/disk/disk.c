// Random reads of 4 KiB from a disk, so many at once: instructions between markers, requests a second.
// SPDX-License-Identifier: MIT
//
// Words: the disk's name, how many requests are under way, how many there are in all. The requests go to one
// queue, which is bound to this core.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <baremetal/block.h>

#include "../marker.h"

enum { BLOCK = 4096, DEPTH_MAX = 64, MARKER_BEGIN = 1, MARKER_END = 2 };

static struct {
    struct bm_block_request requests[DEPTH_MAX];
    struct bm_dma_segment segments[DEPTH_MAX];
    struct bm_blockdev *disk;
    struct bm_blockqueue *queue;
    uint64_t blocks, random;
    unsigned long started, done, wanted, failed;
} state;

static void start(struct bm_block_request *request)
{
    state.random = state.random * 6364136223846793005u + 1442695040888963407u;
    request->sector = (state.random >> 33) % state.blocks * request->count;
    state.started++;
    if (bm_block_submit(state.disk, state.queue, request))
        state.failed++;
}

// The next one goes in the place of each that is done.
static void on_done(struct bm_block_request *request)
{
    state.done++;
    state.failed += request->result != 0;
    if (state.started < state.wanted)
        start(request);
}

// Asked behind every batch of answers: what was submitted meanwhile is shown to the device at once.
static bool all_done(void *arg)
{
    (void)arg;
    bm_block_kick(state.queue);
    return state.done >= state.wanted || state.failed;
}

static double run(unsigned depth, unsigned long count)
{
    struct timespec begin, end;
    state.started = state.done = 0;
    state.wanted = count;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (unsigned i = 0; i < depth; i++)
        start(&state.requests[i]);
    bm_block_kick(state.queue);
    bm_wait_until(all_done, NULL, UINT64_MAX);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
}

int main(int argc, char **argv)
{
    unsigned depth = argc > 3 ? (unsigned)atoi(argv[2]) : 0;
    unsigned long count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    state.disk = argc > 3 ? bm_blockdev_find(argv[1]) : NULL;
    if (!state.disk || !depth || depth > DEPTH_MAX || count < depth) {
        fprintf(stderr, "disk: the words are a disk's name, 1 to %d requests at once, and how many in all\n",
                DEPTH_MAX);
        return EXIT_FAILURE;
    }
    state.queue = bm_blockdev_queue(state.disk, 0);
    state.blocks = state.disk->sectors * state.disk->sector_size / BLOCK;
    bm_blockqueue_bind(state.queue, 0); // of AHCI only where one port has a disk
    for (unsigned i = 0; i < depth; i++) {
        void *page = bm_frame_allocate(0);
        state.segments[i] = (struct bm_dma_segment){bm_dma_address(page), BLOCK};
        state.requests[i] = (struct bm_block_request){.operation = BM_BLOCK_READ,
                                                      .count = BLOCK / state.disk->sector_size,
                                                      .segments = &state.segments[i],
                                                      .segment_count = 1,
                                                      .done = on_done};
    }
    run(depth, count < 1000 ? count : 1000); // so that everything has happened once
    BM_MARKER(MARKER_BEGIN);
    double seconds = run(depth, count);
    BM_MARKER(MARKER_END);
    printf("disk %s: %u at once, %lu requests, %lu failed, %.0f a second\n", state.disk->name, depth,
           state.done, state.failed, (double)state.done / seconds);
    return state.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
