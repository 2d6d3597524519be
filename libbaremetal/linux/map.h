// What mmap's files share.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/inode.h>

// A mapping that is to be made.
struct bm_linux_mapping {
    uint64_t address, length; // whole pages; address 0: anywhere
    unsigned protection;      // enum bm_space_protection
    int64_t offset;           // in the file, whole pages
    bool keep;                // only if nothing is there
    bool populate;            // have its pages at once, if there is memory
};

// Whether what a mapping returned is an error: addresses may be of the upper half, and negative, too.
static inline bool bm_linux_is_error(int64_t result)
{
    enum { ERROR_MAX = 4095 };
    return result < 0 && result >= -ERROR_MAX;
}

// map_pages.c: the pages themselves of a regular file whose file system shares them; of another one, pages
// that are behind its end. The address or an error.
int64_t bm_linux_map_pages(struct bm_file *file, const struct bm_linux_mapping *what, bool shared);
