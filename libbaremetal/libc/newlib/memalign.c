// posix_memalign, which newlib lacks. Apart from the rest: a heap that is linked brings its own.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
        return EINVAL;
    int before = errno;
    void *found = aligned_alloc(alignment, size);
    errno = before;
    if (!found)
        return ENOMEM;
    *block = found;
    return 0;
}
