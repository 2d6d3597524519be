// Disks through <baremetal/block.h>: names, partitions, sectors of two sizes, many requests at once, flush,
// discard, zeroes, what is refused. block.py makes the disks, compares them afterwards, and lets some fail.
// SPDX-License-Identifier: MIT
// @link virtio_blk virtio_legacy
// @script block.py

#include <baremetal/block.h>
#include <baremetal/error.h>
#include <baremetal/time.h>
#include <baremetal/wait.h>
#include <stdbool.h>
#include <stdint.h>

#include "check.h"

// What block.py expects in sector `sector` of a disk, by its number.
static unsigned char pattern(unsigned disk, uint64_t sector, unsigned i)
{
    return (unsigned char)(disk * 101 + sector * 7 + i * 3 + i / 256);
}

static void fill(unsigned char *buffer, const struct bm_blockdev *device, unsigned disk, uint64_t sector,
                 unsigned count)
{
    for (unsigned s = 0; s < count; s++)
        for (unsigned i = 0; i < device->sector_size; i++)
            *buffer++ = pattern(disk, sector + s, i);
}

static bool holds(const unsigned char *buffer, const struct bm_blockdev *device, unsigned disk,
                  uint64_t sector, unsigned count)
{
    for (unsigned s = 0; s < count; s++)
        for (unsigned i = 0; i < device->sector_size; i++)
            if (*buffer++ != pattern(disk, sector + s, i))
                return false;
    return true;
}

static void list(void)
{
    for (const struct bm_blockdev *device = bm_blockdev_first(); device; device = device->next)
        printf("disk %s: %llu sectors of %u at %llu, serial '%s'%s, type %02x\n", device->name,
               (unsigned long long)device->sectors, device->sector_size, (unsigned long long)device->first,
               device->serial, device->read_only ? ", read-only" : "", device->type[0]);
}

// Sectors 100 to 399 in pieces of all lengths at odd addresses, read back in others.
static void pieces_test(struct bm_blockdev *device, unsigned disk)
{
    static unsigned char memory[310 * BM_BLOCK_SECTOR_MAX], *buffer = memory + 1;
    uint64_t sector = 100;
    for (unsigned count = 1; sector < 400; count += 3) {
        if (sector + count > 400)
            count = (unsigned)(400 - sector);
        fill(buffer, device, disk, sector, count);
        CHECK(bm_block_write(device, sector, buffer, count, count % 2 ? BM_BLOCK_FUA : 0) == 0);
        sector += count;
    }
    CHECK(bm_block_flush(device) == 0);
    memset(memory, 0, sizeof memory);
    CHECK(bm_block_read(device, 100, buffer, 300) == 0);
    CHECK(holds(buffer, device, disk, 100, 300));
    CHECK(memory[0] == 0 && buffer[300 * device->sector_size] == 0);
    for (unsigned count = 1; count < 20; count++) {
        CHECK(bm_block_read(device, 400 - count, buffer, count) == 0);
        CHECK(holds(buffer, device, disk, 400 - count, count));
    }
}

// --- Many requests at once ---

enum { AT_ONCE = 32, ROUNDS = 8 };
static unsigned done_count, done_wrong;

static void on_done(struct bm_block_request *request)
{
    done_count++;
    done_wrong += request->result != 0;
}

static bool all_done(void *arg)
{
    return done_count == *(unsigned *)arg;
}

// 32 requests under way, or as many as the queue takes: each to a sector of its own and back.
static void at_once_test(struct bm_blockdev *device, unsigned disk)
{
    static struct bm_block_request requests[AT_ONCE];
    static unsigned char buffers[AT_ONCE][BM_BLOCK_SECTOR_MAX] __attribute__((aligned(4096)));
    static struct bm_dma_segment segments[AT_ONCE][2];
    struct bm_blockqueue *queue = bm_blockdev_queue(device, 0);
    CHECK(queue != NULL && bm_blockdev_queue(device, 1) == NULL);
    unsigned half = device->sector_size / 2, wanted = queue->depth < AT_ONCE ? queue->depth : AT_ONCE;
    for (unsigned i = 0; i < 2 * ROUNDS * AT_ONCE; i += wanted) {
        bool writes = i < ROUNDS * AT_ONCE;
        done_count = 0;
        for (unsigned k = 0; k < wanted; k++) {
            uint64_t sector = 1000 + ((i + k) * 5) % (ROUNDS * AT_ONCE);
            if (writes)
                fill(buffers[k], device, disk, sector, 1);
            else
                memset(buffers[k], 0, device->sector_size);
            for (unsigned part = 0; part < 2; part++)
                segments[k][part] = (struct bm_dma_segment){bm_dma_address(buffers[k] + part * half), half};
            requests[k] = (struct bm_block_request){.operation = writes ? BM_BLOCK_WRITE : BM_BLOCK_READ,
                                                    .sector = sector,
                                                    .count = 1,
                                                    .segments = segments[k],
                                                    .segment_count = 2,
                                                    .done = on_done};
            CHECK(bm_block_submit(device, queue, &requests[k]) == 0);
        }
        bm_block_kick(queue);
        CHECK(bm_wait_until(all_done, &wanted, bm_time_monotonic() + 30 * 1000000000ull));
        for (unsigned k = 0; k < wanted; k++)
            CHECK(writes || holds(buffers[k], device, disk, requests[k].sector, 1));
    }
    printf("at once: %u\n", wanted);
    CHECK(done_wrong == 0);
}

