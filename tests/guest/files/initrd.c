// Files from the loader: archives of initrd.py over the image's files, told for it to compare.
// SPDX-License-Identifier: MIT
// @variants newlib-checked musl picolibc
// @link initrd
// @file initrd /etc
// @script initrd.py

#include "check.h"

#include <baremetal/memory.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void tell(const char *path);

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, by_name);
    CHECK(count >= 2);
    for (int i = 0; i < count; i++) {
        char below[1000];
        snprintf(below, sizeof below, "%s/%s", path[1] ? path : "", names[i]->d_name);
        if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, "..") && strcmp(below, "/dev") &&
            strcmp(below, "/tmp"))
            tell(below);
        free(names[i]);
    }
    free(names);
}

static void tell(const char *path)
{
    struct stat status;
    char text[300] = "";
    CHECK(lstat(path, &status) == 0);
    printf("%s %o %d", path, (unsigned)status.st_mode, (int)status.st_nlink * !S_ISDIR(status.st_mode));
    if (S_ISREG(status.st_mode)) {
        static unsigned char buffer[10000];
        uint32_t sum = 0;
        long part;
        int file = open(path, O_RDONLY);
        CHECK(file >= 0);
        while ((part = read(file, buffer, sizeof buffer)) > 0)
            for (long i = 0; i < part; i++)
                sum = sum * 31 + buffer[i];
        CHECK(part == 0 && close(file) == 0);
        printf(" %ld %u", (long)status.st_size, (unsigned)sum);
    }
    if (S_ISLNK(status.st_mode)) {
        CHECK(readlink(path, text, sizeof text - 1) > 0);
        printf(" %s", text);
    }
    puts("");
    if (S_ISDIR(status.st_mode))
        list(path);
}

// What is written is copied, and no more; the archive stays.
static void test_writing(void)
{
    struct stat status;
    char text[5] = "";
    int file = open("/files/large", O_RDWR), other = open("/files/large", O_RDONLY);
    if (file < 0)
        return; // another archive
    CHECK(fstat(file, &status) == 0 && status.st_blocks == 0);
    CHECK(pwrite(file, "new", 3, 100000) == 3);
    CHECK(fstat(file, &status) == 0 && status.st_blocks == 8);
    CHECK(pread(other, text, 4, 100000) == 4 && !memcmp(text, "new", 3) && text[3] == (char)(100003 * 7));
    CHECK(close(file) == 0 && close(other) == 0);
    CHECK(unlink("/files/large") == 0 && open("/files/large", O_RDONLY) == -1);
}

int main(void)
{
    puts("BEGIN");
    list("/");
    puts("END");
    test_writing();
    return passed();
}
