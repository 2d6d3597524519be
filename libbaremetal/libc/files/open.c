// open and its family, on the file service.
// SPDX-License-Identifier: MIT
#include "files.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    return (int)bm_posix_result(bm_path_open(AT_FDCWD, path, flags, mode));
}

int openat(int at, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    return (int)bm_posix_result(bm_path_open(at, path, flags, mode));
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

mode_t umask(mode_t mask)
{
    return (mode_t)bm_path_umask(mask);
}
