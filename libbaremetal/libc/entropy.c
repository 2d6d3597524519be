// Random bytes for programs.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <baremetal/random.h>
#include <limits.h>
#include <sys/random.h>
#include <unistd.h>

enum { ENTROPY_MAX = 256 };

int getentropy(void *buffer, size_t size)
{
    if (size > ENTROPY_MAX)
        return (int)bm_posix_result(-EIO);
    bm_random_fill(buffer, size);
    return 0;
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM))
        return (ssize_t)bm_posix_result(-EINVAL);
    if (size > SSIZE_MAX)
        size = SSIZE_MAX;
    bm_random_fill(buffer, size);
    return (ssize_t)size;
}
