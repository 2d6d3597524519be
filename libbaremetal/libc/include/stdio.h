// Completes the C library's <stdio.h>.
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include_next <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

ssize_t getline(char **__restrict line, size_t *__restrict size, FILE *__restrict file);
int renameat(int from_directory, const char *from, int to_directory, const char *to);
ssize_t getdelim(char **__restrict line, size_t *__restrict size, int delimiter, FILE *__restrict file);

#ifdef __cplusplus
}
#endif
