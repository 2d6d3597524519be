// Reads what the disks of data have, and counts its starts on one of them.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *path)
{
    perror(path);
    exit(EXIT_FAILURE);
}

static void show(const char *path)
{
    char line[100];
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file))
        fail(path);
    fclose(file);
    printf("%s: %s", path, line);
}

static void make(const char *path)
{
    FILE *file = fopen(path, "a");
    if (!file || fputs("x", file) < 0 || fclose(file))
        fail(path);
}

int main(int argc, char **argv)
{
    struct stat status;
    show("/data/greeting.txt");
    show("/srv/pages/first.txt");
    show("/srv/pages/deeper/second page.txt");
    if (stat("/data/tool", &status) || status.st_mode != (S_IFREG | 0755) || status.st_uid)
        fail("/data/tool");
    make("/data/starts");
    make("/empty/starts");
    if (stat("/data/starts", &status) || argc != 2 || strcmp(argv[1], "count"))
        fail("/data/starts");
    printf("start %d\n", (int)status.st_size);
    return 0;
}
