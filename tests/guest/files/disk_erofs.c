// EROFS disks that mkfs.erofs made of folders: what is in them is told, for disk_erofs.py to compare; and
// what cannot be done on them.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl picolibc
// @link erofs virtio_blk
// @script disk_erofs.py

#include "check.h"

#include <baremetal/mount.h>
#include <baremetal/work.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PART = 50000, PARTS_MAX = 200 };

static uint32_t add(uint32_t sum, const unsigned char *bytes, long size)
{
    for (long i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

// In pieces of odd sizes.
static uint32_t sum_of(const char *path)
{
    static unsigned char buffer[PART];
    int file = open(path, O_RDONLY);
    long part;
    uint32_t sum = 2166136261u;
    CHECK(file >= 0);
    for (size_t size = 1; (part = read(file, buffer, size)) > 0; size = size * 3 % PART + 1)
        sum = add(sum, buffer, part);
    CHECK(part == 0);
    CHECK(close(file) == 0);
    return sum;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void tell(const char *path);

static void list(const char *path)
{
    size_t count = 0, room = 16;
    char **names = malloc(room * sizeof *names);
    DIR *directory = opendir(path);
    CHECK(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (count == room)
            names = realloc(names, (room *= 2) * sizeof *names);
        names[count++] = strdup(entry->d_name);
    }
    CHECK(closedir(directory) == 0);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        char *below = malloc(strlen(path) + strlen(names[i]) + 2);
        sprintf(below, "%s/%s", path, names[i]);
        if (strcmp(names[i], ".") && strcmp(names[i], ".."))
            tell(below);
        free(below);
        free(names[i]);
    }
    free(names);
}

static void tell(const char *path)
{
    struct stat status;
    char target[5000] = "";
    CHECK(lstat(path, &status) == 0);
    printf("%s %o %ld", path, (unsigned)status.st_mode, S_ISDIR(status.st_mode) ? 0 : (long)status.st_size);
    if (S_ISREG(status.st_mode))
        printf(" %08x", (unsigned)sum_of(path));
    if (S_ISLNK(status.st_mode)) {
        CHECK(readlink(path, target, sizeof target - 1) == status.st_size);
        printf(" %s", target);
    }
    printf(" %ld\n", (long)status.st_mtime);
    if (S_ISDIR(status.st_mode))
        list(path);
}

static struct {
    int file;
    long size;
    uint32_t sums[PARTS_MAX];
} shared;

static void sum_parts(size_t begin, size_t end, void *arg)
{
    (void)arg;
    unsigned char *buffer = malloc(PART);
    for (size_t i = begin; i < end; i++) {
        long part = pread(shared.file, buffer, PART, (off_t)(i * PART));
        shared.sums[i] = add(2166136261u, buffer, part);
    }
    free(buffer);
}

// All cores want the same pages, none of which is there.
static void test_cores(void)
{
    struct stat status;
    static uint32_t wanted[PARTS_MAX];
    shared.file = open("/other/big", O_RDONLY);
    CHECK(shared.file >= 0 && fstat(shared.file, &status) == 0);
    size_t count = ((size_t)status.st_size + PART - 1) / PART;
    CHECK(count > 20 && count < PARTS_MAX);
    bm_parallel_for(0, count, 1, sum_parts, NULL);
    memcpy(wanted, shared.sums, sizeof wanted);
    sum_parts(0, count, NULL);
    CHECK(!memcmp(wanted, shared.sums, sizeof wanted));
    CHECK(close(shared.file) == 0);
}

static void test_refusals(void)
{
    struct statvfs space;
    char path[100];
    CHECK_ERRNO(open("/data/empty", O_WRONLY), EROFS);
    CHECK_ERRNO(open("/data/new", O_RDWR | O_CREAT, 0600), EROFS);
    CHECK_ERRNO(open("/data/none", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/data/empty/none", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(mkdir("/data/new", 0700), EROFS);
    CHECK_ERRNO(unlink("/data/empty"), EROFS);
    CHECK_ERRNO(rename("/data/empty", "/data/other"), EROFS);
    CHECK_ERRNO(rename("/data/empty", "/tmp/other"), EXDEV);
    CHECK_ERRNO(truncate("/data/big", 1), EROFS);
    CHECK_ERRNO(open("/bad", O_RDONLY), ENOENT);
    CHECK(statvfs("/data", &space) == 0 && space.f_bsize == 4096 && space.f_bfree == 0);
    CHECK(chdir("/data/directory/below") == 0 && getcwd(path, sizeof path) &&
          !strcmp(path, "/data/directory/below"));
    CHECK(chdir("../..") == 0 && getcwd(path, sizeof path) && !strcmp(path, "/data"));
    CHECK(chdir("/") == 0);
}

int main(void)
{
    test_cores();
    puts("BEGIN");
    tell("/data");
    tell("/other");
    tell("/deep/er/part");
    puts("END");
    test_refusals();
    return passed();
}
