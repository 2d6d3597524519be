// Calls of POSIX's <stdio.h> and <stdlib.h> that newlib declares but leaves out of its library.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/lock.h>

void flockfile(FILE *file)
{
    __lock_acquire_recursive(file->_lock);
}

int ftrylockfile(FILE *file)
{
    return __lock_try_acquire_recursive(file->_lock) ? 0 : -1;
}

void funlockfile(FILE *file)
{
    __lock_release_recursive(file->_lock);
}

// Makes room for `needed` bytes; false with errno when there is no memory.
static int reserve(char **line, size_t *size, size_t needed)
{
    if (*line && *size >= needed)
        return 1;
    size_t larger = needed < 128 ? 128 : 2 * needed;
    char *moved = realloc(*line, larger);
    if (!moved)
        return 0;
    *line = moved;
    *size = larger;
    return 1;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict file)
{
    if (!line || !size) {
        errno = EINVAL;
        return -1;
    }
    size_t length = 0;
    int c;
    flockfile(file);
    while ((c = getc_unlocked(file)) != EOF) {
        if (!reserve(line, size, length + 2)) {
            length = 0;
            break;
        }
        (*line)[length++] = (char)c;
        if (c == delimiter)
            break;
    }
    funlockfile(file);
    if (length == 0)
        return -1;
    (*line)[length] = 0;
    return (ssize_t)length;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict file)
{
    return getdelim(line, size, '\n', file);
}
