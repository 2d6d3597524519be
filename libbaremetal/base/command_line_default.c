// The image's own command line, for images that were given none: a link with CMDLINE finds another first.
// SPDX-License-Identifier: MIT
#include "command_line_default.h"

const char bm_command_line_default[] = "";
