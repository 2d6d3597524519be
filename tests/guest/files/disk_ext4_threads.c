// An ext4 disk that several threads write at once: their own files, names in one directory, one file
// together, and bytes that are a mapping of the same file system.
// SPDX-License-Identifier: MIT
// @variants musl
// @link ext4_write virtio_blk
// @script disk_ext4_threads.py

#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 40, SIZE = 50000, RECORD = 64 };

static int together; // the file of all threads
static uint8_t written[THREADS][SIZE], found[THREADS][SIZE];

static void fill(uint8_t *to, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        to[i] = (uint8_t)(seed >> 24);
    }
}

static void write_file(const char *path, const void *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(file >= 0);
    CHECK(write(file, data, size) == (ssize_t)size);
    CHECK(close(file) == 0);
}

// Also from a mapping, of which no page has been read yet.
static void check_file(const char *path, const uint8_t *data, size_t size, const char *copy, uint8_t *other)
{
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    uint8_t *mapped = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    CHECK(mapped != MAP_FAILED);
    write_file(copy, mapped, size);
    CHECK(munmap(mapped, size) == 0 && close(file) == 0);
    file = open(copy, O_RDONLY);
    CHECK(file >= 0);
    CHECK(read(file, other, SIZE) == (ssize_t)size && !memcmp(other, data, size));
    CHECK(close(file) == 0);
}

static void *work(void *arg)
{
    unsigned thread = (unsigned)(uintptr_t)arg;
    uint8_t *bytes = written[thread];
    char name[60], other[60], copy[60], record[RECORD];
    snprintf(copy, sizeof copy, "/data/copy%u", thread);
    memset(record, 'a' + (int)thread, sizeof record);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t size = 1 + (round * 7919 + thread * 104729) % SIZE;
        fill(bytes, size, round * THREADS + thread);
        snprintf(name, sizeof name, "/data/own%u", thread);
        write_file(name, bytes, size);
        check_file(name, bytes, size, copy, found[thread]);
        CHECK(write(together, record, RECORD) == RECORD);
        CHECK(truncate(copy, (off_t)size / 2) == 0);
        snprintf(other, sizeof other, "/data/all/%u-%u", thread, round);
        CHECK(rename(name, other) == 0);
        if (round >= 5) {
            snprintf(other, sizeof other, "/data/all/%u-%u", thread, round - 5);
            CHECK(unlink(other) == 0);
        }
        if (round % 8 == 0)
            CHECK(fsync(together) == 0);
    }
    return NULL;
}

// Each record of the file together is one thread's, and there are all.
static void check_together(void)
{
    char record[RECORD];
    unsigned counts[THREADS] = {0};
    CHECK(lseek(together, 0, SEEK_END) == THREADS * ROUNDS * RECORD && lseek(together, 0, SEEK_SET) == 0);
    for (unsigned i = 0; i < THREADS * ROUNDS; i++) {
        CHECK(read(together, record, RECORD) == RECORD);
        unsigned thread = (unsigned)(record[0] - 'a');
        CHECK(thread < THREADS);
        for (unsigned at = 1; at < RECORD; at++)
            CHECK(record[at] == record[0]);
        counts[thread]++;
    }
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(counts[i] == ROUNDS);
}

int main(void)
{
    pthread_t threads[THREADS];
    CHECK(mkdir("/data/all", 0755) == 0);
    together = open("/data/together", O_RDWR | O_CREAT | O_APPEND, 0644);
    CHECK(together >= 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    check_together();
    return passed();
}
