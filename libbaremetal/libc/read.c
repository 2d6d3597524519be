// Reading from descriptors.
// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "terminal.h"

#include <fcntl.h>
#include <unistd.h>

BM_TERMINAL_INPUT_NEEDED;

ssize_t read(int descriptor, void *buffer, size_t size)
{
    struct bm_file *file = bm_posix_find(descriptor, O_RDONLY);
    if (!file)
        return -1;
    return bm_posix_finish(file, file->ops->read ? file->ops->read(file, buffer, size) : -EINVAL);
}
