// An ext4 disk that is written: files, directories, links, renames, holes, full disks and what is open
// without a name; disk_ext4_write.py has e2fsck judge it, and starts the machine again to read it.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl
// @link ext4_write virtio_blk
// @script disk_ext4_write.py

#include "tell.h"

#include <errno.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SIZE = 300000, NAMES = 60 };

static uint8_t bytes[SIZE], other[SIZE];

static void fill(uint8_t *to, uint32_t seed)
{
    for (unsigned i = 0; i < SIZE; i++) {
        seed = seed * 1664525 + 1013904223;
        to[i] = (uint8_t)(seed >> 24);
    }
}

static void put(const char *path, const void *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(file >= 0);
    CHECK(write(file, data, size) == (ssize_t)size);
    CHECK(close(file) == 0);
}

static void compare(const char *path, const void *data, size_t size)
{
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    CHECK(lseek(file, 0, SEEK_END) == (off_t)size && lseek(file, 0, SEEK_SET) == 0);
    CHECK(read(file, other, SIZE) == (ssize_t)size);
    for (size_t i = 0; i < size; i++)
        if (other[i] != ((const uint8_t *)data)[i]) {
            printf("%s: byte %zu of %zu is wrong\n", path, i, size);
            break;
        }
    CHECK(!memcmp(other, data, size));
    CHECK(close(file) == 0);
}

static void test_bytes(void)
{
    static const char zeros[9000];
    char part[100];
    int file = open("/data/bytes", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(file >= 0);
    for (unsigned at = 0, size = 1; at < SIZE; at += size, size = size * 3 + 1) { // in pieces
        if (size > SIZE - at)
            size = SIZE - at;
        CHECK(write(file, bytes + at, size) == (ssize_t)size);
        CHECK(pread(file, other, at + size, 0) == (ssize_t)(at + size) && !memcmp(other, bytes, at + size));
    }
    CHECK(pwrite(file, "middle", 6, 100001) == 6);
    memcpy(bytes + 100001, "middle", 6);
    CHECK(fsync(file) == 0 && fdatasync(file) == 0);
    compare("/data/bytes", bytes, SIZE);
    CHECK(ftruncate(file, 70001) == 0 && ftruncate(file, 79001) == 0); // zeros come back, not bytes
    CHECK(pread(file, other, SIZE, 0) == 79001);
    CHECK(!memcmp(other, bytes, 70001) && !memcmp(other + 70001, zeros, 9000));
    CHECK(pwrite(file, "far", 3, 50 << 20) == 3); // a hole
    CHECK(pread(file, part, sizeof part, (50 << 20) - 50) == 53);
    CHECK(!memcmp(part, zeros, 50) && !memcmp(part + 50, "far", 3));
    CHECK(close(file) == 0);
}

static void test_names(void)
{
    char name[300];
    struct stat status;
    CHECK(mkdir("/data/many", 0755) == 0 && mkdir("/data/many/below", 0700) == 0);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "/data/many/%0100u", i);
        put(name, bytes + i, i * 40);
    }
    for (unsigned i = 0; i < NAMES; i += 2) {
        snprintf(name, sizeof name, "/data/many/%0100u", i);
        CHECK(unlink(name) == 0);
    }
    for (unsigned i = 1; i < NAMES; i += 2) {
        snprintf(name, sizeof name, "/data/many/%0100u", i);
        compare(name, bytes + i, i * 40);
    }
    CHECK(link("/data/bytes", "/data/many/link") == 0);
    CHECK(stat("/data/bytes", &status) == 0 && status.st_nlink == 2);
    CHECK(symlink("many/link", "/data/short") == 0 && stat("/data/short", &status) == 0);
    CHECK_ERRNO(rmdir("/data/many"), ENOTEMPTY);
    CHECK_ERRNO(unlink("/data/many"), EISDIR);
    CHECK_ERRNO(mkdir("/data/many", 0700), EEXIST);
    CHECK_ERRNO(rename("/data/many", "/data/many/below/inside"), EINVAL);
    CHECK(mkdir("/data/to", 0700) == 0);
    CHECK(rename("/data/many/below", "/data/to/moved") == 0);
    CHECK(stat("/data/to/moved/..", &status) == 0 && status.st_nlink == 3);
    CHECK(rename("/data/many/link", "/data/to/link") == 0);
    put("/data/to/over", "over", 4);
    CHECK(rename("/data/to/over", "/data/to/link") == 0);
    compare("/data/to/link", "over", 4);
    CHECK(stat("/data/bytes", &status) == 0 && status.st_nlink == 1);
    CHECK(chmod("/data/to/link", 0751) == 0 && stat("/data/to/link", &status) == 0);
    CHECK((status.st_mode & 07777) == 0751);
}

