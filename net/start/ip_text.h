// Bytes of IP addresses as text.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

// Writes the address of `count` bytes (4 or 16, in network order). Returns text, or NULL when it does not fit
// into `size` bytes with its NUL.
char *bm_net_ip_text(const uint8_t *bytes, size_t count, char *text, size_t size);
