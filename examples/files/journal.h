// A log of numbered lines in files that take turns.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

enum { LOG_OLD_MAX = 9 };

// PATH is the log, PATH.1 … PATH.<old> those before it. A file is full with `bytes`.
struct log {
    const char *path, *folder;
    size_t bytes;
    unsigned old;

    int file;                // open for appending
    size_t size;             // of the file
    unsigned long last;      // number of the last line
    unsigned long taken_off; // bytes behind the last whole line, which a power cut had left
};

// Finds the last line of what is there, and opens the log behind it. These return 0, or -1 with errno.
int log_open(struct log *log);

// Adds a line with the next number; the file takes turns when it is full.
int log_write(struct log *log, const char *text);

// Returns when all lines are on the disk, and would be there after a power cut.
int log_save(struct log *log);
