// Completes the C library's <sys/stat.h>.
// SPDX-License-Identifier: MIT
#pragma once

#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

int lstat(const char *__restrict path, struct stat *__restrict status);

#ifdef __cplusplus
}
#endif
