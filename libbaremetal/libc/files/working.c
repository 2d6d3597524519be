// The working directory, and paths without links.
// SPDX-License-Identifier: MIT
#include "files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int chdir(const char *path)
{
    return (int)bm_posix_result(bm_path_chdir(AT_FDCWD, path, 0));
}

int fchdir(int descriptor)
{
    return (int)bm_posix_result(descriptor == AT_FDCWD ? -EBADF
                                                       : bm_path_chdir(descriptor, "", BM_AT_EMPTY_PATH));
}

char *getcwd(char *buffer, size_t size)
{
    if (buffer && size == 0)
        errno = EINVAL;
    else if (!buffer && !(buffer = malloc(size = PATH_MAX)))
        errno = ENOMEM;
    else if (bm_posix_result(bm_path_getcwd(buffer, size)) >= 0)
        return buffer;
    return NULL;
}

char *realpath(const char *restrict path, char *restrict buffer)
{
    char *own = NULL;
    if (!path) {
        errno = EINVAL;
        return NULL;
    }
    if (!buffer && !(buffer = own = malloc(PATH_MAX)))
        return NULL;
    long result = bm_path_real(path, buffer, PATH_MAX);
    if (bm_posix_result(result == -ERANGE ? -ENAMETOOLONG : result) >= 0)
        return buffer;
    free(own);
    return NULL;
}
