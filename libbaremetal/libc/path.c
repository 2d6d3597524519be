// Paths without a tree of directories: there is one working directory, the root, and no link.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <limits.h>
#include <string.h>

int bm_path_resolve(const char *path, char *out)
{
    if (!*path)
        return ENOENT;
    size_t length = 0;
    while (*path) {
        size_t part = strcspn(path, "/");
        if (part == 2 && path[0] == '.' && path[1] == '.') {
            while (length && out[--length] != '/')
                ;
        } else if (part && !(part == 1 && path[0] == '.')) {
            if (length + part + 2 > PATH_MAX)
                return ENAMETOOLONG;
            out[length++] = '/';
            memcpy(out + length, path, part);
            length += part;
        }
        path += part + (path[part] == '/');
    }
    if (length == 0)
        out[length++] = '/';
    out[length] = 0;
    return 0;
}
