// Completes the C library's <sys/stat.h>.
// SPDX-License-Identifier: MIT
#pragma once

#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef UTIME_NOW
#define UTIME_NOW  ((1l << 30) - 1l)
#define UTIME_OMIT ((1l << 30) - 2l)
#endif

int lstat(const char *__restrict path, struct stat *__restrict status);
int fstatat(int directory, const char *__restrict path, struct stat *__restrict status, int flags);
int mknod(const char *path, mode_t mode, dev_t device);
int mkdirat(int directory, const char *path, mode_t mode);
int fchmodat(int directory, const char *path, mode_t mode, int flags);
int utimensat(int directory, const char *path, const struct timespec times[2], int flags);
int futimens(int descriptor, const struct timespec times[2]);

#ifdef __cplusplus
}
#endif
