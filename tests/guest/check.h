// What every guest test uses: checks that name themselves when they fail, and the last line.
// SPDX-License-Identifier: MIT
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Ends the program with a failing status, naming the place, unless `condition` holds.
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("FAILED %s:%d: %s (errno %d: %s)\n", __FILE__, __LINE__, #condition, errno,               \
                   strerror(errno));                                                                         \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

// Checks that a call fails with that errno.
#define CHECK_ERRNO(call, number)                                                                            \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        CHECK((call) < 0);                                                                                   \
        CHECK(errno == (number));                                                                            \
    } while (0)

// The last word of a test that passed: `return passed();` at the end of main.
static inline int passed(void)
{
    puts("PASS");
    return 0;
}

// Hides a value from the compiler, so that it cannot see a fault coming.
static inline void *hidden(unsigned long address)
{
    __asm__ volatile("" : "+r"(address));
    return (void *)address;
}

// Keeps a function as it is written: its own frame, no copies for certain arguments.
#ifdef __clang__
#define OPAQUE __attribute__((noinline))
#else
#define OPAQUE __attribute__((noipa))
#endif
