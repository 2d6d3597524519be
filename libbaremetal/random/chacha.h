// The ChaCha20 block function (RFC 8439 section 2.3).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdint.h>

// Key (4 to 11), block counter (12) and nonce (13 to 15) in words 4 … 15 of `state`, whose words 0 … 3 this
// fills with the constants; the block goes to output.
void bm_chacha_block(uint32_t state[16], uint32_t output[16]);
