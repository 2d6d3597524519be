// Threads and processes that cannot be had.
// SPDX-License-Identifier: MIT
#include "linux.h"

long bm_linux_clone_thread(int (*function)(void *), void *stack, unsigned long flags, void *arg, int *parent,
                           void *tls, int *child)
{
    static bool told;
    (void)function;
    (void)stack;
    (void)flags;
    (void)arg;
    (void)parent;
    (void)tls;
    (void)child;
    return bm_linux_absent("clone", &told);
}
