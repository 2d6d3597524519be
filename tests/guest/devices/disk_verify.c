// Disks of every driver: written and verified from all cores at random and in sequence, in all lengths and at
// all alignments; what fails; and what does not answer. disk_verify.py makes the disks and checks them
// afterwards.
// SPDX-License-Identifier: MIT
// @link virtio_blk nvme ahci
// @variants newlib-checked
// @script disk_verify.py
// @long 3600
// @link virtio_scsi

#include <baremetal/block.h>
#include <baremetal/core.h>
#include <baremetal/error.h>
#include <baremetal/memory.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <baremetal/work.h>
#include <stdbool.h>
#include <stdint.h>

#include "check.h"

enum { CORES_MAX = 4, TRANSFER = 1 << 20, DEPTH = 32, SLACK = 64 };

// --- What a sector holds: its number, how often it was written, and words that follow from both ---

static uint32_t mixed(uint64_t sector, uint32_t generation)
{
    return (uint32_t)sector * 0x9e3779b1u ^ generation * 0x85ebca6bu;
}

static void fill(void *buffer, uint32_t size, uint64_t sector, uint32_t generation)
{
    unsigned char *at = buffer;
    for (uint32_t i = 0; i < size / 4; i++) {
        uint32_t word = i == 0   ? (uint32_t)sector
                        : i == 1 ? generation
                                 : mixed(sector, generation) + i * 0xc2b2ae35u;
        memcpy(at + 4 * i, &word, 4);
    }
}

static bool holds(const void *buffer, uint32_t size, uint64_t sector, uint32_t generation)
{
    static _Thread_local unsigned char expected[BM_BLOCK_SECTOR_MAX];
    fill(expected, size, sector, generation);
    return memcmp(buffer, expected, size) == 0;
}

// --- A core's part of a disk, and what it knows of it ---

struct part {
    struct bm_blockdev *disk;
    uint64_t first, count; // sectors
    uint32_t *generations;
    unsigned char *buffer; // TRANSFER bytes, and SLACK pages
    uint64_t random;
    uint64_t bytes; // to move at random
    unsigned wrong;
};

static uint64_t next_random(struct part *part, uint64_t below)
{
    part->random = part->random * 6364136223846793005u + 1442695040888963407u;
    return (part->random >> 20) % below;
}

static void must(struct part *part, bool good, const char *what, uint64_t sector, uint64_t count)
{
    if (good)
        return;
    if (part->wrong++ < 5)
        printf("%s: %s at sector %llu, %llu sectors\n", part->disk->name, what, (unsigned long long)sector,
               (unsigned long long)count);
}

static void write_some(struct part *part, uint64_t at, uint32_t count, unsigned shift, unsigned flags)
{
    uint32_t size = part->disk->sector_size;
    unsigned char *buffer = part->buffer + shift;
    for (uint32_t i = 0; i < count; i++)
        fill(buffer + (size_t)i * size, size, part->first + at + i, ++part->generations[at + i]);
    must(part, bm_block_write(part->disk, part->first + at, buffer, count, flags) == 0, "a write failed",
         part->first + at, count);
}

static void verify_some(struct part *part, uint64_t at, uint32_t count, unsigned shift)
{
    uint32_t size = part->disk->sector_size;
    unsigned char *buffer = part->buffer + shift;
    memset(buffer - 1, 0xa5, (size_t)count * size + 2);
    must(part, bm_block_read(part->disk, part->first + at, buffer, count) == 0, "a read failed",
         part->first + at, count);
    for (uint32_t i = 0; i < count; i++)
        must(part, holds(buffer + (size_t)i * size, size, part->first + at + i, part->generations[at + i]),
             "a read gave something else", part->first + at + i, count);
    must(part, buffer[-1] == 0xa5 && buffer[(size_t)count * size] == 0xa5, "a read left its buffer",
         part->first + at, count);
}

static unsigned shift_of(struct part *part)
{
    return BM_PAGE_SIZE +
           (unsigned)next_random(part, BM_PAGE_SIZE / part->disk->alignment) * part->disk->alignment;
}

