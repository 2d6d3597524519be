// The image's own command line, for images without one: baremetal_add_image(… CMDLINE "…") links another
// definition first. SPDX-License-Identifier: MIT
#include "command_line_default.h"

const char bm_command_line_default[] = "";
