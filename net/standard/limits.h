// What POSIX adds to the compiler's own header, which includes this one.
// SPDX-License-Identifier: MIT
#pragma once

#define IOV_MAX 1024