// All of it in sequence, then lengths from one sector to 1 MiB at random places and alignments.
static void part_test(void *arg)
{
    struct part *part = arg;
    uint32_t most = TRANSFER / part->disk->sector_size;
    for (uint64_t at = 0; at < part->count; at += most)
        write_some(part, at, (uint32_t)(part->count - at < most ? part->count - at : most), BM_PAGE_SIZE, 0);
    for (uint64_t moved = 0; moved < part->bytes;) {
        // Every power of two is as likely as every other one.
        uint32_t limit = 1u << next_random(part, 32 - (unsigned)__builtin_clz(most));
        uint32_t count = 1 + (uint32_t)next_random(part, limit);
        if (count > part->count)
            count = (uint32_t)part->count;
        uint64_t at = next_random(part, part->count - count + 1);
        if (next_random(part, 2))
            write_some(part, at, count, shift_of(part), next_random(part, 16) ? 0 : BM_BLOCK_FUA);
        else
            verify_some(part, at, count, shift_of(part));
        moved += (uint64_t)count * part->disk->sector_size;
    }
    for (uint64_t at = 0; at < part->count; at += most)
        verify_some(part, at, (uint32_t)(part->count - at < most ? part->count - at : most), BM_PAGE_SIZE);
}

static void disk_test(struct bm_blockdev *disk, uint64_t bytes)
{
    static struct part parts[CORES_MAX];
    static struct bm_work works[CORES_MAX];
    unsigned cores = bm_core_count() < CORES_MAX ? bm_core_count() : CORES_MAX;
    uint64_t all = 0;
    for (unsigned i = 0; i < cores; i++) {
        struct part *part = &parts[i];
        *part = (struct part){.disk = disk, .random = i * 77 + 1, .bytes = bytes / cores};
        part->count = disk->sectors / cores;
        part->first = i * part->count;
        part->generations = calloc(part->count, sizeof *part->generations);
        part->buffer = malloc(TRANSFER + 3 * BM_PAGE_SIZE);
        CHECK(part->generations && part->buffer);
        bm_work_init(&works[i], part_test, part);
        bm_work_submit_on(i, &works[i]);
    }
    for (unsigned i = 0; i < cores; i++) {
        bm_work_wait(&works[i]);
        CHECK(parts[i].wrong == 0);
        for (uint64_t k = 0; k < parts[i].count; k++)
            all += parts[i].generations[k];
        free(parts[i].generations);
        free(parts[i].buffer);
    }
    CHECK(bm_block_flush(disk) == 0);
    printf("%s: %llu sectors of %u, %u cores, %u queues, written %llu times\n", disk->name,
           (unsigned long long)(disk->sectors / cores * cores), disk->sector_size, cores, disk->queue_count,
           (unsigned long long)all);
}

// --- Many requests at once, each core in a queue of its own ---

struct flight {
    struct bm_blockdev *disk;
    struct bm_blockqueue *queue;
    struct bm_block_request requests[DEPTH];
    struct bm_dma_segment segments[DEPTH];
    unsigned char *pages;
    unsigned done, wrong, rounds;
};

static void on_done(struct bm_block_request *request)
{
    struct flight *flight = request->arg;
    flight->wrong += request->result != 0;
    __atomic_fetch_add(&flight->done, 1, __ATOMIC_RELEASE);
}

static bool all_done(void *arg)
{
    return __atomic_load_n(&((struct flight *)arg)->done, __ATOMIC_ACQUIRE) == DEPTH;
}

// What disk_test left is read, 4 KiB at a time.
static void flight_test(void *arg)
{
    struct flight *flight = arg;
    struct bm_blockdev *disk = flight->disk;
    uint32_t count = BM_PAGE_SIZE / disk->sector_size, sum = bm_core_id();
    for (unsigned round = 0; round < flight->rounds; round++) {
        flight->done = 0;
        for (unsigned i = 0; i < DEPTH; i++) {
            sum = sum * 1664525 + 1013904223;
            flight->segments[i] =
                (struct bm_dma_segment){bm_dma_address(flight->pages + i * BM_PAGE_SIZE), BM_PAGE_SIZE};
            flight->requests[i] = (struct bm_block_request){.operation = BM_BLOCK_READ,
                                                            .sector = sum % (disk->sectors / count) * count,
                                                            .count = count,
                                                            .segments = &flight->segments[i],
                                                            .segment_count = 1,
                                                            .done = on_done,
                                                            .arg = flight};
            int error;
            while ((error = bm_block_submit(disk, flight->queue, &flight->requests[i])) == -BM_EAGAIN) {
                bm_block_kick(flight->queue);
                bm_poll();
            }
            flight->wrong += error != 0;
        }
        bm_block_kick(flight->queue);
        if (!bm_wait_until(all_done, flight, bm_time_monotonic() + 60 * 1000000000ull)) {
            flight->wrong += 1000;
            return;
        }
        for (unsigned i = 0; i < DEPTH; i++) {
            uint32_t word;
            memcpy(&word, flight->pages + i * BM_PAGE_SIZE, 4);
            flight->wrong += word != (uint32_t)flight->requests[i].sector;
        }
    }
}

