// Fuzzer of partition tables: whatever a disk says, partitions lie on it, overlap none, and the walk ends.
// SPDX-License-Identifier: MIT
// @sources libbaremetal/block/partition.c
// @includes libbaremetal/block
// @max_len 8192
#include "partition.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTOR = 512, SECTORS = 64, READS_MAX = 4 * BM_PARTITIONS_MAX };

static uint8_t disk[SECTORS * SECTOR];
static unsigned reads, found_count;
static struct bm_partition found[BM_PARTITIONS_MAX];

static int disk_read(void *arg, uint64_t sector, void *buffer, uint32_t count)
{
    (void)arg;
    if (!count || sector >= SECTORS || count > SECTORS - sector || ++reads > READS_MAX)
        abort();
    memcpy(buffer, disk + sector * SECTOR, (size_t)count * SECTOR);
    return 0;
}

static void on_found(void *arg, const struct bm_partition *partition)
{
    (void)arg;
    uint64_t first = partition->first, end = first + partition->count;
    if (found_count == BM_PARTITIONS_MAX || first == 0 || first >= SECTORS || partition->count == 0 ||
        partition->count > SECTORS - first)
        abort();
    for (unsigned i = 0; i < found_count; i++)
        if (first < found[i].first + found[i].count && found[i].first < end)
            abort();
    found[found_count++] = *partition;
}

static void on_refused(void *arg, unsigned number, const char *why)
{
    (void)arg;
    (void)number;
    if (!why[0])
        abort();
}

static uint32_t crc(const uint8_t *bytes, size_t size)
{
    uint32_t value = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        value ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
    }
    return ~value;
}

// The sums are made right, or hardly any input would come past them. The last byte says which.
static void seal(uint8_t *header)
{
    uint32_t size, array, count, entry, sum;
    memcpy(&array, header + 72, 4);
    memcpy(&count, header + 80, 4);
    memcpy(&entry, header + 84, 4);
    if (array < SECTORS && (uint64_t)count * entry <= (SECTORS - array) * (uint64_t)SECTOR) {
        sum = crc(disk + (size_t)array * SECTOR, (size_t)count * entry);
        memcpy(header + 88, &sum, 4);
    }
    memcpy(&size, header + 12, 4);
    memset(header + 16, 0, 4);
    sum = crc(header, size <= SECTOR ? size : SECTOR);
    memcpy(header + 16, &sum, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buffer[BM_PARTITION_BUFFER];
    const struct bm_partition_source source = {.read = disk_read,
                                               .found = on_found,
                                               .refused = on_refused,
                                               .sectors = SECTORS,
                                               .sector_size = SECTOR,
                                               .buffer = buffer};
    if (size == 0)
        return 0;
    memset(disk, 0, sizeof disk);
    // The end of the input is the end of the disk, so that a backup can be there.
    size_t front = size > 6 * SECTOR ? 6 * SECTOR : size;
    memcpy(disk, data, front);
    memcpy(disk + sizeof disk - (size - front), data + front, size - front);
    if (data[size - 1] & 1) {
        disk[510] = 0x55;
        disk[511] = 0xaa;
    }
    if (data[size - 1] & 2)
        seal(disk + SECTOR);
    if (data[size - 1] & 4)
        seal(disk + sizeof disk - SECTOR);
    reads = found_count = 0;
    int count = bm_partition_scan(&source);
    if (count < 0 || (unsigned)count != found_count)
        abort();
    return 0;
}
