// Eventfd: a counter behind a descriptor, which wakes who reads, polls or watches it, as Linux' eventfd(2).
// SPDX-License-Identifier: MIT
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum { BM_EVENTFD_SEMAPHORE = 1 }; // a read takes one, not all: Linux' EFD_SEMAPHORE

// Makes a counter with that value and puts it into the lowest free descriptor. A read gives a uint64_t, the
// counter, which it sets to 0, and waits while it is 0; a write adds a uint64_t below UINT64_MAX, and waits
// while the sum would reach that. `flags`: BM_EVENTFD_SEMAPHORE, BM_O_NONBLOCK, BM_O_CLOEXEC. Returns the
// descriptor, -BM_EINVAL, -BM_ENOMEM or -BM_EMFILE. Any core, not in handlers.
int bm_eventfd_open(unsigned value, int flags);

#ifdef __cplusplus
}
#endif