// Space comes back when what is open without a name is closed. What a full disk has room for is written.
static void test_space(void)
{
    struct statvfs before, full, after;
    struct stat status;
    sync();
    CHECK(statvfs("/data", &before) == 0);
    int file = open("/data/full", O_RDWR | O_CREAT, 0600);
    ssize_t written;
    while ((written = write(file, bytes, SIZE)) > 0)
        ;
    CHECK(written < 0 && errno == ENOSPC);
    CHECK(statvfs("/data", &full) == 0 && full.f_bfree < before.f_bfree / 4);
    CHECK(full.f_bfree < 4); // none is reserved; nodes of extents
    CHECK(fstat(file, &status) == 0);
#ifdef __linux__
    int other_file = open("/data/less", O_RDWR | O_CREAT, 0600);
    CHECK(ftruncate(file, status.st_size - 100 * 4096) == 0);
    CHECK(posix_fallocate(other_file, 0, 110 * 4096) == ENOSPC); // and nothing is taken
    CHECK(fstat(other_file, &status) == 0 && status.st_size == 0 && status.st_blocks == 0);
    CHECK(posix_fallocate(other_file, 0, 90 * 4096) == 0);
    CHECK(close(other_file) == 0 && unlink("/data/less") == 0);
#endif
    CHECK(unlink("/data/full") == 0);
    CHECK(pread(file, other, 100, SIZE) == 100 && !memcmp(other, bytes, 100));
    CHECK(close(file) == 0);
    CHECK(statvfs("/data", &after) == 0 && after.f_bfree >= before.f_bfree - 1);
    put("/data/again", bytes, SIZE);
    compare("/data/again", bytes, SIZE);
}

// A file without a name is shortened as others are.
static void test_nameless(void)
{
    struct stat status;
    int file = open("/data/nameless", O_RDWR | O_CREAT | O_APPEND, 0600);
    CHECK(file >= 0 && unlink("/data/nameless") == 0);
    CHECK(write(file, bytes, SIZE) == SIZE && ftruncate(file, 100) == 0);
    CHECK(fstat(file, &status) == 0 && status.st_size == 100);
    CHECK(write(file, bytes, 50) == 50 && fstat(file, &status) == 0 && status.st_size == 150);
    CHECK(pread(file, other, SIZE, 0) == 150 && !memcmp(other, bytes, 100) &&
          !memcmp(other + 100, bytes, 50));
    CHECK(close(file) == 0);
}

// Who owns what is made: the program, and in a directory with the set-group-ID bit that one's group.
static void test_owners(void)
{
#ifdef __linux__
    struct stat status;
    CHECK(mkdir("/data/shared", 0755) == 0 && chown("/data/shared", 0, 5) == 0);
    CHECK(chmod("/data/shared", 02775) == 0);
    put("/data/shared/file", bytes, 10);
    CHECK(stat("/data/shared/file", &status) == 0 && status.st_uid == 0 && status.st_gid == 5);
    CHECK(mkdir("/data/shared/below", 0755) == 0);
    CHECK(stat("/data/shared/below", &status) == 0 && status.st_gid == 5 && status.st_mode & 02000);
    CHECK(chmod("/data", 0777) == 0 && setegid(7) == 0 && seteuid(70000) == 0);
    put("/data/mine", bytes, 10);
    CHECK(stat("/data/mine", &status) == 0 && status.st_uid == 70000 && status.st_gid == 7);
    CHECK_ERRNO(open("/data/bytes", O_RDONLY), EACCES);
    CHECK(seteuid(0) == 0 && setegid(0) == 0);
    CHECK(chmod("/data/shared", 0775) == 0 &&
          chmod("/data/shared/below", 0755) == 0); // debugfs loses that bit
#endif
}

