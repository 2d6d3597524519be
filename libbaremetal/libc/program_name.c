// argv[0] of an image that baremetal_add_image did not give the target's name.
// SPDX-License-Identifier: MIT
#include "libc.h"

char bm_program_name[] = "program";
