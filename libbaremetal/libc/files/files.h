// What the calls of the full file service share: the C library's types in the kernel's words.
// SPDX-License-Identifier: MIT
#pragma once

#include "../libc.h"

#include <baremetal/path.h>
#include <time.h>

// The change that utimensat and its family ask for; `times` is NULL for now. Returns 0 or an errno.
int bm_posix_times(const struct timespec times[2], struct bm_inode_change *change);