static void at_once_test(struct bm_blockdev *disk, bool bound)
{
    static struct flight flights[CORES_MAX];
    static struct bm_work works[CORES_MAX];
    unsigned cores = bm_core_count() < CORES_MAX ? bm_core_count() : CORES_MAX;
    if (bound && cores > disk->queue_count)
        cores = disk->queue_count;
    for (unsigned i = 0; i < cores; i++) {
        struct bm_blockqueue *queue = bm_blockdev_queue(disk, i % disk->queue_count);
        flights[i] = (struct flight){.disk = disk, .queue = queue, .rounds = 8};
        flights[i].pages = bm_frame_allocate(bm_frame_order(DEPTH * BM_PAGE_SIZE));
        CHECK(flights[i].pages);
        int error = bound ? bm_blockqueue_bind(queue, i) : 0;
        CHECK(error == 0 || error == -BM_EBUSY); // others have the same interrupt
        bm_work_init(&works[i], flight_test, &flights[i]);
        bm_work_submit_on(i, &works[i]);
    }
    for (unsigned i = 0; i < cores; i++) {
        bm_work_wait(&works[i]);
        CHECK(flights[i].wrong == 0);
        bm_frame_free(flights[i].pages, bm_frame_order(DEPTH * BM_PAGE_SIZE));
    }
}

// --- What else a disk does, in its first sectors, which get back what they had ---

static void rest_test(struct bm_blockdev *disk)
{
    enum { COUNT = 40, FIRST = 10, ZEROES = 20 };
    static unsigned char before[COUNT * BM_BLOCK_SECTOR_MAX], buffer[COUNT * BM_BLOCK_SECTOR_MAX];
    uint32_t size = disk->sector_size;
    CHECK(bm_block_read(disk, 0, before, COUNT) == 0);
    if (disk->capabilities & BM_BLOCK_CAN_WRITE_ZEROES) {
        CHECK(bm_block_write_zeroes(disk, FIRST, ZEROES) == 0);
        CHECK(bm_block_read(disk, 0, buffer, COUNT) == 0);
        CHECK(memcmp(buffer, before, (size_t)FIRST * size) == 0);
        for (unsigned i = FIRST * size; i < (FIRST + ZEROES) * size; i++)
            CHECK(buffer[i] == 0);
        CHECK(memcmp(buffer + (FIRST + ZEROES) * size, before + (FIRST + ZEROES) * size,
                     (size_t)(COUNT - FIRST - ZEROES) * size) == 0);
    }
    if (disk->capabilities & BM_BLOCK_CAN_DISCARD)
        CHECK(bm_block_discard(disk, 0, COUNT) == 0);
    CHECK(bm_block_write(disk, 0, before, COUNT, BM_BLOCK_FUA) == 0);
    CHECK(bm_block_read(disk, disk->sectors, buffer, 1) == -BM_ERANGE);
    CHECK(bm_block_read(disk, disk->sectors - 1, buffer, 2) == -BM_ERANGE);
    CHECK(bm_block_write_zeroes(disk, disk->sectors, 1) != 0);
    CHECK(bm_block_flush(disk) == 0);
    printf("%s: capabilities %x\n", disk->name, disk->capabilities);
}

// --- What fails: sector 56 can be neither read nor written, one flush fails ---

static void errors_test(struct bm_blockdev *disk)
{
    static unsigned char buffer[4 * BM_BLOCK_SECTOR_MAX] __attribute__((aligned(4096)));
    for (unsigned sector = 40; sector < 72; sector += 4)
        CHECK(bm_block_read(disk, sector, buffer, 4) == (sector == 56 ? -BM_EIO : 0));
    CHECK(bm_block_write(disk, 56, buffer, 1, 0) == -BM_EIO);
    CHECK(bm_block_flush(disk) == -BM_EIO);
    CHECK(bm_block_flush(disk) == 0);
    for (unsigned i = 0; i < 20; i++) {
        CHECK(bm_block_write(disk, 100 + i, buffer, 4, i % 2 ? BM_BLOCK_FUA : 0) == 0);
        CHECK(bm_block_read(disk, 56, buffer, 1) == -BM_EIO);
        CHECK(bm_block_read(disk, 100 + i, buffer, 4) == 0);
    }
    printf("%s: errors surface where they are\n", disk->name);
}

