// Tells what is in a tree of files, for a script that compares it with what the host sees.
// SPDX-License-Identifier: MIT
#pragma once

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 50000 };

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
