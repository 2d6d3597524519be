// What the files of this image share: each breaks rules of some headers, one a boot.
// SPDX-License-Identifier: MIT
//
// A line `// @misuse NAME SENTENCE` in front of a case is what the panic of the checked build must say; the
// caller that it names must be the function NAME (or, with @misuse_within, anything within the kernel).
#pragma once

#include <baremetal/assert.h>
#include <stddef.h>

struct misuse {
    const char *name;
    void (*function)(void);
};

// Not inlined and with a frame of its own, so that it can be named.
#define MISUSE(name) static __attribute__((noinline)) void name(void)
#define MISUSE_CASE(name)                                                                                    \
    {                                                                                                        \
#name, name                                                                                          \
    }
#define MISUSE_END                                                                                           \
    {                                                                                                        \
        NULL, NULL                                                                                           \
    }

// The cases of each file; NULL where it is not in this image.
#define MISUSE_LIST extern const struct misuse __attribute__((weak))
MISUSE_LIST misuse_wait[], misuse_work[], misuse_memory[], misuse_kernel[], misuse_device[], misuse_console[],
    misuse_net[], misuse_block[], misuse_file[], misuse_thread[];

// Calls the function in an interrupt handler of this core, or in a poller.
void misuse_in_handler(void (*function)(void));
void misuse_in_poller(void (*function)(void));
