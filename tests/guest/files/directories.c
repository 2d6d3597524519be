// The embedded files are found by walking directories, and by paths with dots and doubled slashes.
// SPDX-License-Identifier: MIT
// @file tree /

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

// The directory holds exactly these entries, in this order, directories with a slash behind.
static void check_entries(const char *path, const char *const *names)
{
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; names[i]; i++) {
            struct dirent *entry = readdir(directory);
            CHECK(entry != NULL);
            char name[300];
            snprintf(name, sizeof(name), "%s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
            printf("%s: %s\n", path, name);
            CHECK(strcmp(name, names[i]) == 0);
        }
        CHECK(readdir(directory) == NULL);
        rewinddir(directory);
    }
    CHECK(closedir(directory) == 0);
}

static void check_paths(void)
{
    static const char *const same[] = {"/greeting.txt",           "greeting.txt",          "./greeting.txt",
                                       "//greeting.txt",          "/deep/../greeting.txt", "/../greeting.txt",
                                       "/deep/./..//greeting.txt"};
    struct stat status;
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        CHECK(stat(same[i], &status) == 0);
        CHECK(S_ISREG(status.st_mode) && status.st_size == 32);
    }
    CHECK(stat("/", &status) == 0 && S_ISDIR(status.st_mode));
    CHECK(stat("/deep/", &status) == 0 && S_ISDIR(status.st_mode));
    CHECK_ERRNO(stat("/dee", &status), ENOENT);
    CHECK_ERRNO(stat("/deep/bytes", &status), ENOENT);
    static char long_path[5000];
    memset(long_path, 'x', sizeof(long_path) - 1);
    CHECK_ERRNO(stat(long_path, &status), ENAMETOOLONG);
    char here[4];
    CHECK(getcwd(here, sizeof(here)) == here && strcmp(here, "/") == 0);
    CHECK(getcwd(here, 1) == NULL && errno == ERANGE);
    CHECK(access("/greeting.txt", R_OK) == 0);
    CHECK_ERRNO(access("/greeting.txt", W_OK), EROFS);
    CHECK_ERRNO(access("/none", F_OK), ENOENT);
    CHECK_ERRNO(unlink("/greeting.txt"), EROFS);
    CHECK_ERRNO(unlink("/none"), ENOENT);
    CHECK_ERRNO(mkdir("/new", 0755), EROFS);
    CHECK_ERRNO(rename("/greeting.txt", "/other"), EROFS);
}

int main(void)
{
    check_entries("/", (const char *const[]){"deep/", "empty", "greeting.txt", NULL});
    check_entries("deep", (const char *const[]){"bytes.bin", NULL});
    CHECK(opendir("/none") == NULL && errno == ENOENT);
    CHECK(opendir("/greeting.txt") == NULL && errno == ENOTDIR);
    CHECK(opendir("") == NULL && errno == ENOENT);
    char byte;
    int directory = open("/deep", O_RDONLY | O_DIRECTORY);
    CHECK(directory >= 0);
    CHECK_ERRNO(read(directory, &byte, 1), EISDIR);
    CHECK(close(directory) == 0);
    CHECK_ERRNO(open("/empty", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERRNO(open("/deep", O_WRONLY), EISDIR);
    CHECK_ERRNO(open("/empty", O_RDONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    check_paths();
    return passed();
}
