// Flags of descriptors, for lwip_fcntl.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/file.h>

#define O_RDONLY   BM_O_RDONLY
#define O_WRONLY   BM_O_WRONLY
#define O_RDWR     BM_O_RDWR
#define O_NONBLOCK BM_O_NONBLOCK

#define F_GETFL 3
#define F_SETFL 4
