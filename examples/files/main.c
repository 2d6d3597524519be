// Keeps files on a disk: settings, a counter of its starts, and a log that goes on where it ended.
// SPDX-License-Identifier: MIT
//
//     CMDLINE="-- lines=1000" cmake --build build --target run-files
//
// A line is safe when the program has said so: turn the machine off at any moment, and start it again.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"

#define FOLDER "/data"

enum { LINES_A_SAVE = 10, LINES_MAX = 1000000 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "files: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

// What the settings say of a name, within bounds.
static unsigned long setting(const char *name, unsigned long least, unsigned long most,
                             unsigned long otherwise)
{
    char line[100];
    size_t length = strlen(name);
    unsigned long value = otherwise;
    FILE *file = fopen(FOLDER "/settings.txt", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, length) && line[length] == '=')
            value = strtoul(line + length + 1, NULL, 10);
    if (file)
        fclose(file);
    return value < least ? least : value > most ? most : value;
}

// A small file in whole: the new one is written beside the old one and takes its name, so that at each moment
// there is one or the other.
static void replace(const char *path, const char *text)
{
    char beside[100];
    snprintf(beside, sizeof beside, "%s.new", path);
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text) || fsync(file) || close(file))
        fail(beside);
    if (rename(beside, path))
        fail(path);
}

static unsigned count_start(void)
{
    char text[32] = "0";
    FILE *file = fopen(FOLDER "/starts", "r");
    if (file) {
        if (!fgets(text, sizeof text, file))
            fail(FOLDER "/starts");
        fclose(file);
    }
    unsigned starts = (unsigned)strtoul(text, NULL, 10) + 1;
    snprintf(text, sizeof text, "%u\n", starts);
    replace(FOLDER "/starts", text);
    return starts;
}

// `lines=n` behind " -- ".
static unsigned long lines_of(int argc, char **argv)
{
    char *end = "?";
    unsigned long lines = 100;
    if (argc == 2 && !strncmp(argv[1], "lines=", 6))
        lines = strtoul(argv[1] + 6, &end, 10);
    else if (argc == 1)
        end = "";
    if (*end || lines < 1 || lines > LINES_MAX) {
        fprintf(stderr, "files: write lines=1 … lines=%d behind \" -- \"\n", LINES_MAX);
        exit(EXIT_FAILURE);
    }
    return lines;
}

static void tell_space(void)
{
    struct statvfs space;
    if (statvfs(FOLDER, &space))
        fail(FOLDER);
    printf("files: %lu of %lu KiB are free\n", (unsigned long)(space.f_bfree * space.f_frsize / 1024),
           (unsigned long)(space.f_blocks * space.f_frsize / 1024));
}

int main(int argc, char **argv)
{
    unsigned long lines = lines_of(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (access(FOLDER "/lost+found", F_OK)) { // every ext4 has it
        fprintf(stderr, "files: no disk is mounted on " FOLDER ": see the kernel's messages\n");
        return EXIT_FAILURE;
    }
    struct log log = {.path = FOLDER "/log.txt",
                      .folder = FOLDER,
                      .bytes = setting("bytes", 200, 1 << 20, 20000),
                      .old = (unsigned)setting("old", 1, LOG_OLD_MAX, 3)};
    unsigned starts = count_start();
    if (log_open(&log))
        fail(log.path);
    printf("files: start %u, the log ends with line %lu; %lu bytes were taken off\n", starts, log.last,
           log.taken_off);
    for (unsigned long i = 1; i <= lines; i++) {
        char text[100];
        snprintf(text, sizeof text, "start %u, %lld seconds since 1970", starts, (long long)time(NULL));
        if (log_write(&log, text))
            fail(log.path);
        if (i % LINES_A_SAVE && i < lines)
            continue;
        if (log_save(&log))
            fail(log.path);
        printf("files: safe up to line %lu\n", log.last);
    }
    tell_space();
    return 0;
}
