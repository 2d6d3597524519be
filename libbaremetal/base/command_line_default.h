// The command line that the build put into the image.
// SPDX-License-Identifier: MIT
#pragma once

extern const char bm_command_line_default[];
