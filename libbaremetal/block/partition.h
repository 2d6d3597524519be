// Partition tables, private to block/: GPT (UEFI 2.10 section 5.3) and MBR, over anything that has sectors.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    BM_PARTITIONS_MAX = 128,    // that are found on one disk
    BM_PARTITION_BUFFER = 65536 // bytes: as large as an array of GPT's entries may be
};

struct bm_partition {
    unsigned number;                // 1 …: GPT's place in the array, MBR's 1 to 4, logical ones from 5 on
    uint64_t first, count;          // sectors
    unsigned char type[16], id[16]; // GPT's as they lie there; MBR: type[0]
};

// What is looked at. Nothing that it says is trusted.
struct bm_partition_source {
    // Reads `count` sectors. Returns 0 or a negative error.
    int (*read)(void *arg, uint64_t sector, void *buffer, uint32_t count);
    void (*found)(void *arg, const struct bm_partition *partition);
    // A table (number 0) or an entry that cannot be used, and why.
    void (*refused)(void *arg, unsigned number, const char *why);
    void *arg;
    uint64_t sectors;
    uint32_t sector_size;  // 512 … BM_PARTITION_BUFFER
    unsigned char *buffer; // BM_PARTITION_BUFFER bytes
};

// Finds the partitions, none of which leaves the disk or overlaps one that was found before. Returns how
// many, or the error of a read.
int bm_partition_scan(const struct bm_partition_source *source);

// block/disk.c: adds those of a disk as devices.
struct bm_blockdev;
void bm_partition_add_all(struct bm_blockdev *disk);
// block/registry.c: adds a device behind `before` (NULL: behind all).
void bm_blockdev_insert(struct bm_blockdev *device, struct bm_blockdev *before);
