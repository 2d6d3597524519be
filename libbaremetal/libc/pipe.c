// Pipes.
// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // pipe2
#include "libc.h"

#include <fcntl.h>
#include <unistd.h>

int pipe2(int descriptors[2], int flags)
{
    return (int)bm_posix_result(bm_pipe_open(descriptors, flags));
}

int pipe(int descriptors[2])
{
    return pipe2(descriptors, 0);
}
