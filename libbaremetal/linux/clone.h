// Threads of the C library: what other files ask of clone.c, which only programs that make some link.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/futex.h>
#include <stdint.h>

// Ends the calling thread; returns when it is the last one.
void bm_linux_thread_end(void) __attribute__((weak));

// Has *word cleared and woken at the end of the calling thread, which is not main.
void bm_linux_thread_word(uint32_t *word) __attribute__((weak));

// bm_futex_requeue_as.
int bm_linux_requeue(const bm_futex *word, const bm_futex *key, unsigned wake, unsigned move,
                     const bm_futex *to, const uint32_t *expected) __attribute__((weak));

// thread.c: the same as bm_linux_thread_word of main.
extern uint32_t *bm_linux_main_word;
