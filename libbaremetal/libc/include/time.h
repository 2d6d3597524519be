// Completes the C library's <time.h>, which uses pid_t without defining it.
// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include_next <time.h>
