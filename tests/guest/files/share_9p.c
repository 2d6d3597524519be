// A folder of the host by 9P: what is in it is told, for share_9p.py to compare; then it is changed, which
// the script looks at, too.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl picolibc
// @link virtio_9p virtio_legacy
// @script share_9p.py

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>

enum { LARGE = 300000 };

static unsigned char buffer[LARGE + 1], other[LARGE + 1];

static uint32_t sum_of(const char *path)
{
    long part;
    uint32_t sum = 0;
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    while ((part = read(file, buffer, sizeof buffer)) > 0)
        for (long i = 0; i < part; i++)
            sum = sum * 31 + buffer[i];
    CHECK(part == 0 && close(file) == 0);
    return sum;
}

static void tell(const char *path)
{
    struct stat status;
    char text[300] = "";
    CHECK(lstat(path, &status) == 0);
    bool directory = S_ISDIR(status.st_mode);
    printf("%s %o %ld %ld", path, (unsigned)status.st_mode, directory ? 0 : (long)status.st_size,
           (long)status.st_mtime);
    if (S_ISREG(status.st_mode))
        printf(" %u", (unsigned)sum_of(path));
    if (S_ISLNK(status.st_mode)) {
        CHECK(readlink(path, text, sizeof text - 1) > 0);
        printf(" %s", text);
    }
    puts("");
    if (!directory)
        return;
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    CHECK(count >= 2);
    for (int i = 0; i < count; i++) {
        char below[1000];
        snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
        if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, ".."))
            tell(below);
        free(names[i]);
    }
    free(names);
}

static void test_bytes(void)
{
    int file = open("/host/made", O_RDWR | O_CREAT | O_EXCL, 0640);
    struct stat status;
    CHECK(file >= 0);
    for (int i = 0; i < LARGE; i++)
        buffer[i] = (unsigned char)(i * 7 + i / 256);
    CHECK(write(file, buffer, LARGE) == LARGE);
    CHECK(pread(file, other, LARGE + 1, 0) == LARGE && !memcmp(buffer, other, LARGE));
    CHECK(pwrite(file, "here", 4, 70000) == 4);
    CHECK(ftruncate(file, 200000) == 0 && fstat(file, &status) == 0 && status.st_size == 200000);
    CHECK(lseek(file, 0, SEEK_END) == 200000);
    CHECK(fsync(file) == 0 && close(file) == 0);
    file = open("/host/log", O_WRONLY | O_APPEND);
    CHECK(file >= 0 && write(file, "of the guest\n", 13) == 13 && close(file) == 0);
    CHECK_ERRNO(open("/host/made", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_ERRNO(open("/host/none", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/host/log/none", O_RDONLY), ENOTDIR);
}

static void test_names(void)
{
    struct stat status;
    struct statvfs space;
    char path[300];
    CHECK(mkdir("/host/new", 0750) == 0 && mkdir("/host/new/below", 0700) == 0);
    CHECK_ERRNO(mkdir("/host/new", 0750), EEXIST);
    CHECK_ERRNO(rmdir("/host/new"), ENOTEMPTY);
    CHECK(symlink("../log", "/host/new/link") == 0 && stat("/host/new/link", &status) == 0);
    CHECK(link("/host/log", "/host/new/second") == 0 && stat("/host/log", &status) == 0 &&
          status.st_nlink == 2);
    CHECK(rename("/host/moved", "/host/new/moved") == 0);
    CHECK_ERRNO(stat("/host/moved", &status), ENOENT);
    CHECK_ERRNO(rename("/host/new/moved", "/tmp/x"), EXDEV);
    CHECK(unlink("/host/gone") == 0);
    CHECK_ERRNO(unlink("/host/gone"), ENOENT);
    CHECK(chmod("/host/log", 0604) == 0 && chdir("/host/new/below") == 0);
    CHECK(getcwd(path, sizeof path) && !strcmp(path, "/host/new/below"));
    CHECK(chdir("..") == 0 && rmdir("below") == 0 && chdir("/") == 0);
    CHECK(utimes("/host/new/link", (struct timeval[]){{1000000000, 0}, {1234567890, 500000}}) == 0);
    CHECK(stat("/host/log", &status) == 0 && status.st_mtime == 1234567890);
    CHECK(statvfs("/host", &space) == 0 && space.f_blocks > 0);
    // One that is removed while it is open stays.
    int file = open("/host/open", O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0 && write(file, "text", 4) == 4 && unlink("/host/open") == 0);
    CHECK(pread(file, path, 4, 0) == 4 && !memcmp(path, "text", 4) && close(file) == 0);
}

int main(void)
{
    puts("BEGIN");
    tell("/host");
    puts("END");
    test_bytes();
    test_names();
    CHECK_ERRNO(open("/none", O_RDONLY), ENOENT);
    return passed();
}
