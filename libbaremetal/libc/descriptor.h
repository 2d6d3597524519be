// What every POSIX call on a descriptor does first and last.
// SPDX-License-Identifier: MIT
#pragma once

#include "libc.h"

// Finds the file of a descriptor when its access mode allows `mode` (O_RDONLY, O_WRONLY, or -1 for any); NULL
// with EBADF otherwise.
struct bm_file *bm_posix_find(int descriptor, int mode);

// Gives the file back and returns the result as POSIX wants it.
long bm_posix_finish(struct bm_file *file, long result);
