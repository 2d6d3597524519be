// ext4 disks that mkfs.ext4 made of folders: what is in them is told, for disk_ext4.py to compare; and what
// cannot be done on them.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl
// @link ext4 virtio_blk
// @script disk_ext4.py

#include "tell.h"

#include <errno.h>
#include <sys/statvfs.h>

static void test_refusals(void)
{
    struct statvfs space;
    char path[100];
    CHECK_ERRNO(open("/data/empty", O_WRONLY), EROFS);
    CHECK_ERRNO(open("/data/new", O_RDWR | O_CREAT, 0600), EROFS);
    CHECK_ERRNO(open("/data/none", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/data/many/none", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/data/empty/none", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(unlink("/data/empty"), EROFS);
    CHECK_ERRNO(rename("/data/empty", "/tmp/other"), EXDEV);
    CHECK_ERRNO(truncate("/data/big", 1), EROFS);
    CHECK_ERRNO(open("/bad", O_RDONLY), ENOENT);
    CHECK(statvfs("/data", &space) == 0 && space.f_bsize == 4096 && space.f_bfree > 0 &&
          space.f_bfree < space.f_blocks && space.f_ffree < space.f_files);
    CHECK(chdir("/data/directory/below") == 0 && getcwd(path, sizeof path) &&
          !strcmp(path, "/data/directory/below"));
    CHECK(chdir("../..") == 0 && getcwd(path, sizeof path) && !strcmp(path, "/data"));
    CHECK(chdir("/") == 0);
}

// The end of a file of gigabytes, nearly all of which is a hole.
static void test_far(void)
{
    char bytes[4];
    int file = open("/far/far", O_RDONLY);
    CHECK(file >= 0);
    CHECK(lseek(file, -4, SEEK_END) > 5ll << 30);
    CHECK(read(file, bytes, 4) == 4 && !memcmp(bytes, "far!", 4));
    CHECK(read(file, bytes, 4) == 0);
    CHECK(close(file) == 0);
}

int main(void)
{
    struct stat status;
    CHECK(stat("/data", &status) == 0); // mounts the disks, which the log tells
    puts("BEGIN");
    tell("/data");
    tell("/other");
    tell("/deep/part");
    puts("END");
    test_far();
    test_refusals();
    return passed();
}
