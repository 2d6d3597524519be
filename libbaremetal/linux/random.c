// Random bytes.
// SPDX-License-Identifier: MIT
#include "linux.h"

#include <baremetal/random.h>

enum { NONBLOCK = 1, RANDOM = 2, INSECURE = 4 };

long bm_linux_getrandom(void *buffer, size_t size, unsigned flags)
{
    if (flags & ~(unsigned)(NONBLOCK | RANDOM | INSECURE))
        return -BM_EINVAL;
    if (size > INT32_MAX)
        size = INT32_MAX;
    bm_random_fill(buffer, size);
    return (long)size;
}
