// What the files of <threads.h> share.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>
#include <threads.h>

// mutex.c: a time of TIME_UTC as one of bm_time_monotonic(). Returns thrd_success, or thrd_error for none.
int bm_threads_deadline(const struct timespec *when, uint64_t *deadline);

// specific.c, when linked: calls the destructors of the calling thread's values.
void bm_threads_values_end(void) __attribute__((weak));
