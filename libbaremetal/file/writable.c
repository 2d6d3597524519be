// The file that baremetal::tmpfs asks the linker for: the root may be changed.
// SPDX-License-Identifier: MIT
#include "service.h"

const char bm_files_writable = 1;
