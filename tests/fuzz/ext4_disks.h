// Disks of mkfs.ext4 for the fuzzers of ext4, and changes of their bytes.
// SPDX-License-Identifier: MIT
#pragma once

#include "ext4_host/ext4_host.h"

enum { DISKS_MAX = 3, EDIT = 5, BLOCK = 1024 };

static struct {
    uint8_t *bytes, *now; // as it was made; with changes
    size_t size;
    uint32_t *used; // blocks that are not empty
    uint32_t count;
} disks[DISKS_MAX];

static inline void disk_keep(unsigned number, const char *path)
{
    static const uint8_t zeros[BLOCK];
    disk_load(path);
    disks[number].size = disk.size;
    disks[number].bytes = malloc(disk.size);
    disks[number].used = calloc(disk.size / BLOCK, sizeof(uint32_t));
    disks[number].now = malloc(disk.size);
    memcpy(disks[number].bytes, disk_bytes, disk.size);
    memcpy(disks[number].now, disk_bytes, disk.size);
    for (uint32_t i = 0; i < disk.size / BLOCK; i++)
        if (memcmp(disk_bytes + i * BLOCK, zeros, BLOCK))
            disks[number].used[disks[number].count++] = i;
}

// The log of disk `logged` has a transaction that is to be replayed.
static inline void disks_make(const char *const *options, unsigned count, unsigned logged)
{
    const char *folder = folder_make();
    char path[100];
    run("mkdir %s/t %s/t/d; cd %s/t; for i in $(seq 150); do echo $i > d/a-long-name-of-a-file-$i; done;"
        "for i in $(seq 60); do printf x | dd of=h bs=1 seek=$((i * 3000)) conv=notrunc status=none; done;"
        "ln -s $(seq -s . 60) l; ln -s d s; head -c 300000 /dev/zero | tr '\\0' b > b",
        folder, folder, folder);
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/disk%u", folder, i);
        run("export PATH=$PATH:/usr/sbin:/sbin E2FSPROGS_FAKE_TIME=1000000000; mkfs.ext4 -q -F -b 1024 %s -d "
            "%s/t "
            "-U 01020304-0506-0708-090a-0b0c0d0e0f10 -E hash_seed=01020304-0506-0708-090a-0b0c0d0e0f10 %s 3M "
            ">%s/log "
            "2>&1; e2fsck -fyD %s >%s/log 2>&1; [ $? -le 1 ]",
            options[i], folder, path, folder, path, folder);
        if (i == logged)
            run("export PATH=$PATH:/usr/sbin:/sbin; head -c 4096 /dev/zero | tr '\\0' c >%s/data; printf "
                "'jo\\njw -b "
                "2800,2801,2802,2803 %s/data\\njw -r 2801\\njw -b 2802,2803 %s/data\\njc\\n' >%s/script; "
                "debugfs -w -f "
                "%s/script %s >%s/log 2>&1",
                folder, folder, folder, folder, folder, path, folder);
        disk_keep(i, path);
    }
    run("rm -r %s", folder);
}

// Changes what five bytes of the input say, or takes it back.
static inline void change(unsigned number, const uint8_t edit[EDIT], bool back)
{
    uint32_t block = disks[number].used[edit[0] % disks[number].count];
    size_t at = block * BLOCK + (edit[1] | edit[2] << 8) % BLOCK, length = edit[4] % 4 + 1;
    for (size_t byte = at; byte < at + length && byte < disk.size; byte++)
        disk_bytes[byte] = back ? disks[number].bytes[byte] : edit[3];
}
