// Names for addresses, when the image carries its symbols.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Whether the address is in the image's code, and its offset from the image's first byte plus the link
// address: the address that the map file and the debug information use.
bool bm_symbols_in_image(uint64_t address);
uint64_t bm_symbols_offset(uint64_t address);

// Whether the image carries symbols (baremetal_add_image(… SYMBOLS)).
bool bm_symbols_present(void);

// The function that contains the address and the distance from its start; NULL when unknown.
const char *bm_symbols_find(uint64_t address, uint64_t *distance);
