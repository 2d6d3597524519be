// Measures a disk: random blocks of 4 KiB, so many at once, then pieces of 128 KiB in sequence.
// SPDX-License-Identifier: MIT
//
//     qemu-system-x86_64 -kernel disk_bench -append "-- disk=nvme0n1" …
//         -drive if=none,id=d,file=disk.img,format=raw -device nvme,drive=d,serial=1
//
// Requests are asynchronous (<baremetal/block.h>): each that is done is sent again for another place, by its
// own `done`. A bar shows how far it is. With write=yes it writes, which destroys what is on the disk.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <baremetal/block.h>
#include <baremetal/time.h>

enum { BLOCK = 4096, PIECE = 128 * 1024, DEPTH_MAX = 32, BAR_WIDTH = 40, FRAMES_A_SECOND = 20 };

static struct {
    struct bm_blockdev *disk;
    struct bm_blockqueue *queue;
    bool writes, random;
    uint32_t count;  // sectors of a request
    uint64_t places; // where requests may begin, in steps of `count`
    uint64_t state, next;
    uint64_t started, done, wanted;
    int error;
    double drawn;
    struct bm_block_request requests[DEPTH_MAX];
    struct bm_dma_segment segments[DEPTH_MAX];
} job;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t next_place(void)
{
    if (!job.random)
        return job.next++ % job.places;
    job.state = job.state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (job.state >> 33) % job.places;
}

static void start(struct bm_block_request *request)
{
    request->sector = next_place() * job.count;
    job.started++;
    const int error = bm_block_submit(job.disk, job.queue, request);
    if (error != 0)
        job.error = error;
}

static void on_done(struct bm_block_request *request)
{
    job.done++;
    if (request->result != 0)
        job.error = request->result;
    else if (job.started < job.wanted)
        start(request);
}

static void draw_progress(void)
{
    char bar[BAR_WIDTH + 1] = "";
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', job.done * BAR_WIDTH / job.wanted);
    printf("\r[%s] %3u %%", bar, (unsigned)(job.done * 100 / job.wanted));
    fflush(stdout);
}

// Asked behind every batch of answers: what was sent meanwhile is shown to the device at once.
static bool is_over(void *arg)
{
    (void)arg;
    bm_block_kick(job.queue);
    return job.done == job.started && (job.done >= job.wanted || job.error != 0);
}

// Requests of `size` bytes until so many are done; returns how many seconds that took, or less than 0.
static double measure(unsigned depth, uint32_t size, bool random, uint64_t wanted)
{
    job.random = random;
    job.count = size / job.disk->sector_size;
    job.places = job.disk->sectors / job.count;
    job.started = job.done = job.next = 0;
    job.wanted = wanted;
    const double begin = seconds();
    for (unsigned i = 0; i < depth && job.error == 0; i++) {
        job.segments[i].length = size;
        job.requests[i] = (struct bm_block_request){.operation = job.writes ? BM_BLOCK_WRITE : BM_BLOCK_READ,
                                                    .count = job.count,
                                                    .segments = &job.segments[i],
                                                    .segment_count = 1,
                                                    .done = on_done};
        start(&job.requests[i]);
    }
    while (!bm_wait_until(is_over, NULL, bm_time_monotonic() + 1000000000 / FRAMES_A_SECOND))
        draw_progress();
    draw_progress();
    if (job.error != 0)
        return -1;
    return seconds() - begin;
}

static bool report(unsigned depth, uint32_t size, bool random, uint64_t wanted)
{
    const double time = measure(depth, size, random, wanted);
    if (time < 0) {
        printf("\ndisk_bench: a request failed with error %d\n", -job.error);
        return false;
    }
    const double rate = (double)wanted / time;
    // The spaces are as long as what is left of the bar.
    printf("\r%s %3" PRIu32 " KiB, %2u at once: %8.0f a second, %8.1f MB/s   \n",
           random ? "random  " : "sequence", size / 1024, depth, rate, rate * size * 1e-6);
    return true;
}

static bool prepare(const char *name)
{
    job.disk = name ? bm_blockdev_find(name) : bm_blockdev_first();
    if (!job.disk) {
        fprintf(stderr, "disk_bench: there is no disk%s%s\n", name ? " of the name " : "", name ? name : "");
        return false;
    }
    job.queue = bm_blockdev_queue(job.disk, 0);
    if (job.disk->sectors < PIECE / job.disk->sector_size || job.disk->transfer_max < PIECE) {
        fprintf(stderr, "disk_bench: %s is too small, or takes too little at once\n", job.disk->name);
        return false;
    }
    for (unsigned i = 0; i < DEPTH_MAX; i++) {
        void *memory = bm_frame_allocate(bm_frame_order(PIECE));
        if (!memory) {
            fprintf(stderr, "disk_bench: out of memory\n");
            return false;
        }
        memset(memory, (int)i, PIECE);
        job.segments[i].address = bm_dma_address(memory);
    }
    return true;
}

static bool parse_requests(const char *text, uint64_t *requests)
{
    char *end;
    *requests = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *requests > 0 && *requests <= UINT32_MAX;
}

static bool parse(int argc, char **argv, const char **name, uint64_t *requests)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "disk=", 5) == 0) {
            *name = argv[i] + 5;
        } else if (strcmp(argv[i], "write=yes") == 0) {
            job.writes = true;
        } else if (strncmp(argv[i], "requests=", 9) != 0 || !parse_requests(argv[i] + 9, requests)) {
            fprintf(stderr, "disk_bench: '%s' is not known; known: disk=name, requests=n, write=yes\n",
                    argv[i]);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    static const unsigned depths[] = {1, 4, 16, 32};
    const char *name = NULL;
    uint64_t requests = 20000;
    if (!parse(argc, argv, &name, &requests) || !prepare(name))
        return EXIT_FAILURE;
    printf("%s (%s): %" PRIu64 " MiB, sectors of %" PRIu32 " bytes; it is %s\n", job.disk->name,
           job.disk->driver, job.disk->sectors * job.disk->sector_size >> 20, job.disk->sector_size,
           job.writes ? "written" : "read");
    for (unsigned i = 0; i < sizeof depths / sizeof *depths; i++)
        if (depths[i] <= job.queue->depth && !report(depths[i], BLOCK, true, requests))
            return EXIT_FAILURE;
    if (!report(job.queue->depth < 8 ? job.queue->depth : 8, PIECE, false, (requests + 7) / 8) ||
        (job.writes && bm_block_flush(job.disk) != 0))
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
