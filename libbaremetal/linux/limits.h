// Limits of resources: what the files that keep to them ask for.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Linux' RLIMIT_….
enum {
    LINUX_LIMIT_FILE_SIZE = 1,
    LINUX_LIMIT_STACK = 3,
    LINUX_LIMIT_CORE = 4,
    LINUX_LIMIT_FILES = 7,
    LINUX_LIMIT_LOCKED = 8,
    LINUX_LIMIT_SIGNALS = 11,
    LINUX_LIMIT_MESSAGES = 12,
    LINUX_LIMIT_NICE = 13,
    LINUX_LIMIT_PRIORITY = 14,
    LINUX_LIMITS = 16
};

// limits.c: the soft limit of a resource; UINT64_MAX: none.
uint64_t bm_linux_limit_get(unsigned resource);