static void refusals_test(struct bm_blockdev *device)
{
    static unsigned char buffer[2 * BM_BLOCK_SECTOR_MAX];
    CHECK(bm_block_read(device, device->sectors, buffer, 1) == -BM_ERANGE);
    CHECK(bm_block_read(device, device->sectors - 1, buffer, 2) == -BM_ERANGE);
    CHECK(bm_block_read(device, UINT64_MAX, buffer, 2) == -BM_ERANGE);
    CHECK(bm_block_write(device, device->sectors - 1, buffer, 2, 0) == -BM_ERANGE);
    CHECK(bm_block_read(device, 0, buffer, 0) == -BM_EINVAL);
    CHECK(bm_block_read(device, 0, hidden(0x1000), 1) == -BM_EINVAL);
    CHECK(bm_block_read(device, device->sectors - 1, buffer, 1) == 0);
}

static void zeroes_test(struct bm_blockdev *device, unsigned disk)
{
    static unsigned char buffer[40 * BM_BLOCK_SECTOR_MAX];
    fill(buffer, device, disk, 2000, 40);
    CHECK(bm_block_write(device, 2000, buffer, 40, 0) == 0);
    CHECK(bm_block_write_zeroes(device, 2010, 20) == 0);
    CHECK(bm_block_read(device, 2000, buffer, 40) == 0);
    CHECK(holds(buffer, device, disk, 2000, 10));
    CHECK(holds(buffer + 30 * device->sector_size, device, disk, 2030, 10));
    for (unsigned i = 10 * device->sector_size; i < 30 * device->sector_size; i++)
        CHECK(buffer[i] == 0);
    CHECK(bm_block_discard(device, 3000, 64) == 0);
    CHECK(bm_block_write_zeroes(device, device->sectors, 1) == -BM_ERANGE);
    CHECK(bm_block_discard(device, device->sectors - 1, 2) == -BM_ERANGE);
}

static void read_only_test(struct bm_blockdev *device, unsigned disk)
{
    static unsigned char buffer[BM_BLOCK_SECTOR_MAX];
    CHECK(bm_block_read(device, 5, buffer, 1) == 0);
    CHECK(holds(buffer, device, disk, 5, 1)); // block.py wrote it
    CHECK(bm_block_write(device, 5, buffer, 1, 0) == -BM_EROFS);
    CHECK(bm_block_write_zeroes(device, 5, 1) == -BM_EROFS);
    CHECK(bm_block_discard(device, 5, 1) == -BM_EROFS);
    CHECK(bm_block_flush(device) == 0);
}

// The last partition of a disk: its sector 3 says so on the disk.
static void partition_test(const char *name, unsigned disk)
{
    static unsigned char buffer[BM_BLOCK_SECTOR_MAX];
    struct bm_blockdev *device = bm_blockdev_find(name);
    CHECK(device != NULL && device->disk != NULL);
    fill(buffer, device, disk, device->first + 3, 1);
    CHECK(bm_block_write(device, 3, buffer, 1, BM_BLOCK_FUA) == 0);
    CHECK(bm_block_write(device, device->sectors, buffer, 1, 0) == -BM_ERANGE);
    memset(buffer, 0, sizeof buffer);
    CHECK(bm_block_read(device->disk, device->first + 3, buffer, 1) == 0);
    CHECK(holds(buffer, device, disk, device->first + 3, 1));
}

// The host grows the disk meanwhile.
static bool has_grown(void *arg)
{
    return ((const struct bm_blockdev *)arg)->sectors == 40960;
}

// Sectors 50 to 59 of the disk can be neither read nor written, the others can; flushing fails once.
static void errors_test(struct bm_blockdev *device)
{
    static unsigned char buffer[4 * BM_BLOCK_SECTOR_MAX];
    CHECK(bm_block_read(device, 40, buffer, 4) == 0);
    CHECK(bm_block_read(device, 56, buffer, 1) == -BM_EIO);
    CHECK(bm_block_write(device, 56, buffer, 1, 0) == -BM_EIO);
    CHECK(bm_block_flush(device) == -BM_EIO);
    CHECK(bm_block_flush(device) == 0);
    CHECK(bm_block_read(device, 100, buffer, 4) == 0);
    CHECK(bm_block_write(device, 100, buffer, 4, 0) == 0);
    puts("errors surface where they are");
}

int main(int argc, char **argv)
{
    list();
    if (argc > 1 && strcmp(argv[1], "errors") == 0) {
        errors_test(bm_blockdev_find("vda"));
        return passed();
    }
    struct bm_blockdev *first = bm_blockdev_find("vda"), *second = bm_blockdev_find("vdb"),
                       *third = bm_blockdev_find("vdc");
    CHECK(first != NULL && second != NULL && third != NULL);
    pieces_test(first, 0);
    pieces_test(second, 1);
    at_once_test(first, 0);
    at_once_test(second, 1);
    refusals_test(first);
    refusals_test(second);
    zeroes_test(first, 0);
    read_only_test(third, 2);
    partition_test("vda2", 0);
    if (bm_blockdev_find("vdb6"))
        partition_test("vdb6", 1);
    CHECK(bm_block_flush(first) == 0 && bm_block_flush(second) == 0);
    puts("written");
    fflush(stdout);
    if (argc > 1 && strcmp(argv[1], "grow") == 0) {
        CHECK(bm_wait_until(has_grown, first, bm_time_monotonic() + 60 * 1000000000ull));
        static unsigned char buffer[BM_BLOCK_SECTOR_MAX];
        CHECK(bm_block_read(first, 40959, buffer, 1) == 0);
        puts("grown");
    }
    return passed();
}
