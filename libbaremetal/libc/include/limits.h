// Completes the C library's <limits.h> with what POSIX adds.
// SPDX-License-Identifier: MIT
#pragma once

#include_next <limits.h>

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif
#ifndef IOV_MAX
#define IOV_MAX 1024
#endif
#ifndef PATH_MAX
#define PATH_MAX 1024
#endif
#ifndef NAME_MAX
#define NAME_MAX 255
#endif
#ifndef HOST_NAME_MAX
#define HOST_NAME_MAX 255
#endif
