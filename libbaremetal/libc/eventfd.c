// Eventfd.
// SPDX-License-Identifier: MIT
#include "libc.h"

#include <baremetal/eventfd.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert((int)EFD_SEMAPHORE == (int)BM_EVENTFD_SEMAPHORE, "the kernel's number");

int eventfd(unsigned value, int flags)
{
    return (int)bm_posix_result(bm_eventfd_open(value, flags));
}

int eventfd_read(int descriptor, eventfd_t *value)
{
    return read(descriptor, value, sizeof *value) == sizeof *value ? 0 : -1;
}

int eventfd_write(int descriptor, eventfd_t value)
{
    return write(descriptor, &value, sizeof value) == sizeof value ? 0 : -1;
}
