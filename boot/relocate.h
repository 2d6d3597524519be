// Relocation of the image to its random base.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Adds `delta` to every word that the linker listed (RELR and RELA). Pointers in data are valid for the new
// base afterwards, and no longer for the link address.
void bm_boot_relocate(uint64_t delta);
