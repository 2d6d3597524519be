// EROFS disks that mkfs.erofs made of folders: what is in them is told, for disk_erofs.py to compare; and
// what cannot be done on them.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl picolibc
// @link erofs virtio_blk
// @script disk_erofs.py

#include "tell.h"

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

enum { PARTS_MAX = 200 };

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