// What chattr +i and +a say, which the script has set.
static void test_flags(void)
{
    CHECK_ERRNO(truncate("/data/immutable", 5), EPERM);
    CHECK_ERRNO(unlink("/data/immutable"), EPERM);
    CHECK_ERRNO(rename("/data/immutable", "/data/other"), EPERM);
    CHECK_ERRNO(link("/data/immutable", "/data/other"), EPERM);
    CHECK_ERRNO(chmod("/data/immutable", 0777), EPERM);
    int file = open("/data/append", O_WRONLY | O_APPEND);
    CHECK(file >= 0 && write(file, "more", 4) == 4 && close(file) == 0);
    file = open("/data/append", O_WRONLY);
    CHECK_ERRNO(pwrite(file, "other", 5, 0), EPERM);
    CHECK(close(file) == 0);
    CHECK_ERRNO(truncate("/data/append", 0), EPERM);
    CHECK_ERRNO(unlink("/data/append"), EPERM);
}

// A file without a name gets one, unless it was made never to have one.
static void test_links(void)
{
#ifdef O_TMPFILE
    int file = open("/data", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    CHECK(file >= 0);
    CHECK_ERRNO(linkat(file, "", AT_FDCWD, "/data/never", AT_EMPTY_PATH), ENOENT);
    CHECK(close(file) == 0);
    file = open("/data", O_TMPFILE | O_RDWR, 0600);
    CHECK(file >= 0 && write(file, bytes, 100) == 100);
    CHECK(linkat(file, "", AT_FDCWD, "/data/named", AT_EMPTY_PATH) == 0);
    CHECK(unlink("/data/named") == 0);
    CHECK_ERRNO(linkat(file, "", AT_FDCWD, "/data/named", AT_EMPTY_PATH), ENOENT);
    CHECK(close(file) == 0);
#endif
}

// Goes on until the machine is killed: what it has printed is safe.
static void loop(void)
{
    char record[4096], name[100];
    int log = open("/data/log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    CHECK(log >= 0);
    for (unsigned i = 0;; i++) {
        snprintf(name, sizeof name, "/data/file%u", i);
        memset(record, 'a' + (int)(i % 26), sizeof record);
        CHECK(write(log, record, sizeof record) == sizeof record);
        put("/data/new", record, i);
        CHECK(rename("/data/new", name) == 0);
        CHECK(fsync(log) == 0);
        printf("safe %u\n", i);
        snprintf(name, sizeof name, "/data/file%u", i - 10);
        CHECK(i < 10 || unlink(name) == 0);
    }
}

// Writes and then does nothing: what was written is safe after some seconds all the same.
static void idle(void)
{
    put("/data/made", bytes, SIZE);
    puts("made");
    for (;;)
        sleep(1);
}

int main(void)
{
    struct stat status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (stat("/data/idle", &status) == 0) {
        fill(bytes, 7);
        idle();
    }
    if (stat("/data/loop", &status) == 0)
        loop();
    fill(bytes, 7);
    if (stat("/data/many", &status)) {
        test_bytes();
        test_names();
        test_space();
        test_nameless();
        test_owners();
        test_flags();
        test_links();
    } else { // again: what was written is there
        memcpy(bytes + 100001, "middle", 6);
        compare("/data/again", bytes, SIZE);
        compare("/data/to/link", "over", 4);
    }
    CHECK_ERRNO(open("/old/new", O_WRONLY | O_CREAT, 0600), EROFS);
    CHECK_ERRNO(open("/kept/new", O_WRONLY | O_CREAT, 0600), EROFS);
    CHECK(stat("/kept/lost+found", &status) == 0);
    puts("BEGIN");
    tell("/data");
    puts("END");
    return passed();
}
