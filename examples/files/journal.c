// A log of numbered lines in files that take turns, which a power cut leaves whole.
// SPDX-License-Identifier: MIT
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 200, LINE_SIZE = 200 };

static void old_path(const struct log *log, unsigned number, char *path)
{
    if (number)
        snprintf(path, PATH_SIZE, "%s.%u", log->path, number);
    else
        snprintf(path, PATH_SIZE, "%s", log->path);
}

// Reads a file's lines, each with the next number, up to the first that is none: behind the last save a power
// cut may have left half a line, or zeros. Returns the bytes of the whole ones, and their last number.
static long scan(const char *path, unsigned long *last)
{
    char line[LINE_SIZE], *end;
    long whole = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return errno == ENOENT ? 0 : -1;
    *last = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned long number = strtoul(line, &end, 10);
        size_t length = strlen(line);
        if (end == line || *end != ' ' || line[length - 1] != '\n' || (*last && number != *last + 1))
            break;
        *last = number;
        whole += (long)length;
    }
    int failed = ferror(file);
    fclose(file);
    return failed ? -1 : whole;
}

// A file's name is safe when its directory is.
static int save_folder(const struct log *log)
{
    int folder = open(log->folder, O_RDONLY | O_DIRECTORY);
    int result = folder < 0 ? -1 : fsync(folder);
    if (folder >= 0)
        close(folder);
    return result;
}

static int open_file(struct log *log)
{
    log->file = open(log->path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    return log->file < 0 ? -1 : 0;
}

int log_open(struct log *log)
{
    char path[PATH_SIZE];
    long whole = 0;
    for (unsigned i = 0; i <= log->old && !log->last; i++) { // a new file may have no line yet
        old_path(log, i, path);
        long bytes = scan(path, &log->last);
        if (bytes < 0)
            return -1;
        whole = i ? whole : bytes;
    }
    if (open_file(log))
        return -1;
    off_t size = lseek(log->file, 0, SEEK_END);
    log->size = (size_t)whole;
    log->taken_off = (unsigned long)(size - whole);
    if (size > whole && ftruncate(log->file, whole))
        return -1;
    return save_folder(log);
}

// The oldest goes, the others move on by one; each rename is one step, so that none is lost in between.
static int take_turns(struct log *log)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    if (fsync(log->file) || close(log->file))
        return -1;
    for (unsigned i = log->old; i > 0; i--) {
        old_path(log, i - 1, from);
        old_path(log, i, to);
        if (rename(from, to) && errno != ENOENT)
            return -1;
    }
    log->size = 0;
    return open_file(log) ? -1 : save_folder(log);
}

int log_write(struct log *log, const char *text)
{
    char line[LINE_SIZE];
    int length = snprintf(line, sizeof line, "%lu %s\n", log->last + 1, text);
    if (length >= (int)sizeof line) {
        errno = EINVAL;
        return -1;
    }
    if (log->size && log->size + (size_t)length > log->bytes && take_turns(log))
        return -1;
    if (write(log->file, line, (size_t)length) != length)
        return -1;
    log->last++;
    log->size += (size_t)length;
    return 0;
}

int log_save(struct log *log)
{
    return fsync(log->file);
}
