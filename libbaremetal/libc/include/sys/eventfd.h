// Counters that wake who reads or watches them, as Linux' eventfd(2) (<baremetal/eventfd.h>).
// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EFD_SEMAPHORE 1
#define EFD_CLOEXEC   O_CLOEXEC
#define EFD_NONBLOCK  O_NONBLOCK

typedef uint64_t eventfd_t;

int eventfd(unsigned value, int flags);
int eventfd_read(int descriptor, eventfd_t *value);
int eventfd_write(int descriptor, eventfd_t value);

#ifdef __cplusplus
}
#endif
