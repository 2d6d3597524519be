// Pipes.
// SPDX-License-Identifier: MIT
#include "linux.h"

long bm_linux_pipe2(int descriptors[2], int flags)
{
    return bm_pipe_open(descriptors, flags);
}

long bm_linux_pipe(int descriptors[2])
{
    return bm_pipe_open(descriptors, 0);
}
