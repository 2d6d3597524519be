// Many frames in a row, by numbered scripts of random bytes.
// SPDX-License-Identifier: MIT
#pragma once

// When the words are `frames COUNT [FIRST]`: runs them and ends the process.
void frames_run(int argc, char **argv);
