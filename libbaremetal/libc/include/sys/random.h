// Random bytes from the kernel's generator.
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2

// Never blocks: a machine without an entropy source is told at boot.
ssize_t getrandom(void *buffer, size_t size, unsigned flags);

// At most 256 bytes (POSIX.1-2024).
int getentropy(void *buffer, size_t size);

#ifdef __cplusplus
}
#endif
