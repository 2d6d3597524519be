// Error numbers of kernel functions: 0 is success, errors are negative values of these.
// SPDX-License-Identifier: MIT
//
// The numbers equal errno's in both C libraries (checked at compile time by the POSIX layer), so a kernel
// error becomes an errno by changing its sign.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// POSIX says what they mean in general, each function what they mean there.
enum {
    BM_ENOENT = 2,
    BM_EIO = 5,
    BM_ENXIO = 6,
    BM_EAGAIN = 11,
    BM_ENOMEM = 12,
    BM_EBUSY = 16,
    BM_ENODEV = 19,
    BM_EINVAL = 22,
    BM_ENOSPC = 28,
    BM_EROFS = 30,
    BM_ERANGE = 34,
};

#ifdef __cplusplus
}
#endif
