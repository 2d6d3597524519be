// What malloc grows by.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <baremetal/memory.h>
#include <unistd.h>

void *sbrk(ptrdiff_t increment)
{
    void *old = bm_heap_extend(increment);
    if (old)
        return old;
    errno = ENOMEM;
    return (void *)-1;
}
