// Says what to do about a header that picolibc and newlib have no library for.
// SPDX-License-Identifier: MIT
#pragma once

#error                                                                                                       \
    "this C library has no POSIX threads: choose musl (baremetal-cc --libc=musl, CMake -DBAREMETAL_LIBC=musl)"
