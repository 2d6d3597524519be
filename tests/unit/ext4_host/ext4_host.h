// A disk in memory below the core of ext4, for tests on the host.
// SPDX-License-Identifier: MIT
#pragma once

#include "../../../drivers/fs/ext4/ext4_core.h"

#include <baremetal/error.h>
#include <baremetal/inode.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint8_t *disk_bytes;
static unsigned disk_reports;                         // of damage
static long memory_out;                               // bytes
static unsigned disk_writes;                          // that were done
static long disk_left = -1;                           // that will succeed; less than 0: all
static bool disk_is_quiet;                            // damage is not told
static int64_t disk_time = 1750000000ll * 1000000000; // nanoseconds since 1970
// Who wants to know what reaches the disk (crash.h).
static void (*disk_on_write)(uint64_t at, const void *from, size_t size);
static void (*disk_on_flush)(void);

void *bm_inode_memory_allocate(size_t size)
{
    memory_out += (long)size;
    return calloc(1, size);
}

void bm_inode_memory_free(void *block, size_t size)
{
    if (block)
        memory_out -= (long)size;
    free(block);
}

static int disk_read(void *arg, uint64_t at, void *to, size_t size);
static int disk_write(void *arg, uint64_t at, const void *from, size_t size);
static int disk_flush(void *arg);
static int64_t disk_now(void *arg);
static void disk_report(void *arg, const char *what, uint64_t where);

static struct ext4_disk disk = {.sector_size = 512,
                                .read = disk_read,
                                .write = disk_write,
                                .flush = disk_flush,
                                .now = disk_now,
                                .report = disk_report};

static int disk_read(void *arg, uint64_t at, void *to, size_t size)
{
    (void)arg;
    if (at % 512 || size % 512 || at > disk.size || size > disk.size - at)
        abort();
    memcpy(to, disk_bytes + at, size);
    return 0;
}

static int disk_write(void *arg, uint64_t at, const void *from, size_t size)
{
    (void)arg;
    if (at % 512 || size % 512 || at > disk.size || size > disk.size - at)
        abort();
    if (disk_left == 0)
        return -BM_EIO;
    disk_left -= disk_left > 0;
    disk_writes++;
    memcpy(disk_bytes + at, from, size);
    if (disk_on_write)
        disk_on_write(at, from, size);
    return 0;
}

static int disk_flush(void *arg)
{
    (void)arg;
    if (disk_left == 0)
        return -BM_EIO;
    if (disk_on_flush)
        disk_on_flush();
    return 0;
}

static int64_t disk_now(void *arg)
{
    (void)arg;
    return disk_time += 100000000;
}

static void disk_report(void *arg, const char *what, uint64_t where)
{
    (void)arg;
    disk_reports++;
    if (!disk_is_quiet)
        fprintf(stderr, "%s (%lu)\n", what, (unsigned long)where);
}

// Runs a command, which must succeed.
static inline void run(const char *format, ...)
{
    char command[8192];
    va_list words;
    va_start(words, format);
    vsnprintf(command, sizeof command, format, words);
    va_end(words);
    int status = system(command);
    if (status) {
        fprintf(stderr, "status %d of: %s\n", status, command);
        abort();
    }
}

// Makes a folder for disks, whose name stays: in memory where that is, since the tools flush what they write.
static inline const char *folder_make(void)
{
    static char name[sizeof "/dev/shm/bm-ext4-XXXXXX"];
    strcpy(name, access("/dev/shm", W_OK) ? "/tmp/bm-ext4-XXXXXX" : "/dev/shm/bm-ext4-XXXXXX");
    if (!mkdtemp(name))
        abort();
    return name;
}

// Puts the disk into a file.
static inline void disk_save(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(disk_bytes, 1, disk.size, file) != disk.size || fclose(file))
        abort();
}

// Takes what is in a file as the disk.
static inline void disk_load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        abort();
    disk.size = (uint64_t)ftell(file);
    rewind(file);
    free(disk_bytes);
    disk_bytes = malloc(disk.size);
    if (fread(disk_bytes, 1, disk.size, file) != disk.size)
        abort();
    fclose(file);
    disk_reports = 0;
}
