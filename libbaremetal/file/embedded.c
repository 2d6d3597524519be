// Files that the build put into the image, by their paths.
// SPDX-License-Identifier: MIT
// @optimize size
#include <baremetal/file.h>

static int compare(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

size_t bm_embedded_first_from(const char *path)
{
    size_t low = 0, high = bm_embedded_file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(bm_embedded_files[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct bm_embedded_file *bm_embedded_file_find(const char *path)
{
    size_t index = bm_embedded_first_from(path);
    if (index < bm_embedded_file_count && compare(bm_embedded_files[index].path, path) == 0)
        return &bm_embedded_files[index];
    return NULL;
}