// --- What does not answer: the host holds requests back ---

static void stuck_test(struct bm_blockdev *disk)
{
    static unsigned char buffer[64 * BM_BLOCK_SECTOR_MAX] __attribute__((aligned(4096)));
    puts("ready to be held back");
    fflush(stdout);
    getchar();
    uint64_t begin = bm_time_monotonic();
    int error = 0;
    while (!error && bm_time_monotonic() - begin < 100 * 1000000000ull)
        error = bm_block_read(disk, 0, buffer, 64);
    unsigned long long seconds = (bm_time_monotonic() - begin) / 1000000000ull;
    printf("%s: error %d after %llu s\n", disk->name, -error, seconds);
    CHECK(error == -BM_EIO && seconds < 35);
    puts("let them go");
    fflush(stdout);
    getchar();
    error = bm_block_read(disk, 0, buffer, 64);
    CHECK(error == 0 || error == -BM_ENODEV);
    printf("%s: %s\n", disk->name, error ? "is gone" : "answers again");
}

// --- What is pulled out under way: QEMU's pc takes a device away when its slot is written to the ejector ---

static void removal_test(struct bm_blockdev *disk, unsigned slot)
{
    enum { BUS_SELECT = 0xae10, EJECT = 0xae08 }; // QEMU's docs/specs/acpi_pci_hotplug.txt
    static unsigned char buffer[64 * BM_BLOCK_SECTOR_MAX] __attribute__((aligned(4096)));
    for (unsigned i = 0; i < 10; i++)
        CHECK(bm_block_write(disk, 64 * i, buffer, 64, 0) == 0);
    __asm__ volatile("outl %0, %w1" : : "a"(0), "d"(BUS_SELECT));
    __asm__ volatile("outl %0, %w1" : : "a"(1u << slot), "d"(EJECT));
    uint64_t begin = bm_time_monotonic();
    int error = bm_block_read(disk, 0, buffer, 64);
    unsigned long long seconds = (bm_time_monotonic() - begin) / 1000000000ull;
    printf("%s: error %d after %llu s\n", disk->name, -error, seconds);
    CHECK(error == -BM_EIO && seconds < 30);
    CHECK(bm_block_read(disk, 0, buffer, 64) == -BM_ENODEV);
    CHECK(bm_block_flush(disk) == -BM_ENODEV);
}

// --- A disc, which disk_verify.py wrote ---

static void disc_test(struct bm_blockdev *disc)
{
    enum { COUNT = 300, GENERATION = 7 };
    static unsigned char buffer[COUNT * 2048];
    CHECK(disc->sector_size == 2048 && disc->read_only && !disc->disk);
    for (uint64_t at = 0; at < disc->sectors; at += COUNT) {
        uint32_t count = disc->sectors - at < COUNT ? (uint32_t)(disc->sectors - at) : COUNT;
        CHECK(bm_block_read(disc, at, buffer, count) == 0);
        for (uint32_t i = 0; i < count; i++)
            CHECK(holds(buffer + (size_t)i * 2048, 2048, at + i, GENERATION));
    }
    CHECK(bm_block_write(disc, 0, buffer, 1, 0) == -BM_EROFS);
    CHECK(bm_block_flush(disc) == 0);
    CHECK(bm_block_read(disc, disc->sectors, buffer, 1) == -BM_ERANGE);
    printf("%s: %llu sectors\n", disc->name, (unsigned long long)disc->sectors);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    for (struct bm_blockdev *disk = bm_blockdev_first(); disk; disk = disk->next)
        printf("disk %s: %llu sectors of %u, serial '%s'\n", disk->name, (unsigned long long)disk->sectors,
               disk->sector_size, disk->serial);
    for (int i = 3; i < argc; i++) {
        struct bm_blockdev *disk = bm_blockdev_find(argv[i]);
        CHECK(disk != NULL);
        if (strcmp(mode, "errors") == 0) {
            errors_test(disk);
        } else if (strcmp(mode, "removal") == 0) {
            removal_test(disk, (unsigned)atoi(argv[2]));
        } else if (strcmp(mode, "disc") == 0) {
            disc_test(disk);
        } else if (strcmp(mode, "stuck") == 0) {
            stuck_test(disk);
        } else {
            disk_test(disk, strtoull(argv[2], NULL, 10) << 20);
            at_once_test(disk, false);
            rest_test(disk);
            at_once_test(disk, true);
        }
    }
    return passed();
}
