// What the kernel says of a file, in the C library's words.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/file.h>
#include <sys/stat.h>

void bm_posix_status(struct stat *to, const struct bm_file_status *from);
